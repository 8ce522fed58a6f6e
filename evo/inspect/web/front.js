// Front: the circuits as a scatter plot and as a table; the selected one is shown below.
import { $, chart, chosen, data, el, frame, number, on, padded, plain, section, tell, tip } from "./tools.js";
import { limitsOf } from "./limits.js";
import { parallel } from "./parallel.js";
import { choose } from "./view.js";

let columns = [], axes = [];
export const shown = { passing: [], order: [], sort: "rank", down: false, x: "energy", y: "held_out", all: false, limits: {}, mark: () => {} };
const ROW = 27, SPARE = 8, PRINTED = 20;

const hasFired = () => data.members.some((m) => m.spikes != null); // false if nothing was simulated
const hasWorst = () => data.members.some((m) => m.worst != null);
const columnsOf = (fired) => [
  { key: "rank", text: "rank", get: (m) => m.rank, show: (m) => String(m.rank), title: "by held-out score" },
  { key: "held_out", text: "held out", get: (m) => m.held_out, show: (m) => number(m.held_out) + (m.uneven ? "?" : "") + (m.overfitted ? "!" : ""), title: "score on trials the search never saw" },
  { key: "interval", text: "95 %", get: (m) => m.low, show: (m) => (m.low === null ? "–" : `${number(m.low, 2)}–${number(m.high, 2)}`), title: "confidence interval of the held-out score" },
  ...(hasWorst() ? [{ key: "worst", text: "worst", get: (m) => m.worst, show: (m) => number(m.worst), title: "held-out score in the condition where it is lowest" }] : []),
  { key: "score", text: "score", get: (m) => m.score, show: (m) => number(m.score), title: "score in the search" },
  { key: "e", text: "E", get: (m) => m.e, show: (m) => String(m.e), title: "excitatory neurons" },
  { key: "i", text: "I", get: (m) => m.i, show: (m) => String(m.i), title: "inhibitory neurons" },
  { key: "synapses", text: "synapses", get: (m) => m.synapses, show: (m) => String(m.synapses) },
  ...(fired ? [{ key: "spikes", text: "spikes", get: (m) => m.spikes, show: (m) => number(m.spikes, 1), title: "of all neurons, per trial" },
    { key: "energy", text: "energy", get: (m) => m.spikes + m.events, show: (m) => number(m.spikes + m.events, 1), title: "spikes and synaptic events per trial" }] : []),
  ...data.objectives.map((o, k) => ({ key: `objective ${o.name}`, text: o.name, own: true, unit: o.unit, get: (m) => m.objectives[k], show: (m) => plain(m.objectives[k]), title: o.text }))
    .filter((c) => !["score", "energy", "wiring"].includes(c.text)),
  { key: "born", text: "born", get: (m) => m.generation, show: (m) => String(m.generation), title: "in which generation" },
];
const axesOf = (fired) => [
  { key: "held_out", text: "held-out score", get: (m) => m.held_out },
  ...(hasWorst() ? [{ key: "worst", text: "held-out score in the worst condition", get: (m) => m.worst }] : []),
  { key: "score", text: "score in the search", get: (m) => m.score },
  ...(fired ? [{ key: "energy", text: "energy: spikes and synaptic events per trial", get: (m) => m.spikes + m.events, log: true }] : []),
  { key: "synapses", text: "synapses", get: (m) => m.synapses },
  { key: "neurons", text: "neurons", get: (m) => m.e + m.i },
  { key: "share", text: "share of E neurons", get: (m) => m.e / (m.e + m.i) },
  ...(fired ? [{ key: "spikes", text: "spikes per trial", get: (m) => m.spikes, log: true }] : []),
  { key: "generation", text: "generation it was born in", get: (m) => m.generation },
  ...data.objectives.map((o, k) => ({ key: `objective ${o.name}`, text: `objective ${o.name}${o.unit ? `, ${o.unit}` : ""}`, get: (m) => m.objectives[k] })),
];

