// What is drawn: nodes and links of one answer of the server, where each node stands, which are folded away or pinned.
/* global d3 */

export const KINDS = ["narrative", "note", "session_log", "session", "project", "missing"];
export const LINKS = ["supersedes", "related_to", "session", "project"];

const SESSION = KINDS.indexOf("session"); // what comes before it is a memory
const MISSING = KINDS.indexOf("missing");
const BESIDE = 12; // how far from its neighbour a node that was not there before starts

export class Scene {
  // data: the answer of /graph/data/. before: the scene that it replaces; nodes in both stay where they are.
  constructor(data, before = null) {
    this.ids = data.ids;
    this.count = data.ids.length;
    this.kinds = Uint8Array.from(data.kinds);
    this.titles = data.titles;
    this.importance = Uint8Array.from(data.importance);
    this.hidden = Uint8Array.from(data.hidden);
    this.sources = Uint32Array.from(data.sources);
    this.targets = Uint32Array.from(data.targets);
    this.relationships = Uint8Array.from(data.relationships);
    this.index = new Map(data.ids.map((id, index) => [id, index]));
    this.radii = Float32Array.from(data.importance, (importance) => 3.5 + importance * 0.55);
    this.shown = new Uint8Array(this.count).fill(1);
    this.pinned = new Set();
    this.#connect();
    this.positions = this.#placed(before);
    this.tree = null;
  }

  // What is shown, and how many nodes are folded away.
  counts() {
    const of = (...names) => {
      const kinds = names.map((name) => KINDS.indexOf(name));
      return this.kinds.reduce((sum, kind, node) => sum + (this.shown[node] && kinds.includes(kind) ? 1 : 0), 0);
    };
    return {
      memories: of("narrative", "note", "session_log"),
      sessions: of("session"),
      projects: of("project"),
      missing: of("missing"),
      links: this.sources.reduce((sum, source, link) => sum + (this.shown[source] & this.shown[this.targets[link]]), 0),
      folded: this.count - this.shownCount,
    };
  }

  // How many memories next to a node are here, directly or in a session with it.
  around(node) {
    const found = new Set();
    for (const next of this.neighbours(node)) {
      if (this.kinds[next] < SESSION) found.add(next);
      if (this.kinds[next] === SESSION) for (const one of this.neighbours(next)) found.add(one);
    }
    found.delete(node);
    return found.size;
  }

  get shownCount() {
    return this.shown.reduce((sum, one) => sum + one, 0);
  }

  neighbours(node) {
    return this.adjacent.subarray(this.first[node], this.first[node + 1]);
  }

  // New positions from the worker; it may not know yet where a pinned node was put, so those stay where they are.
  move(positions) {
    for (const node of this.pinned) positions.set(this.positions.subarray(2 * node, 2 * node + 2), 2 * node);
    this.positions = positions;
    this.tree = null;
  }

  place(node, x, y) {
    this.positions[2 * node] = x;
    this.positions[2 * node + 1] = y;
    this.tree = null;
  }

  // The node at a place of the graph, within a reach; -1 for none.
  at(x, y, reach) {
    this.tree ??= d3
      .quadtree()
      .x((node) => this.positions[2 * node])
      .y((node) => this.positions[2 * node + 1])
      .addAll(Array.from({ length: this.count }, (_, node) => node).filter((node) => this.shown[node]));
    const found = this.tree.find(x, y, reach + 10);
    if (found === undefined) return -1;
    const distance = Math.hypot(this.positions[2 * found] - x, this.positions[2 * found + 1] - y);
    return distance <= this.radii[found] + reach ? found : -1;
  }

  // Folds the neighbours of these nodes away: around a focus all that is reached through them only, else the nodes
  // that are linked to nothing else.
  fold(folded, focus) {
    this.shown.fill(1);
    this.tree = null;
    if (!folded.size) return;
    if (focus !== undefined) {
      const all = this.#reached(focus, new Set());
      const left = this.#reached(focus, folded);
      for (const node of all) if (!left.has(node)) this.shown[node] = 0;
      return;
    }
    for (const node of folded) {
      for (const next of this.neighbours(node)) {
        if (!folded.has(next) && this.neighbours(next).every((one) => folded.has(one))) this.shown[next] = 0;
      }
    }
  }

  #connect() {
    const links = this.sources.length;
    this.first = new Uint32Array(this.count + 1);
    for (let link = 0; link < links; link += 1) {
      this.first[this.sources[link] + 1] += 1;
      this.first[this.targets[link] + 1] += 1;
    }
    for (let node = 0; node < this.count; node += 1) this.first[node + 1] += this.first[node];
    const next = this.first.slice();
    this.adjacent = new Uint32Array(2 * links);
    for (let link = 0; link < links; link += 1) {
      this.adjacent[next[this.sources[link]]++] = this.targets[link];
      this.adjacent[next[this.targets[link]]++] = this.sources[link];
    }
  }

  // NaN is "nowhere yet": the simulation then chooses.
  #placed(before) {
    const positions = new Float32Array(2 * this.count).fill(NaN);
    if (!before) return positions;
    const known = (node) => before.index.get(this.ids[node]);
    for (let node = 0; node < this.count; node += 1) {
      const old = known(node);
      if (old === undefined) continue;
      positions.set(before.positions.subarray(2 * old, 2 * old + 2), 2 * node);
      if (before.pinned.has(old)) this.pinned.add(node);
    }
    for (let node = 0; node < this.count; node += 1) {
      if (!Number.isNaN(positions[2 * node])) continue;
      const beside = this.neighbours(node).find((one) => known(one) !== undefined);
      if (beside === undefined) continue;
      positions[2 * node] = positions[2 * beside] + BESIDE * Math.cos(node);
      positions[2 * node + 1] = positions[2 * beside + 1] + BESIDE * Math.sin(node);
    }
    return positions;
  }

  #reached(start, closed) {
    const found = new Set([start]);
    for (const node of found) {
      if (closed.has(node)) continue;
      for (const next of this.neighbours(node)) found.add(next);
    }
    return found;
  }

  // What a node is called where there is room for one line.
  name(node) {
    return this.kinds[node] === MISSING ? "not on this machine" : this.titles[node];
  }
}
