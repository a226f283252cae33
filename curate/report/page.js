"use strict";
// Filters and searches the documents, shows what is under the pointer, marks the section in view.
// Reads the page only: text enters it through textContent, never as markup.

const PAGE_OF_DOCUMENTS = 20;

function startDocuments() {
  const controls = document.querySelector(".controls");
  if (!controls) return;
  const all = [...document.querySelectorAll(".document")];
  const step = document.getElementById("by-step");
  const source = document.getElementById("by-source");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const more = document.getElementById("more");
  const texts = new Map();
  let limit = PAGE_OF_DOCUMENTS;

  fill(step, all.map((item) => item.dataset.step), "kept");
  fill(source, all.map((item) => item.dataset.source), "(none)");

  function matches(item, words) {
    if (step.value !== "*" && item.dataset.step !== step.value.slice(1)) return false;
    if (source.value !== "*" && item.dataset.source !== source.value.slice(1)) return false;
    if (!words.length) return true;
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return words.every((word) => texts.get(item).includes(word));
  }

  function update() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(all.filter((item) => matches(item, words)));
    let shown = 0;
    for (const item of all) item.hidden = !chosen.has(item) || ++shown > limit;
    found.textContent = `${chosen.size} of ${all.length} documents`;
    more.hidden = chosen.size <= limit;
    highlight([...chosen].slice(0, limit), words);
  }

  function restart() {
    limit = PAGE_OF_DOCUMENTS;
    update();
  }

  step.addEventListener("change", restart);
  source.addEventListener("change", restart);
  search.addEventListener("input", restart);
  more.addEventListener("click", () => {
    const next = all.filter((item) => !item.hidden).length;
    limit += PAGE_OF_DOCUMENTS;
    update();
    const first = all.filter((item) => !item.hidden)[next];
    if (first) first.querySelector("summary").focus({ preventScroll: true });
  });
  for (const link of document.querySelectorAll("a[data-step]")) {
    link.addEventListener("click", () => {
      step.value = "=" + link.dataset.step;
      source.value = "*";
      search.value = "";
      restart();
    });
  }
  addEventListener("beforeprint", () => all.forEach((item) => { if (!item.hidden) item.open = true; }));
  controls.hidden = false;
  update();
}

function fill(select, values, nameOfEmpty) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
  for (const [value, count] of counts) {
    const option = document.createElement("option");
    option.value = "=" + value;
    option.textContent = `${value || nameOfEmpty} (${count})`;
    select.append(option);
  }
}

// Marks the words searched for without touching the document tree.
function highlight(items, words) {
  if (!window.CSS || !CSS.highlights) return;
  const ranges = [];
  for (const item of words.length ? items : []) {
    const walker = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      if (text.length !== node.data.length) continue; // lower case moved the positions
      for (const word of words) {
        for (let at = text.indexOf(word); at >= 0 && ranges.length < 5000; at = text.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          ranges.push(range);
        }
      }
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}

function startTips() {
  const tip = document.getElementById("tip");
  addEventListener("pointermove", (event) => {
    const mark = event.target instanceof Element && event.target.closest("[data-tip]");
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    const above = event.clientY - tip.offsetHeight - 12;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above > 8 ? above : event.clientY + 18}px`;
  });
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
}

function startNavigation() {
  const links = new Map([...document.querySelectorAll("nav li a")].map((link) => [link.hash.slice(1), link]));
  const inView = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? inView.add(entry.target.id) : inView.delete(entry.target.id);
    const current = [...links.keys()].find((id) => inView.has(id));
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-15% 0px -60% 0px" });
  for (const id of links.keys()) observer.observe(document.getElementById(id));
}

startDocuments();
startTips();
startNavigation();
