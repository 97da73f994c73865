// Draws a scene on the canvas. Each kind of node has a colour and a shape, each kind of link a line; what a kind has in
// common is one path, so that thousands of nodes are a few strokes.
import { KINDS, LINKS } from "./graph_scene.js";

const COLOURS = {
  narrative: "--narrative",
  note: "--note",
  session_log: "--session",
  session: "--conversation",
  project: "--text",
  missing: "--quiet",
  page: "--card",
  text: "--text",
  quiet: "--quiet",
  chosen: "--link",
  mark: "--warn-line",
};
const WIDTH = { supersedes: 2, related_to: 1, session: 0.75, project: 0.5 };
const DASH = { session: [2, 3], project: [1, 4] };
const MANY = 3000; // links above which dashes cost more than they tell, and lines have to be faint
const ALPHA = { supersedes: [0.8, 0.8], related_to: [0.8, 0.4], session: [0.8, 0.3], project: [0.5, 0.12] }; // few, many
const SMALLEST = 0.45; // of its radius: a node is not drawn smaller, however far away
const DIM = 0.14;
const LABELS = 90; // at most, of those that fit
const LABEL_FROM = 1.1; // zoom from which on names are drawn in a large graph
const FEW = 60; // nodes up to which names are always drawn
const ALL_NAMED = 30; // nodes up to which each has its name, even where that crosses something
const LABEL_LENGTH = 34; // characters
const LETTER = 6.4; // px, about
const LINE = 15; // px
const CELL = 8; // px

const PROJECT = KINDS.indexOf("project"); // always named: the landmarks of a large graph
const LANDMARKS = 12; // projects that have their name even where it crosses something
const RING = 6; // px around what is chosen or found

