// Buttons with data-copy put that text on the clipboard and say so.
(() => {
  "use strict";
  const SAID_MILLISECONDS = 2000;

  const show = (root) => {
    for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const label = button.dataset.label ?? (button.dataset.label = button.textContent);
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed: select it and copy";
    }
    setTimeout(() => {
      button.textContent = label;
    }, SAID_MILLISECONDS);
  });

  show(document);
  document.addEventListener("htmx:afterSwap", (event) => show(event.target));
})();
