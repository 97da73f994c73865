// The colour scheme: the system's, or the one chosen here (kept in this browser). Runs before the page is drawn.
(() => {
  "use strict";
  const KEY = "llm-memory-theme";
  const CHOICES = ["system", "light", "dark"];
  const NAMES = { system: "System colours", light: "Light", dark: "Dark" };

  const stored = () => {
    try {
      const found = localStorage.getItem(KEY);
      return CHOICES.includes(found) ? found : "system";
    } catch {
      return "system"; // storage is switched off
    }
  };

  const apply = (choice) => {
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    document.dispatchEvent(new CustomEvent("themechange"));
  };

  let choice = stored();
  apply(choice);
  document.documentElement.dataset.js = ""; // shows what needs JavaScript, before anything is drawn

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    const label = () => {
      button.textContent = NAMES[choice];
      button.setAttribute("aria-label", `Colours: ${NAMES[choice]}. Change them`);
    };
    label();
    button.addEventListener("click", () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
      try {
        localStorage.setItem(KEY, choice);
      } catch {
        // it holds for this page then
      }
      apply(choice);
      label();
    });
  });
})();