const SHAPES = {
  narrative(ctx, x, y, r) {
    const s = r * 1.3;
    ctx.moveTo(x, y - s);
    ctx.lineTo(x + s, y);
    ctx.lineTo(x, y + s);
    ctx.lineTo(x - s, y);
    ctx.closePath();
  },
  note(ctx, x, y, r) {
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  },
  session_log(ctx, x, y, r) {
    ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  },
  session(ctx, x, y, r) {
    ctx.moveTo(x, y - r * 1.2);
    ctx.lineTo(x + r * 1.1, y + r * 0.9);
    ctx.lineTo(x - r * 1.1, y + r * 0.9);
    ctx.closePath();
  },
  project(ctx, x, y, r) {
    ctx.moveTo(x - r, y);
    ctx.lineTo(x - r / 2, y - r * 0.9);
    ctx.lineTo(x + r / 2, y - r * 0.9);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x + r / 2, y + r * 0.9);
    ctx.lineTo(x - r / 2, y + r * 0.9);
    ctx.closePath();
  },
  missing(ctx, x, y, r) {
    SHAPES.note(ctx, x, y, r + 1);
  },
};

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.colours = {};
    this.labels = 0;
    this.readColours();
  }

  // The tokens are pairs for two schemes: the browser says which one holds.
  readColours() {
    const probe = document.createElement("i");
    this.canvas.after(probe);
    for (const [name, token] of Object.entries(COLOURS)) {
      probe.style.color = `var(${token})`;
      this.colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    this.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  }

  // view: {transform, width, height, ratio, hovered, selected, matches}; hovered and selected: nodes, -1 for none;
  // matches: a set of nodes or null.
  paint(scene, view) {
    const { ctx } = this;
    const { k, x, y } = view.transform;
    ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    ctx.clearRect(0, 0, view.width, view.height);
    ctx.transform(k, 0, 0, k, x, y);
    const bright = brightOf(scene, view);
    const seen = this.#seen(scene, view);
    this.#links(scene, view, bright, seen);
    this.#nodes(scene, view, bright, seen);
    this.#rings(scene, view);
    ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    this.#names(scene, view, bright, seen);
  }

  #seen(scene, { transform: { k, x, y }, width, height }) {
    const margin = 20;
    const [left, top] = [(-x - margin) / k, (-y - margin) / k];
    const [right, bottom] = [(width - x + margin) / k, (height - y + margin) / k];
    const seen = new Uint8Array(scene.count);
    for (let node = 0; node < scene.count; node += 1) {
      const [px, py] = [scene.positions[2 * node], scene.positions[2 * node + 1]];
      seen[node] = scene.shown[node] && px >= left && px <= right && py >= top && py <= bottom ? 1 : 0;
    }
    return seen;
  }

  #links(scene, view, bright, seen) {
    const groups = LINKS.map(() => [[], []]);
    for (let link = 0; link < scene.sources.length; link += 1) {
      const [source, target] = [scene.sources[link], scene.targets[link]];
      if (!scene.shown[source] || !scene.shown[target] || !(seen[source] || seen[target])) continue;
      const lit = view.hovered >= 0 ? source === view.hovered || target === view.hovered : bright[source] & bright[target];
      groups[scene.relationships[link]][lit ? 1 : 0].push(link);
    }
    const { ctx } = this;
    const { k } = view.transform;
    const many = scene.sources.length > MANY && view.hovered < 0;
    LINKS.forEach((kind, number) => {
      for (const lit of [0, 1]) {
        const links = groups[number][lit];
        if (!links.length) continue;
        ctx.globalAlpha = lit ? ALPHA[kind][many ? 1 : 0] : DIM;
        ctx.strokeStyle = ctx.fillStyle = kind === "supersedes" ? this.colours.narrative : this.colours.quiet;
        ctx.lineWidth = (WIDTH[kind] * (lit && view.hovered >= 0 ? 1.6 : 1)) / Math.max(k, 0.35);
        ctx.setLineDash(!many && DASH[kind] ? DASH[kind].map((part) => part / k) : []);
        ctx.beginPath();
        for (const link of links) this.#line(scene, scene.sources[link], scene.targets[link]);
        ctx.stroke();
        if (kind === "supersedes" && k > 0.4) this.#tips(scene, links);
      }
    });
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  #line(scene, source, target) {
    this.ctx.moveTo(scene.positions[2 * source], scene.positions[2 * source + 1]);
    this.ctx.lineTo(scene.positions[2 * target], scene.positions[2 * target + 1]);
  }

  #tips(scene, links) {
    const { ctx } = this;
    ctx.beginPath();
    for (const link of links) {
      const [source, target] = [scene.sources[link], scene.targets[link]];
      const [x, y] = [scene.positions[2 * target], scene.positions[2 * target + 1]];
      const angle = Math.atan2(y - scene.positions[2 * source + 1], x - scene.positions[2 * source]);
      const back = scene.radii[target] * 1.3 + 1;
      const at = (distance, turn) => [x - distance * Math.cos(angle + turn), y - distance * Math.sin(angle + turn)];
      ctx.moveTo(...at(back, 0));
      ctx.lineTo(...at(back + 7, 0.28));
      ctx.lineTo(...at(back + 7, -0.28));
      ctx.closePath();
    }
    ctx.fill();
  }

  #nodes(scene, view, bright, seen) {
    const groups = KINDS.map(() => [[], [], [], []]);
    for (let node = 0; node < scene.count; node += 1) {
      if (seen[node]) groups[scene.kinds[node]][bright[node] * 2 + scene.hidden[node]].push(node);
    }
    const { ctx } = this;
    const { k } = view.transform;
    const larger = Math.max(1, SMALLEST / k);
    ctx.lineWidth = 1.5 / k;
    KINDS.forEach((kind, number) => {
      groups[number].forEach((nodes, group) => {
        if (!nodes.length) return;
        const hollow = group % 2 === 1 || kind === "missing";
        ctx.beginPath();
        for (const node of nodes) {
          SHAPES[kind](ctx, scene.positions[2 * node], scene.positions[2 * node + 1], larger * scene.radii[node]);
        }
        ctx.globalAlpha = group < 2 ? DIM : 1;
        ctx.fillStyle = hollow ? this.colours.page : this.colours[kind];
        ctx.strokeStyle = hollow ? this.colours[kind] : this.colours.page;
        ctx.fill();
        if (hollow || k > SMALLEST) ctx.stroke();
      });
    });
    ctx.globalAlpha = 1;
  }

  #rings(scene, { transform, selected, hovered, matches }) {
    const { ctx } = this;
    const ring = (node, colour, more) => {
      if (node < 0 || !scene.shown[node]) return;
      ctx.strokeStyle = colour;
      ctx.beginPath();
      SHAPES.note(ctx, scene.positions[2 * node], scene.positions[2 * node + 1], scene.radii[node] + more / transform.k);
      ctx.stroke();
    };
    ctx.lineWidth = 2 / transform.k;
    if (matches && matches.size <= 200) for (const node of matches) ring(node, this.colours.mark, 5);
    for (const node of scene.pinned) ring(node, this.colours.text, 3);
    ctx.lineWidth = 3 / transform.k;
    ring(hovered, this.colours.quiet, 5);
    ring(selected, this.colours.chosen, 6);
  }

  // Names of what matters most first, each where it covers no other and no node.
  #names(scene, view, bright, seen) {
    const { ctx } = this;
    const { k } = view.transform;
    const always = scene.shownCount <= FEW || k >= LABEL_FROM;
    const narrowed = view.hovered >= 0 || view.matches;
    let wanted = [];
    for (let node = 0; node < scene.count; node += 1) {
      const isWanted = always || narrowed || node === view.selected || scene.kinds[node] === PROJECT;
      if (seen[node] && bright[node] && isWanted) wanted.push(node);
    }
    const first = (node) => (node === view.hovered || node === view.selected ? 100 : 0) + scene.importance[node];
    wanted = wanted.sort((a, b) => first(b) - first(a)).slice(0, 4 * LABELS);
    ctx.font = this.font;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.lineJoin = "round";
    ctx.lineWidth = 3;
    ctx.strokeStyle = this.colours.page;
    ctx.fillStyle = this.colours.text;
    const must = (node) => scene.shownCount <= ALL_NAMED || (scene.kinds[node] === PROJECT && this.labels < LANDMARKS);
    const taken = wanted.length ? occupied(scene, view, seen) : null;
    this.labels = 0;
    for (const node of wanted) {
      if (this.labels === LABELS) break;
      const whole = scene.name(node);
      const name = whole.length > LABEL_LENGTH ? `${whole.slice(0, LABEL_LENGTH - 1)}…` : whole;
      const place = claim(taken, places(scene, view, node, name.length * LETTER), node, must(node));
      if (!place) continue;
      ctx.strokeText(name, ...place);
      ctx.fillText(name, ...place);
      this.labels += 1;
    }
  }
}

