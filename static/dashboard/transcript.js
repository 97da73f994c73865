// The transcript reader: deep links to lines, the reader's place when earlier lines are loaded, n and p from request to
// request, found words highlighted. The page works without it.
(() => {
  "use strict";
  const MOST_RANGES = 500; // highlighted at once
  const READING_TOP = 140; // px below which a request is not the one being read: the header ends above it
  const conversation = document.getElementById("conversation");
  if (!conversation) return;
  const lineNumber = (hash) => /^#L([0-9]{1,12})$/.exec(hash)?.[1];

  // A line that is folded away is opened; one that is not on the page is asked for, once.
  const reveal = (asked) => {
    const number = lineNumber(location.hash);
    if (!number) return;
    const element = document.getElementById(`L${number}`);
    if (!element) {
      const loaded = new URLSearchParams(location.search).get("line") === number;
      if (!loaded) location.replace(`${conversation.dataset.lineUrl}${number}#L${number}`);
      else document.querySelector(".line.target")?.scrollIntoView();
      return;
    }
    for (let one = element; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    if (asked || element.classList.contains("answer")) element.scrollIntoView();
  };

  // Earlier lines come in above what is being read: it stays where it is on the screen.
  let held = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.target.closest?.(".more.earlier")) return;
    const anchor = event.target.closest(".more").nextElementSibling;
    held = anchor && { anchor, top: anchor.getBoundingClientRect().top };
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (held) window.scrollBy({ top: held.anchor.getBoundingClientRect().top - held.top, behavior: "instant" });
    held = null;
    highlight();
  });

  const follow = (direction) => document.querySelector(`[data-jump="${direction}"]`)?.click();
  const step = (direction) => {
    const all = [...conversation.querySelectorAll(".line.user")];
    const tops = all.map((one) => one.getBoundingClientRect().top);
    const focused = all.findIndex((one) => one.contains(document.activeElement));
    const next = focused >= 0 ? focused + 1 : tops.findIndex((top) => top > READING_TOP);
    const previous = focused >= 0 ? focused - 1 : tops.findLastIndex((top) => top < READING_TOP / 3);
    const found = all[direction === "next" ? next : previous];
    if (!found) return follow(direction);
    found.scrollIntoView({ block: "start" });
    found.querySelector("a").focus({ preventScroll: true });
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
    if (event.key === "n") step("next");
    else if (event.key === "p") step("previous");
  });

  // A link to a line that is here needs no new page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const number = lineNumber(link.hash);
    if (!number || link.pathname !== location.pathname || !document.getElementById(`L${number}`)) return;
    if (link.dataset.jump || link.closest(".outline") || link.classList.contains("number")) {
      event.preventDefault();
      history.pushState(null, "", link.href);
      for (const one of conversation.querySelectorAll(".line.target")) one.classList.remove("target");
      location.replace(link.hash);
      reveal(true);
    }
  });

  const highlight = () => {
    const words = conversation.dataset.words.toLowerCase();
    if (!words || !globalThis.CSS?.highlights) return;
    const ranges = [];
    const walker = document.createTreeWalker(conversation, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && ranges.length < MOST_RANGES) {
      const text = walker.currentNode.data.toLowerCase();
      if (text.length !== walker.currentNode.data.length) continue;
      for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
        const range = new Range();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + words.length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("find", new Highlight(...ranges));
  };

  // With words to find, the folded blocks of the marked line that hold them are opened.
  const open = () => {
    const words = conversation.dataset.words.toLowerCase();
    if (!words) return;
    for (const one of conversation.querySelectorAll(".line.target details")) {
      if (one.textContent.toLowerCase().includes(words)) one.open = true;
    }
  };

  addEventListener("hashchange", () => reveal(true));
  open();
  highlight();
  reveal(false);
})();
