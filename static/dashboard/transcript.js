// The transcript reader: deep links to lines, the reader's place when earlier lines are loaded, n and p from request to
// request, the outline's mark, found words highlighted. The page works without it.
(() => {
  "use strict";
  const MOST_RANGES = 500; // highlighted at once
  const GAP = 16; // px between the header and a line that is gone to
  const SLACK = 24; // px by which the top of the line that is read may lie elsewhere
  const conversation = document.getElementById("conversation");
  if (!conversation) return;
  const header = document.querySelector("header.site");
  const outline = document.querySelector(".outline");
  const lineNumber = (hash) => /^#L([0-9]{1,12})$/.exec(hash)?.[1];
  const numberOf = (line) => Number(line.id.slice(1));

  // Where reading begins: below the header where it stays in sight. What is scrolled to comes to lie there.
  const readingTop = () => (getComputedStyle(header).position === "sticky" ? header.offsetHeight : 0) + GAP;
  const fit = () => {
    const root = document.documentElement.style;
    root.setProperty("--header", `${readingTop() - GAP}px`);
    root.scrollPaddingTop = `${readingTop()}px`;
  };

  // The outline's mark follows the reader, in sight within the outline's own box; the page is never scrolled for it.
  let reading = 0; // the number of the line that is read
  let goneTo = 0; // the number of the line last gone to: near the end it cannot come to the top
  const keepInSight = (link) => {
    const box = [link.closest("ol"), outline].find((one) => one.scrollHeight > one.clientHeight + 1);
    if (!box) return;
    const place = link.getBoundingClientRect();
    const top = place.top - box.getBoundingClientRect().top;
    if (top < 0 || top + place.height > box.clientHeight) box.scrollTop += top - box.clientHeight / 2;
  };
  const mark = (number) => {
    reading = number;
    if (!outline) return;
    const [further, requests] = [".further a", "li:not(.further) a"].map((one) => [...outline.querySelectorAll(one)]);
    const found = requests.findLast((one) => Number(lineNumber(one.hash)) <= number);
    const more = further.find((one) =>
      one.getAttribute("hx-get").includes("=from-") ? Number(lineNumber(one.hash)) <= number : !found,
    );
    more?.click(); // more of the outline is asked for: afterSwap marks again
    if (!found || found.hasAttribute("aria-current")) return;
    for (const one of requests) one.toggleAttribute("aria-current", false);
    found.setAttribute("aria-current", "true");
    keepInSight(found);
  };
  const isInView = (line) => {
    const box = line?.getBoundingClientRect();
    return box && box.bottom > readingTop() && box.top < innerHeight;
  };
  const follow = (entries) => {
    const atEnd = scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const read = entries.findLast((one) => one.isIntersecting)?.target;
    if (!atEnd) return read && mark(numberOf(read));
    const gone = document.getElementById(`L${goneTo}`);
    mark(isInView(gone) ? goneTo : numberOf([...conversation.querySelectorAll(".line")].at(-1)));
  };
  let observer = null; // of what lies where reading begins, a strip of the screen
  const observe = () => {
    const top = readingTop() + SLACK;
    observer?.disconnect();
    observer = new IntersectionObserver(follow, { rootMargin: `${-top}px 0px ${top + 2 - innerHeight}px 0px` });
    for (const one of conversation.querySelectorAll(".line")) observer.observe(one);
  };

  // A line that is folded away is opened and gets the focus; one that is not on the page is asked for, once.
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
    if (!asked) return;
    goneTo = numberOf(element);
    element.scrollIntoView();
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    mark(goneTo);
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
    observe();
    if (reading) mark(reading);
  });

  // The nearest request that is not on the page, where the outline or the page's head knows it; else more lines.
  const leave = (direction) => {
    const links = [...document.querySelectorAll(".outline li:not(.further) a, [data-jump]")];
    const shown = [...conversation.querySelectorAll(".line")].map(numberOf);
    const numbered = links.map((link) => ({ link, line: Number(lineNumber(link.hash)) }));
    numbered.sort((one, other) => one.line - other.line);
    const found =
      direction === "next"
        ? numbered.find((one) => one.line > shown.at(-1))
        : numbered.findLast((one) => one.line < shown[0]);
    if (found) location.assign(found.link.href);
    else conversation.querySelector(`.more.${direction === "next" ? "later" : "earlier"} a`)?.click();
  };
  const step = (direction) => {
    const all = [...conversation.querySelectorAll(".line.user")];
    const tops = all.map((one) => one.getBoundingClientRect().top);
    const focused = all.findIndex((one) => one.contains(document.activeElement));
    const next = focused >= 0 ? focused + 1 : tops.findIndex((top) => top > readingTop() + SLACK);
    const previous = focused >= 0 ? focused - 1 : tops.findLastIndex((top) => top < readingTop() - SLACK);
    const found = all[direction === "next" ? next : previous];
    if (!found) return leave(direction);
    goneTo = numberOf(found);
    found.scrollIntoView({ block: "start" });
    found.querySelector("a").focus({ preventScroll: true });
    mark(goneTo);
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
  addEventListener("resize", () => {
    fit();
    observe();
  });
  fit();
  open();
  highlight();
  const marked = outline?.querySelector("[aria-current]");
  if (marked) keepInSight(marked);
  reveal(performance.getEntriesByType("navigation")[0]?.type === "navigate"); // else the browser knows the place
  observe();
})();
