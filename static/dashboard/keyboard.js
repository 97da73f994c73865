// Keys: / search, j and k through whatever a page lists (data-item), g and a letter to a page (data-go), ? help, Esc.
(() => {
  "use strict";
  const GO_MILLISECONDS = 1500; // within which the letter has to follow the g
  let pending = 0;

  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
  const items = () => [...document.querySelectorAll("[data-item]")].filter((one) => one.checkVisibility());
  const target = (item) => (item.matches("a, button, summary") ? item : item.querySelector("a, button, summary"));

  const step = (by) => {
    const all = items();
    if (!all.length) return;
    const current = all.findIndex((one) => one.contains(document.activeElement));
    const next = all[current < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(current + by, 0), all.length - 1)];
    target(next)?.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const openHelp = () => {
    const dialog = document.getElementById("keys");
    if (!dialog.open) dialog.showModal();
  };

  const escape = (event) => {
    if (!typing(document.activeElement)) return;
    event.preventDefault(); // Chromium would empty a search field, which is a search of its own
    document.activeElement.blur();
  };

  const act = {
    "/": () => {
      const search = document.getElementById("q");
      search?.focus();
      search?.select();
    },
    j: () => step(1),
    k: () => step(-1),
    "?": openHelp,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return escape(event);
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    if (performance.now() < pending) {
      pending = 0;
      const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (place) {
        event.preventDefault();
        place.click();
        return;
      }
    }
    if (event.key === "g") {
      pending = performance.now() + GO_MILLISECONDS;
    } else if (Object.hasOwn(act, event.key)) {
      event.preventDefault();
      act[event.key]();
    }
  });

  document.querySelector("[data-help]").addEventListener("click", openHelp);
})();
