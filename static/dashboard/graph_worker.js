// The simulation, away from the page: it gets nodes and links, and sends positions (x and y of each node, transferred).
//
// In: {do: "start", run, positions, sources, targets, kinds, radii, pinned, animate}, {do: "pin", index, x, y},
// {do: "unpin", indices}, each with its number as order. Out: {run, order, positions, ticks, milliseconds, done}, where
// order is the last one that was followed. Where nothing is to move on the screen (animate: false), positions come
// once, at the end.
"use strict";

importScripts(
  ...["dispatch", "quadtree", "timer", "force"].map((name) => new URL(`../vendor/d3-${name}.min.js`, self.location).href)
);

const FRAME = 16; // milliseconds
const SLICE = 100; // milliseconds between two looks at the messages, where nothing is animated
const COOL = 0.001; // d3's alphaMin
const MANY = 1500; // nodes from which on fewer, cheaper steps are taken
const BETWEEN = { supersedes: 36, related_to: 44, session: 30, project: 70 };
const PULL = { session: 0.25, project: 0.03 }; // else d3's own, by how many links the ends have
const LINKS = ["supersedes", "related_to", "session", "project"];

let simulation = null;
let nodes = [];
let run = 0;
let order = 0;
let animate = true;
let ticks = 0;
let spent = 0;
let timer = 0;

function start(asked) {
  clearTimeout(timer);
  ({ run, animate } = asked);
  ticks = spent = 0;
  nodes = Array.from(asked.radii, (radius, index) => ({
    index,
    radius,
    x: asked.positions[2 * index],
    y: asked.positions[2 * index + 1],
  }));
  for (const index of asked.pinned) hold(index, nodes[index].x, nodes[index].y);
  const links = Array.from(asked.sources, (source, index) => ({
    source,
    target: asked.targets[index],
    kind: LINKS[asked.kinds[index]],
  }));
  const steps = nodes.length > MANY ? 120 : 300;
  const link = d3.forceLink(links).distance((one) => BETWEEN[one.kind]);
  const usual = link.strength();
  link.strength((one, index) => PULL[one.kind] ?? usual(one, index, links));
  simulation = d3
    .forceSimulation(nodes)
    .stop()
    .alphaMin(COOL)
    .alphaDecay(1 - COOL ** (1 / steps))
    .force("link", link)
    .force("apart", d3.forceManyBody().strength(nodes.length > MANY ? -24 : -60).theta(nodes.length > MANY ? 1.3 : 0.9))
    .force("x", d3.forceX().strength(0.05))
    .force("y", d3.forceY().strength(0.05));
  if (nodes.length <= MANY) simulation.force("room", d3.forceCollide((one) => one.radius + 3));
  step();
}

function step() {
  const began = performance.now();
  do {
    simulation.tick();
    ticks += 1;
  } while (!animate && simulation.alpha() >= COOL && performance.now() - began < SLICE);
  const took = performance.now() - began;
  spent += took;
  const done = simulation.alpha() < COOL;
  if (animate || done) send(done);
  timer = done ? 0 : setTimeout(step, animate ? Math.max(0, FRAME - took) : 0);
}

function send(done) {
  const positions = new Float32Array(2 * nodes.length);
  for (const node of nodes) {
    positions[2 * node.index] = node.x;
    positions[2 * node.index + 1] = node.y;
  }
  postMessage({ run, order, positions, ticks, milliseconds: spent / ticks, done }, [positions.buffer]);
}

function hold(index, x, y) {
  nodes[index].x = nodes[index].fx = x;
  nodes[index].y = nodes[index].fy = y;
}

function warm() {
  simulation.alpha(Math.max(simulation.alpha(), 0.2));
  if (!timer) timer = setTimeout(step, 0);
}

const orders = {
  start,
  pin({ index, x, y }) {
    hold(index, x, y);
    warm();
  },
  unpin({ indices }) {
    for (const index of indices) nodes[index].fx = nodes[index].fy = null;
    warm();
  },
};

onmessage = ({ data }) => {
  ({ order } = data);
  orders[data.do](data);
};
