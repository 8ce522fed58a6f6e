// Helpers of all sections. Text from the data reaches the page by textContent alone.
// The data as of `evo.inspect.page.page_data`, and the source of a circuit of the front: packed in the page itself, or requested by
// the lab.
export let data = null;
export const source = { circuit: (rank) => unpack(data.packed[rank]) };
export function load(pageData) {
  data = pageData;
}

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Ties go to the even digit, as in the terminal's table.
export function fixed(x, digits) {
  const scaled = x * 10 ** digits, floor = Math.floor(scaled);
  return scaled - floor === 0.5 ? ((floor + (floor % 2 ? 1 : 0)) / 10 ** digits).toFixed(digits) : x.toFixed(digits);
}
export const number = (x, digits = 3) => (x === null || x === undefined || Number.isNaN(x) ? "–" : fixed(x, digits).replace("-", "−"));
export const plain = (x, digits = 4) => (x === null || x === undefined ? "–" : String(Number(x.toPrecision(digits))).replace("-", "−"));
export const count = (x) => (x === null || x === undefined ? "–" : x.toLocaleString("en"));
export const clipped = (text, limit = 16) => (text.length > limit ? text.slice(0, limit - 1) + "…" : text);
export const withUnit = (name) => name.replace(" [", ", ").replace("]", "");
export const sum = (list) => list.reduce((a, b) => a + b, 0);
export function running(differences) {
  let at = 0;
  return differences.map((d) => (at += d));
}
export function clock(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

// The selection.
export const chosen = { rank: 0, circuit: null, neuron: null, trials: [], trace: 0, step: 0, core: false };
// Listeners by topic; each is called as long as its element is on the page.
const listeners = {};
export const on = (topic, act, host = document.body) => (listeners[topic] ??= []).push({ act, host });
export function tell(topic, ...facts) {
  listeners[topic] = (listeners[topic] ?? []).filter((listener) => listener.host.isConnected);
  listeners[topic].forEach((listener) => listener.act(...facts));
}

// Charts are drawn for the available width, and again when it changes. Views that redraw often, such as the bench, draw charts
// only when they are visible: `inSight`.
const charts = new Map(), late = new Map(), outside = new WeakSet();
let watching = null;
export function inSight() {
  watching = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      isIntersecting ? outside.delete(target) : outside.add(target);
      const act = isIntersecting && late.get(target);
      if (act) act();
    }
  }, { rootMargin: "200px" });
}
export function chart(host, draw) {
  const now = () => {
    late.delete(host);
    const width = Math.floor(host.clientWidth);
    if (!width || !host.isConnected) return;
    host.replaceChildren();
    draw(width, host);
  };
  const again = () => (outside.has(host) ? late.set(host, now) : now());
  if (!charts.has(host)) {
    host.classList.add("chart");
    watching?.observe(host);
    if (charts.size > 200) for (const old of charts.keys()) if (!old.isConnected) charts.delete(old);
  }
  charts.set(host, again);
  host.isConnected ? again() : queueMicrotask(again); // the caller puts it into the page
  return again;
}
// Draw all charts that were deferred.
export function drawAll() {
  for (const act of [...late.values()]) act();
}
addEventListener("beforeprint", drawAll);
export function redraw() {
  for (const [host, again] of charts) host.isConnected ? again() : charts.delete(host);
}
let waiting = null, lastWidth = window.innerWidth;
addEventListener("resize", () => {
  if (window.innerWidth === lastWidth) return;
  lastWidth = window.innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(redraw, 120);
});

// A frame with axes; x and y are scales whose domain is set.
export function frame(host, { width, height, left = 46, right = 14, top = 10, bottom = 38, x, y, xLabel, yLabel, xTicks, yTicks, xFormat, yFormat, alt }) {
  const svg = d3.select(host).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
  svg.attr("role", "img").attr("aria-label", alt ?? `${yLabel} against ${xLabel}`);
  if (x.rangeRound && x.bandwidth) x.range([left, width - right]);
  else x.range([left, width - right]);
  y.range([height - bottom, top]);
  const grid = svg.append("g").attr("class", "grid");
  const ys = y.ticks ? y.ticks(yTicks ?? Math.max(2, Math.floor((height - top - bottom) / 38))) : [];
  for (const t of ys) grid.append("line").attr("x1", left).attr("x2", width - right).attr("y1", y(t)).attr("y2", y(t));
  const below = d3.axisBottom(x).tickSizeInner(4).tickSizeOuter(0).tickPadding(5);
  if (x.ticks) below.ticks(xTicks ?? Math.max(2, Math.floor((width - left - right) / 75)), xFormat);
  if (typeof xFormat === "function") below.tickFormat(xFormat);
  const beside = d3.axisLeft(y).tickSize(0).tickPadding(7).tickValues(ys);
  if (yFormat) beside.tickFormat(typeof yFormat === "string" ? d3.format(yFormat) : yFormat);
  else if (y.tickFormat) beside.tickFormat(y.tickFormat(ys.length));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - bottom})`).call(below);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`).call(beside).call((g) => g.select(".domain").remove());
  if (xLabel) svg.append("text").attr("class", "label").attr("x", (left + width - right) / 2).attr("y", height - 4).attr("text-anchor", "middle").text(xLabel);
  if (yLabel) svg.append("text").attr("class", "label").attr("transform", `translate(11,${(top + height - bottom) / 2}) rotate(-90)`).attr("text-anchor", "middle").text(yLabel);
  return { svg, plot: svg.append("g"), left, right, top, bottom, width, height };
}

export function padded([low, high], share = 0.06) {
  const room = (high - low) * share || Math.abs(high) * share || 1;
  return [low - room, high + room];
}

// The tooltip: a heading and pairs of words.
export const tip = {
  show(at, heading, pairs = []) {
    const box = $("tip");
    box.replaceChildren(el("b", {}, heading), ...pairs.map(([what, value]) => el("span", {}, el("i", {}, what), value)));
    box.hidden = false;
    const place = at instanceof Element ? at.getBoundingClientRect() : { right: at.clientX + 8, top: at.clientY + 8, left: at.clientX };
    const x = Math.min(place.right + 10, innerWidth - box.offsetWidth - 8), y = Math.min(place.top + 6, innerHeight - box.offsetHeight - 8);
    box.style.left = `${Math.max(8, x)}px`;
    box.style.top = `${Math.max(8, y)}px`;
  },
  hide() { $("tip").hidden = true; },
};
addEventListener("keydown", (event) => event.key === "Escape" && tip.hide());
addEventListener("scroll", () => tip.hide(), { passive: true });

export function table(headings, rows, attributes = {}) {
  return el("table", attributes,
    el("thead", {}, el("tr", {}, ...headings.map((h) => el("th", { scope: "col", class: h.left ? "left" : null, title: h.title }, h.text ?? h)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((cell, k) => el("td", { class: headings[k].left ? "left" : null }, cell))))));
}

export function facts(pairs) {
  return el("dl", {}, ...pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(([what, value]) => [el("dt", {}, what), el("dd", {}, value)]));
}

export function titled(title, small, ...children) {
  return el("div", {}, el("h3", {}, title, small ? el("small", {}, small) : null), ...children);
}

export function section(name) {
  $(name).hidden = false;
  return $(name).querySelector(".body");
}

// Packed data are JSON, deflated, in base64.
export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}