export function drawFront() {
  const body = section("front"), members = data.members, at = $("members")?.scrollTop, focused = body.contains(document.activeElement);
  body.replaceChildren();
  if (!members.length) {
    body.append(el("p", {}, "Nothing is stored yet."));
    return;
  }
  columns = columnsOf(hasFired());
  axes = axesOf(hasFired());
  if (!axes.some((a) => a.key === shown.x)) shown.x = "synapses";
  const pick = (axis) => el("select", { "aria-label": `${axis} axis`, onchange: (event) => { shown[axis] = event.target.value; again(); } },
    ...axes.map((a) => el("option", { value: a.key, selected: shown[axis] === a.key }, a.text.split(":")[0])));
  const tally = el("span", { id: "passing" });
  const limits = limitsOf(members), sliders = filters(limits, () => { sift(); again(); fill(); });
  const inside = el("div", { class: "tilted" }), cloud = el("div", { id: "cloud" }), note = el("p", { class: "note" });
  const all = el("button", { type: "button", id: "all", "aria-pressed": String(shown.all), onclick: () => { shown.all = !shown.all; tell("picture"); } }, "all objectives");
  on("picture", () => {
    all.setAttribute("aria-pressed", String(shown.all));
    body.querySelectorAll("select").forEach((one) => (one.disabled = shown.all));
    note.textContent = `${shown.all ? "Every line a circuit; better is further up." : "Larger: more neurons. Hollow: overfitted, at least 0.05 worse on trials the search never saw."}${members.some((m) => m.uneven) ? " ?: uneven, at least 0.25 worse in its worst condition." : ""} Arrow keys go from circuit to circuit.`;
    again();
  }, inside);
  const list = grid(inside);
  inside.append(
    el("div", {}, el("div", { class: "controls" }, el("label", {}, "across", pick("x")), el("label", {}, "up", pick("y")), all), cloud, note),
    el("div", {}, el("div", { class: "controls", id: "filters" }, ...sliders, tally), list));
  body.append(inside);
  const again = chart(cloud, (width, host) => (shown.all ? parallel : scatter)(width, host));
  const fill = () => tell("rows");
  on("circuit", () => shown.mark(), inside);

  function sift() {
    const at = Object.fromEntries([...$("filters").querySelectorAll("input")].map((i) => [i.name, Number(i.value)]));
    shown.passing = members.filter((m) => limits.every((limit) => limit.passes(m, at[limit.name])));
    tally.textContent = shown.passing.length === members.length ? `${members.length} circuits` : `${shown.passing.length} of ${members.length} circuits`;
    sorted();
  }
  sift();
  tell("picture");
  list.scrollTop = at ?? 0;
  fill();
  if (focused) list.focus({ preventScroll: true });
}

function filters(limits, changed) {
  return limits.map((limit) => {
    const value = Math.max(limit.min, Math.min(limit.max, shown.limits[limit.name] ?? limit.start)), output = el("output", {}, limit.show(value));
    const input = el("input", { type: "range", name: limit.name, min: limit.min, max: limit.max, step: 1, value, autocomplete: "off", "aria-label": limit.text, oninput: () => { shown.limits[limit.name] = Number(input.value) === limit.start ? undefined : Number(input.value); output.textContent = limit.show(Number(input.value)); input.setAttribute("aria-valuetext", output.textContent); changed(); } });
    return el("label", {}, limit.text, input, output);
  });
}

function sorted() {
  const column = columns.find((c) => c.key === shown.sort), sign = shown.down ? -1 : 1;
  shown.order = [...shown.passing].sort((a, b) => sign * d3.ascending(column.get(a) ?? -Infinity, column.get(b) ?? -Infinity) || a.rank - b.rank);
}

