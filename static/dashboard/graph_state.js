// What the graph shows, as the form, as an address, and back: every state has an address that also works on load.

const ALL = ["type", "relationship"]; // checkboxes of which all are chosen unless the address says otherwise
const SWITCHES = { archived: "", sessions: "", projects: "1" }; // as they are unless the address says otherwise
const NONE = "none";
const DEPTH = "2"; // where the address does not say

export class State {
  constructor(form) {
    this.form = form;
    this.read(location.search);
  }

  // Takes everything from an address, and sets the form accordingly.
  read(search) {
    const query = new URLSearchParams(search);
    this.focus = query.get("focus") ?? "";
    this.expand = query.getAll("expand").filter(Boolean);
    this.fold = new Set(query.getAll("fold"));
    this.selected = query.get("selected") ?? "";
    for (const name of ALL) {
      const chosen = query.getAll(name);
      for (const box of this.#boxes(name)) box.checked = !chosen.length || chosen.includes(box.value);
    }
    for (const [name, usual] of Object.entries(SWITCHES)) {
      this.#box(name).checked = (query.getAll(name).at(-1) ?? usual) === "1"; // without a script, 0 stands before a chosen 1
    }
    this.form.elements.find.value = query.get("find") ?? "";
    this.form.elements.depth.value = query.get("depth") || DEPTH;
    const project = this.form.elements.project;
    const wanted = query.get("project") ?? "";
    project.value = wanted;
    if (project.value !== wanted) project.value = ""; // the server offers the chosen one, whatever its address says
  }

  get find() {
    return this.form.elements.find.value.trim();
  }

  // Shows the neighbourhood of a node, or everything for "".
  focusOn(node) {
    this.focus = node;
    this.expand = [];
    this.fold.clear();
  }

  // The query of an address: what the server is asked, with what only the page knows where it is for the address bar.
  query({ whole = false, selected = this.selected } = {}) {
    const query = new URLSearchParams();
    const put = (name, value) => value && query.append(name, value);
    const { elements } = this.form;
    put("focus", this.focus);
    put("depth", !this.focus || elements.depth.value === DEPTH ? "" : elements.depth.value);
    for (const name of ALL) {
      const boxes = [...this.#boxes(name)];
      const chosen = boxes.filter((box) => box.checked);
      if (chosen.length === boxes.length) continue;
      for (const box of chosen) put(name, box.value);
      if (!chosen.length) put(name, NONE);
    }
    put("project", elements.project.value);
    for (const [name, usual] of Object.entries(SWITCHES)) {
      const value = this.#box(name).checked ? "1" : "";
      if (value !== usual) put(name, value || "0");
    }
    for (const node of this.expand) put("expand", node);
    put("find", this.find);
    if (whole) {
      for (const node of this.fold) put("fold", node);
      put("selected", selected);
    }
    const text = query.toString();
    return text ? `?${text}` : "";
  }

  // Whether nothing is filtered away.
  get isWhole() {
    const boxes = ALL.flatMap((name) => [...this.#boxes(name)]);
    return !this.focus && !this.form.elements.project.value && boxes.every((box) => box.checked);
  }

  #box(name) {
    return this.form.querySelector(`input[type="checkbox"][name="${name}"]`);
  }

  #boxes(name) {
    return this.form.querySelectorAll(`input[name="${name}"]`);
  }
}
