// The graph page: ties the form, the address, the answers of the server, the simulation's worker and the canvas together.
import { clear, fill } from "./graph_parts.js";
import { KINDS, Scene } from "./graph_scene.js";
import { State } from "./graph_state.js";
import { View, reduced } from "./graph_view.js";

const root = document.getElementById("graph");
const form = document.getElementById("graph-form");
const canvas = document.getElementById("graph-canvas");
const panel = document.getElementById("graph-panel");
const said = document.getElementById("graph-said");
const empty = document.getElementById("graph-empty");
const FIND_WAITS = 300; // milliseconds after the last letter in the search field

const state = new State(form);
const worker = new Worker(new URL("graph_worker.js", import.meta.url));
const view = new View(canvas, { choose, open, pin });
let scene = null;
let run = 0; // of the simulation: what an older one still sends is dropped
let ordered = 0; // orders that the worker got
let asked = null; // the request for data under way
let ticks = { count: 0, milliseconds: 0 };
let returnTo = null; // what had the focus before the panel was opened
let findTimer = 0;
let finding = null; // the search under way
let left = ""; // what the server had no room for

// ---- The data and the simulation

async function load({ fit = true } = {}) {
  asked?.abort();
  const own = (asked = new AbortController());
  canvas.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(root.dataset.source + state.query(), { signal: own.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json(), fit);
  } catch (error) {
    if (error.name === "AbortError") return;
    said.textContent = "The graph could not be loaded: reload the page, or see the table below.";
  }
  canvas.setAttribute("aria-busy", "false");
}

function show(data, fit) {
  scene = new Scene(data, scene);
  settle(false);
  if (fit) view.follow = true;
  view.selected = scene.index.get(state.selected) ?? -1;
  left = data.said;
  fold();
  view.show(scene);
  marked(state.find ? data.found : null);
  run += 1;
  order({
    do: "start",
    run,
    positions: scene.positions,
    sources: scene.sources,
    targets: scene.targets,
    kinds: scene.relationships,
    radii: scene.radii,
    pinned: [...scene.pinned],
    animate: !reduced(),
  });
  buttons();
}

worker.addEventListener("message", ({ data }) => {
  if (data.run !== run) return;
  scene.move(data.positions);
  settle(data.done && data.order === ordered); // else it does not know yet what was ordered since
  ticks = { count: data.ticks, milliseconds: data.milliseconds };
  if (view.follow) view.fit(null, false);
  view.draw();
});

function order(what) {
  ordered += 1;
  worker.postMessage({ ...what, order: ordered });
}

function settle(done) {
  root.dataset.state = done ? "settled" : "moving";
}

function tell() {
  const number = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
  const { memories, sessions, projects, missing, links, folded } = scene.counts();
  const text = [
    number(memories, "memory", "memories"),
    ...(sessions ? [number(sessions, "session", "sessions")] : []),
    ...(projects ? [number(projects, "project", "projects")] : []),
    ...(missing ? [`${missing.toLocaleString("en")} not on this machine`] : []),
    number(links, "link", "links"),
    ...(folded ? [`${folded.toLocaleString("en")} folded away`] : []),
  ].join(", ");
  said.textContent = `${text}. ${left}`.trim();
  canvas.setAttribute("aria-label", `Graph of ${text}. The table below has the same content.`);
  empty.hidden = scene.count > 0 && scene.sources.length > 0;
  if (scene.count) empty.textContent = "Nothing here is linked yet: switch on sessions or projects to see what belongs together.";
  else empty.textContent = state.isWhole ? "There is nothing to draw." : "Nothing fits: choose other filters.";
  form.querySelector(".whole").hidden = !state.focus;
  form.elements.depth.disabled = !state.focus;
}

// ---- What is asked for changes

function changed({ push = false, fit = true } = {}) {
  remember(push);
  load({ fit });
  table();
}

function remember(push = false) {
  const address = root.dataset.url + state.query({ whole: true });
  if (address === location.pathname + location.search) return;
  if (push) history.pushState({ graph: true }, "", address);
  else history.replaceState({ graph: true }, "", address);
}

function table() {
  fill(document.getElementById("graph-table"), root.dataset.url + state.query());
}

