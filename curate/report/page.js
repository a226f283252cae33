"use strict";
// Filters and searches the documents, moves the sliders, shows what is under the pointer, marks the section in view.
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

// Each slider walks along curves that the page holds as numbers in text; nothing is computed but looked up.
function startSliders() {
  for (const box of document.querySelectorAll(".what-if")) {
    const numbers = (name) => (box.dataset[name] || "").split(" ").map(Number);
    const [at, x, documents, documentsError, tokens, tokensError, change, changeError] = [
      "at", "x", "documents", "documentsError", "tokens", "tokensError", "change", "changeError",
    ].map(numbers);
    const slider = box.querySelector("input");
    const reset = box.querySelector(".reset");
    const now = Number(slider.value);
    const figure = box.closest("figure");
    const probe = figure.querySelectorAll(".probe")[[...figure.querySelectorAll(".what-if")].indexOf(box)];
    const put = (name, text) => { box.querySelector(name).textContent = text; };

    const update = () => {
      const i = Number(slider.value);
      const moved = i !== now;
      put(".at", measured(at[i]));
      put(".of-documents", percent(documents[i]));
      put(".documents-error", plusMinus(documentsError[i]));
      put(".of-tokens", percent(tokens[i]));
      put(".tokens-error", plusMinus(tokensError[i]));
      const error = changeError[i] ? ` ± ${short(changeError[i])}` : "";
      put(".change", moved ? `${change[i] < 0 ? "−" : "+"}${short(Math.abs(change[i]))}${error} documents against now` : "");
      slider.setAttribute("aria-valuetext", `${box.dataset.sign} ${measured(at[i])}: ${box.querySelector(".answer").textContent}`);
      reset.hidden = !moved;
      probe.setAttribute("x1", x[i]);
      probe.setAttribute("x2", x[i]);
      probe.setAttribute("visibility", moved ? "visible" : "hidden");
    };
    slider.addEventListener("input", update);
    reset.addEventListener("click", () => { slider.value = now; update(); slider.focus(); });
    slider.hidden = false;
    update();
  }
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

function measured(value) { return Math.abs(value) >= 1000 ? grouped.format(value) : few.format(value); }
function short(value) { return value < 10000 ? grouped.format(value) : compact.format(value); }
function plusMinus(error) { return error > 0 ? `± ${Math.max(100 * error, 0.01).toFixed(2)}` : ""; }
function percent(share) {
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share >= 0.9995 && share < 1) return ">99.9%";
  return share === 0 || share === 1 ? `${100 * share}%` : `${(100 * share).toFixed(1)}%`;
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
startSliders();
startTips();
startNavigation();
