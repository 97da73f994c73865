// The canvas: zoom, pan, hover, click, drag; draws when something has changed, once a frame.
/* global d3 */
import { Painter } from "./graph_draw.js";

const REACH = 6; // px around a node that still count as on it
const ZOOM = [0.03, 8];
const MARGIN = 48; // px around a fitted graph
const CLOSE = 2.5; // the zoom that fitting a small graph stops at
const MOVE = 300; // milliseconds of an animated zoom
const STILL = 4; // px that a click may move

const calm = matchMedia("(prefers-reduced-motion: reduce)");
export const reduced = () => calm.matches;

export class View {
  // on: {choose(node), open(node), pin(node, x, y)}; node is -1 where nothing is.
  constructor(canvas, on) {
    this.canvas = canvas;
    this.on = on;
    this.painter = new Painter(canvas);
    this.scene = null;
    this.transform = d3.zoomIdentity;
    this.hovered = this.selected = this.dragged = -1;
    this.matches = null;
    this.follow = true; // fit while the graph unfolds, until somebody zooms
    this.draws = 0;
    this.spent = 0;
    this.#size();
    this.#zoom();
    this.#point();
    new ResizeObserver(() => this.#size()).observe(canvas);
    const recolour = () => {
      this.painter.readColours();
      this.draw();
    };
    document.addEventListener("themechange", recolour);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  }

  show(scene) {
    this.scene = scene;
    this.hovered = this.dragged = -1;
    this.draw();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (!this.scene) return;
      const began = performance.now();
      this.painter.paint(this.scene, this);
      this.spent += performance.now() - began;
      this.draws += 1;
    });
  }

  // Zooms so that these nodes (all that are shown, unless told) fill the canvas.
  fit(nodes = null, animated = true) {
    const { scene } = this;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const node of nodes ?? scene.ids.keys()) {
      const [x, y] = [scene.positions[2 * node], scene.positions[2 * node + 1]];
      if (!scene.shown[node] || Number.isNaN(x)) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    if (left > right) return;
    const room = (pixels, length) => Math.max(pixels - 2 * MARGIN, 40) / Math.max(length, 1);
    const k = Math.min(room(this.width, right - left), room(this.height, bottom - top), CLOSE);
    const [x, y] = [this.width / 2 - (k * (left + right)) / 2, this.height / 2 - (k * (top + bottom)) / 2];
    this.#go(d3.zoomIdentity.translate(x, y).scale(Math.max(k, ZOOM[0])), animated);
  }

  zoomBy(factor) {
    this.follow = false;
    this.#moving((target) => this.zoom.scaleBy(target, factor), true);
  }

  // Where a node is on the page, in CSS pixels of the canvas.
  screen(node) {
    const { k, x, y } = this.transform;
    return { x: this.scene.positions[2 * node] * k + x, y: this.scene.positions[2 * node + 1] * k + y };
  }

  #go(transform, animated) {
    this.#moving((target) => this.zoom.transform(target, transform), animated);
  }

  #moving(change, animated) {
    const canvas = d3.select(this.canvas);
    change(animated && !reduced() ? canvas.transition().duration(MOVE) : canvas.interrupt());
  }

  #size() {
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.ratio = Math.min(devicePixelRatio, 2);
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    if (this.scene && this.follow) this.fit(null, false);
    this.draw();
  }

  #zoom() {
    const canvas = d3.select(this.canvas);
    canvas.call(
      d3
        .drag()
        .clickDistance(STILL)
        .container(this.canvas)
        .subject((event) => {
          const node = this.#under(event.x, event.y);
          return node < 0 ? null : { node, ...this.screen(node) };
        })
        .on("drag", (event) => this.#drag(event))
        .on("end", (event) => {
          if (this.dragged >= 0) this.#drag(event); // the last move may have come with the release alone
          this.dragged = -1;
        })
    );
    this.zoom = d3
      .zoom()
      .scaleExtent(ZOOM)
      .clickDistance(STILL)
      .on("zoom", ({ transform, sourceEvent }) => {
        if (sourceEvent) this.follow = false;
        this.transform = transform;
        this.draw();
      });
    canvas.call(this.zoom).on("dblclick.zoom", null);
  }

  #drag(event) {
    const { node } = event.subject;
    const [x, y] = this.transform.invert([event.x, event.y]);
    this.dragged = node;
    this.follow = false;
    this.scene.place(node, x, y);
    this.on.pin(node, x, y);
    this.draw();
  }

  #point() {
    const { canvas } = this;
    const node = (event) => this.#under(event.offsetX, event.offsetY);
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch" && !event.buttons) this.#hover(node(event));
    });
    canvas.addEventListener("pointerleave", () => this.#hover(-1));
    canvas.addEventListener("click", (event) => this.on.choose(node(event)));
    canvas.addEventListener("dblclick", (event) => {
      const found = node(event);
      if (found >= 0) this.on.open(found);
    });
  }

  #hover(node) {
    if (node === this.hovered) return;
    this.hovered = node;
    this.canvas.classList.toggle("over", node >= 0);
    this.draw();
  }

  #under(x, y) {
    if (!this.scene) return -1;
    return this.scene.at(...this.transform.invert([x, y]), REACH / this.transform.k);
  }
}