// Asks what has the text: the server knows whole titles, and finds for the table by the same rule.
async function find() {
  finding?.abort();
  table();
  if (!state.find) return marked(null);
  const own = (finding = new AbortController());
  try {
    const answer = await fetch(`${root.dataset.source}${state.query()}&only=found`, { signal: own.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    marked((await answer.json()).found);
  } catch (error) {
    if (error.name !== "AbortError") form.querySelector("[data-graph=found]").textContent = "The search failed: try again";
  }
}

// ids: of the nodes that were found; null where nothing is looked for.
function marked(ids) {
  view.matches = ids && new Set(ids.map((id) => scene?.index.get(id)).filter((node) => node !== undefined));
  view.draw();
  const count = view.matches?.size;
  const text = view.matches ? `${count.toLocaleString("en")} found${count ? ", Enter shows them" : ""}` : "";
  form.querySelector("[data-graph=found]").textContent = text;
}

function fold() {
  const folded = new Set([...state.fold].map((id) => scene.index.get(id)).filter((node) => node !== undefined));
  scene.fold(folded, scene.index.get(state.focus));
  tell();
}

form.addEventListener("change", (event) => {
  if (event.target.name !== "find") changed();
});

form.elements.find.addEventListener("input", () => {
  remember();
  clearTimeout(findTimer);
  findTimer = setTimeout(find, FIND_WAITS);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  view.follow = false;
  if (view.matches?.size) view.fit([...view.matches]);
});

window.addEventListener("popstate", () => {
  state.read(location.search);
  load();
  table();
  panelOf(state.selected);
});

// ---- Nodes

function choose(node) {
  if (node >= 0) select(scene.ids[node]);
  else if (state.selected) close();
}

function select(id) {
  if (!panel.contains(document.activeElement)) returnTo = document.activeElement;
  state.selected = id;
  view.selected = scene?.index.get(id) ?? -1;
  view.draw();
  remember();
  return panelOf(id);
}

async function panelOf(id) {
  if (!id) return clear(panel);
  const query = state.query();
  const address = `${root.dataset.url}${query ? `${query}&` : "?"}selected=${encodeURIComponent(id)}`;
  const filled = await fill(panel, address);
  if (filled) buttons();
  return filled;
}

function close() {
  const inside = panel.contains(document.activeElement);
  state.selected = "";
  view.selected = -1;
  clear(panel);
  view.draw();
  remember();
  if (inside) (returnTo?.isConnected && returnTo !== document.body ? returnTo : form.elements.find).focus();
}

function open(node) {
  if (scene.pinned.has(node)) unpin([node]);
  else focusOn(scene.ids[node]);
}

function focusOn(id) {
  state.focusOn(id);
  changed({ push: true });
}

function pin(node, x, y) {
  scene.pinned.add(node);
  order({ do: "pin", index: node, x, y });
  settle(false);
  buttons();
}

function unpin(indices) {
  for (const node of indices) scene.pinned.delete(node);
  order({ do: "unpin", indices });
  settle(false);
  view.draw();
  buttons();
}

// Says on the panel's buttons what they would do now.
function buttons() {
  root.querySelector("[data-graph=unpin]").disabled = !scene?.pinned.size;
  const acts = panel.querySelector(".acts");
  if (!acts || !scene) return;
  const id = acts.dataset.node;
  const node = scene.index.get(id);
  const button = (name) => acts.querySelector(`[data-graph=${name}]`);
  const isExpanded = state.expand.includes(id);
  const isAllThere = node !== undefined && scene.around(node) >= Number(acts.dataset.around);
  button("expand").disabled = !isExpanded && (node === undefined || KINDS[scene.kinds[node]] === "missing" || isAllThere);
  button("expand").textContent = isExpanded
    ? "Hide its neighbours again"
    : isAllThere
      ? "All its neighbours are here"
      : "Show its neighbours";
  button("collapse").disabled = node === undefined || !scene.neighbours(node).length;
  button("collapse").textContent = state.fold.has(id) ? "Unfold its neighbours" : "Fold its neighbours";
  button("pin").disabled = node === undefined;
  button("pin").textContent = node !== undefined && scene.pinned.has(node) ? "Unpin" : "Pin";
}

const acts = {
  in: () => view.zoomBy(1.5),
  out: () => view.zoomBy(1 / 1.5),
  fit: () => view.fit(),
  unpin: () => unpin([...scene.pinned]),
  whole: () => focusOn(""),
  close,
  focus: (id) => focusOn(id),
  expand(id) {
    state.expand = state.expand.includes(id) ? state.expand.filter((one) => one !== id) : [...state.expand, id];
    state.fold.delete(id);
    changed({ fit: false });
  },
  collapse(id) {
    if (!state.fold.delete(id)) state.fold.add(id);
    fold();
    remember();
    view.draw();
    buttons();
  },
  pin(id) {
    const node = scene.index.get(id);
    if (scene.pinned.has(node)) unpin([node]);
    else pin(node, scene.positions[2 * node], scene.positions[2 * node + 1]);
    view.draw();
  },
};

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-graph]");
  if (!control || event.ctrlKey || event.metaKey || event.shiftKey || event.button || control.disabled) return;
  const name = control.dataset.graph;
  if (name === "row") {
    event.preventDefault();
    const id = new URL(control.href).searchParams.get("focus");
    returnTo = control;
    focusOn(id);
    select(id).then((filled) => filled && document.getElementById("graph-panel-title")?.focus({ preventScroll: true }));
    document.getElementById("graph-stage").scrollIntoView({ block: "nearest" });
  } else if (Object.hasOwn(acts, name)) {
    event.preventDefault();
    acts[name](control.closest("[data-node]")?.dataset.node);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.selected && !document.querySelector("dialog[open]")) close();
});

// For tests and for looking at what goes on from the browser's console; nothing here changes the graph.
window.llmMemoryGraph = Object.freeze({
  get nodes() {
    return scene?.count ?? 0;
  },
  get shown() {
    return scene?.shownCount ?? 0;
  },
  get links() {
    return scene?.sources.length ?? 0;
  },
  get settled() {
    return root.dataset.state === "settled";
  },
  get selected() {
    return state.selected;
  },
  get hovered() {
    return view.hovered < 0 ? "" : scene.ids[view.hovered];
  },
  get pinned() {
    return [...(scene?.pinned ?? [])].map((node) => scene.ids[node]);
  },
  get matches() {
    return view.matches?.size ?? null;
  },
  get labels() {
    return view.painter.labels;
  },
  get zoom() {
    return view.transform.k;
  },
  get colours() {
    return { ...view.painter.colours };
  },
  get ids() {
    return scene ? [...scene.ids] : [];
  },
  // Milliseconds of a step of the simulation and of a draw, on average, and how many there were.
  get costs() {
    return { tick: ticks.milliseconds, ticks: ticks.count, draw: view.spent / view.draws, draws: view.draws };
  },
  // Where a node is, in CSS pixels from the canvas's corner; null when it is not drawn.
  at(id) {
    const node = scene?.index.get(id);
    return node === undefined || !scene.shown[node] ? null : view.screen(node);
  },
});

load();