function brightOf(scene, { hovered, matches }) {
  const bright = new Uint8Array(scene.count);
  if (hovered >= 0) {
    bright[hovered] = 1;
    for (const node of scene.neighbours(hovered)) bright[node] = 1;
  } else if (matches) {
    for (const node of matches) bright[node] = 1;
  } else {
    bright.fill(1);
  }
  return bright;
}

const cell = (x, y) => Math.floor(y / CELL) * 65536 + Math.floor(x / CELL);

// The cells of the canvas that nodes cover: cell -> node, -1 where there are several.
function occupied(scene, { transform: { k, x, y }, matches }, seen) {
  const taken = new Map();
  for (let node = 0; node < scene.count; node += 1) {
    if (!seen[node]) continue;
    const r = Math.max(k, SMALLEST) * scene.radii[node] + (matches?.has(node) ? RING : 0);
    const [px, py] = [scene.positions[2 * node] * k + x, scene.positions[2 * node + 1] * k + y];
    for (let cy = py - r; cy < py + r + CELL; cy += CELL) {
      for (let cx = px - r; cx < px + r + CELL; cx += CELL) {
        const key = cell(Math.min(cx, px + r), Math.min(cy, py + r));
        taken.set(key, (taken.get(key) ?? node) === node ? node : -1);
      }
    }
  }
  return taken;
}

// Where a name may stand, as the middle of its upper edge: below its node, above, right and left of it; on the canvas.
function places(scene, { transform: { k, x, y }, width, height }, node, length) {
  const [px, py] = [scene.positions[2 * node] * k + x, scene.positions[2 * node + 1] * k + y];
  const r = Math.max(k, SMALLEST) * scene.radii[node] * 1.3;
  const aside = r + RING + length / 2;
  const found = [
    [px, py + r + RING],
    [px, py - r - RING - LINE + 3],
    [px + aside, py - LINE / 2],
    [px - aside, py - LINE / 2],
  ];
  const inside = found.filter(([a, b]) => a > length / 2 && a < width - length / 2 && b > 0 && b < height - LINE);
  return (inside.length ? inside : found.slice(0, 1)).map((place) => [...place, length]);
}

// Takes the cells of the first place that is free, and says which it is; where none is, the least bad one if it has to
// be, else null.
function claim(taken, wanted, node, must) {
  let best = null;
  let fewest = must ? Infinity : 1;
  for (const [x, y, length] of wanted) {
    const cells = [];
    for (let cy = y + 2; cy < y + LINE - 2; cy += CELL / 2) {
      for (let cx = x - length / 2; cx <= x + length / 2; cx += CELL) cells.push(cell(cx, cy));
    }
    const crossed = cells.filter((one) => (taken.get(one) ?? node) !== node).length;
    if (crossed >= fewest) continue;
    [fewest, best] = [crossed, { place: [x, y], cells }];
    if (!crossed) break;
  }
  for (const one of best?.cells ?? []) taken.set(one, -1);
  return best?.place ?? null;
}
