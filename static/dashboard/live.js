// New memories: the list is fetched again when nobody would notice it move; otherwise a button says how many there are.
(() => {
  "use strict";
  const NEAR_TOP_PIXELS = 80;
  const browse = document.getElementById("browse");
  const live = document.getElementById("live");
  const search = document.getElementById("q");

  const fresh = () => document.getElementById("fresh");
  const words = () => new URL(fresh().dataset.address, location.href).searchParams.get("q") ?? "";

  const isInUse = () =>
    scrollY > NEAR_TOP_PIXELS ||
    browse.contains(document.activeElement) ||
    browse.querySelector("details[open]") !== null ||
    document.querySelector("dialog[open]") !== null ||
    !getSelection().isCollapsed ||
    search.value.trim() !== words(); // a search is about to answer

  const load = () => htmx.ajax("GET", fresh().dataset.address, { source: browse, target: browse, swap: "innerHTML" });

  const show = (count) => {
    let button = live.querySelector("button");
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.addEventListener("click", async () => {
        scrollTo({ top: 0 });
        await load();
        document.getElementById("main").focus({ preventScroll: true });
      });
      live.replaceChildren(button);
    }
    const text = count === 1 ? "1 new memory" : `${count.toLocaleString("en")} new memories`;
    if (button.textContent !== text) button.textContent = text;
  };

  document.addEventListener("memories", (event) => {
    if (isInUse()) show(event.detail.count);
    else load();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target === browse) live.replaceChildren();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target === fresh()) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && fresh()) htmx.trigger(fresh(), "look");
  });
})();