function scatter(width, host) {
  const [ax, ay] = [shown.x, shown.y].map((key) => axes.find((a) => a.key === key));
  const members = data.members.filter((m) => Number.isFinite(ax.get(m)) && Number.isFinite(ay.get(m)));
  const scale = (axis) => {
    const [low, high] = d3.extent(members, axis.get);
    if (axis.log && low >= 0 && high > 50 * Math.max(low, 1)) return d3.scaleSymlog([0, high * 1.15], [0, 1]).constant(5);
    return d3.scaleLinear(axis.key === "held_out" || axis.key === "score" ? [Math.min(0, low), 1.03] : padded([low, high]), [0, 1]);
  };
  const x = scale(ax), y = scale(ay), height = Math.max(260, Math.min(400, width * 0.72));
  const log = (s) => (s.constant ? [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000].filter((t) => t <= s.domain()[1]) : null);
  for (const s of [x, y]) if (log(s)) { const t = log(s); s.ticks = () => t; s.tickFormat = () => d3.format("~s"); }
  const { svg, plot, left, right, top, bottom } = frame(host, { width, height, x, y, left: 50, xLabel: ax.text, yLabel: ay.text, alt: "The front: every point a circuit. Arrow keys choose." });
  const passing = new Set(shown.passing);
  const radius = d3.scaleSqrt([0, d3.max(members, (m) => m.e + m.i)], [2, 7]);
  const px = (m) => x(ax.get(m)), py = (m) => y(ay.get(m));
  const dots = plot.selectAll("circle").data(members).join("circle")
    .attr("class", (m) => `dot${m.overfitted ? " over" : ""}${passing.has(m) ? "" : " out"}`)
    .attr("data-rank", (m) => m.rank).attr("cx", px).attr("cy", py).attr("r", (m) => radius(m.e + m.i));
  shown.mark = () => {
    const selected = data.members[chosen.rank];
    plot.selectAll("line.ring").remove();
    marked(dots, selected);
    const bar = (axis, s, vertical) => {
      if (axis.key !== "held_out" || selected.low === null) return;
      const at = vertical ? px(selected) : py(selected);
      plot.insert("line", "circle").attr("class", "ring").attr(vertical ? "x1" : "y1", at).attr(vertical ? "x2" : "y2", at).attr(vertical ? "y1" : "x1", s(selected.low)).attr(vertical ? "y2" : "x2", s(selected.high));
    };
    if (!members.includes(selected)) return;
    bar(ax, x, false);
    bar(ay, y, true);
  };
  shown.mark();
  const nearest = (event) => {
    const [mx, my] = d3.pointer(event, svg.node()), best = d3.least(shown.passing.filter((m) => Number.isFinite(px(m)) && Number.isFinite(py(m))), (m) => Math.hypot(px(m) - mx, py(m) - my));
    return best && Math.hypot(px(best) - mx, py(best) - my) < 24 ? best : null;
  };
  svg.insert("rect", ":first-child").attr("x", left).attr("y", top).attr("width", width - left - right).attr("height", height - top - bottom).attr("fill", "transparent");
  walked(svg, nearest, (m) => dots.classed("pointed", (d) => d === m));
}

// Raise the selected circuit.
export function marked(marks, selected) {
  marks.filter(".here").classed("here", false);
  marks.filter((m) => m === selected).classed("here", true).raise();
}

// Make a picture of the front respond to pointing, clicking and the arrow keys.
export function walked(svg, nearest, point) {
  svg.attr("tabindex", 0).attr("role", "application").style("touch-action", "pan-y");
  svg.on("pointermove", (event) => {
    const m = nearest(event);
    point(m);
    svg.style("cursor", m ? "pointer" : "default");
    m ? tip.show(event, `rank ${m.rank}`, summary(m)) : tip.hide();
  }).on("pointerleave", () => { point(null); tip.hide(); })
    .on("click", (event) => { const m = nearest(event); if (m) choose(m.rank); })
    .on("keydown", (event) => walk(event, () => $("cloud").querySelector("svg")));
}

