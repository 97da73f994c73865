// Back to a list leads to the entry that was opened: further parts are loaded until it is there, then it has the focus.
(() => {
  "use strict";
  const MAX_PARTS = 40;
  const link = (href) => [...document.querySelectorAll("[data-item] a")].find((one) => one.getAttribute("href") === href);
  const more = () => document.querySelector(".more a[hx-get]");

  document.addEventListener("click", (event) => {
    const opened = event.target.closest?.("[data-item] a");
    if (opened) history.replaceState({ ...history.state, opened: opened.getAttribute("href") }, "");
  });

  const loadMore = () =>
    new Promise((resolve) => {
      document.addEventListener("htmx:afterSettle", resolve, { once: true });
      htmx.trigger(more(), "click");
    });

  const comeBack = async (href) => {
    for (let part = 0; part < MAX_PARTS && !link(href) && more(); part += 1) await loadMore();
    const found = link(href);
    if (!found) return;
    found.focus({ preventScroll: true });
    found.scrollIntoView({ block: "center" });
  };

  addEventListener("load", () => {
    const href = history.state?.opened;
    if (href && performance.getEntriesByType("navigation")[0]?.type === "back_forward") comeBack(href);
  });
})();