function summary(m) {
  return [
    ["held out", m.low === null ? number(m.held_out) : `${number(m.held_out)} (${number(m.low, 2)}–${number(m.high, 2)})`], ...(m.worst == null ? [] : [["in the worst condition", number(m.worst)]]), ["score in the search", number(m.score)],
    ["neurons", `${m.e} E, ${m.i} I`], ["synapses", String(m.synapses)], ...(m.spikes == null ? [] : [["spikes per trial", number(m.spikes, 1)], ["energy per trial", number(m.spikes + m.events, 1)]]), ["born", `island ${m.island}, generation ${m.generation}`],
    ...data.objectives.map((o, k) => [`objective ${o.name}`, plain(m.objectives[k])]).filter(([what]) => !/ (score|energy|wiring)$/.test(what)),
  ];
}

// Arrow keys go through the circuits in the order of the table.
function walk(event, focus) {
  const at = shown.order.findIndex((m) => m.rank === chosen.rank), last = shown.order.length - 1;
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + 10, PageUp: at - 10 }[event.key];
  if (to === undefined || last < 0) return;
  event.preventDefault();
  choose(shown.order[Math.max(0, Math.min(last, to))].rank).then(() => focus()?.focus({ preventScroll: true }));
}

// The table has only the visible rows.
function grid(host) {
  const head = el("tr", {}, ...columns.map((c) => el("th", { scope: "col", title: c.title, class: c.left ? "left" : null, "data-key": c.key },
    el("button", { type: "button", onclick: () => { shown.down = shown.sort === c.key ? !shown.down : !["rank", "born"].includes(c.key); shown.sort = c.key; sorted(); render(); } }, c.text))));
  const rows = el("tbody"), box = el("div", { class: "scroll", id: "members", tabindex: 0, role: "group", "aria-label": "Circuits of the front; arrow keys choose" },
    el("table", { "aria-rowcount": data.members.length }, el("thead", {}, head), rows));
  let printing = false;
  function render() {
    for (const th of head.children) {
      const mine = th.dataset.key === shown.sort;
      mine ? th.setAttribute("aria-sort", shown.down ? "descending" : "ascending") : th.removeAttribute("aria-sort");
    }
    const fits = Math.ceil((box.clientHeight || 400) / ROW), first = printing ? 0 : Math.max(0, Math.floor(box.scrollTop / ROW) - SPARE);
    const last = printing ? Math.min(shown.order.length, PRINTED) : Math.min(shown.order.length, first + fits + 2 * SPARE);
    const pad = (n) => {
      const cell = el("td", { colspan: columns.length });
      cell.style.height = `${n * ROW}px`;
      return el("tr", { class: "pad", "aria-hidden": "true" }, cell);
    };
    rows.replaceChildren(
      ...(first ? [pad(first)] : []),
      ...shown.order.slice(first, last).map((m, k) => el("tr", { class: "choose", "data-rank": m.rank, "aria-rowindex": first + k + 1, "aria-selected": String(m.rank === chosen.rank), onclick: () => choose(m.rank) },
        ...columns.map((c) => el("td", { class: c.left ? "left" : null }, c.show(m))))),
      ...(last < shown.order.length && !printing ? [pad(shown.order.length - last)] : []));
  }
  function follow() {
    const at = shown.order.findIndex((m) => m.rank === chosen.rank) * ROW;
    if (at >= 0 && (at < box.scrollTop || at > box.scrollTop + box.clientHeight - 3 * ROW)) box.scrollTop = at - box.clientHeight / 2;
    render();
  }
  box.addEventListener("scroll", () => requestAnimationFrame(render), { passive: true });
  box.addEventListener("keydown", (event) => walk(event, () => box));
  on("print", (now) => { printing = now; render(); }, host);
  on("rows", render, host);
  on("circuit", follow, host);
  return box;
}
