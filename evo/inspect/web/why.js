// Why it works: the stored analysis of the circuit.
import { $, chart, chosen, clipped, count, el, facts, number, on, plain, section, table, tell, tip, titled, withUnit } from "./tools.js";
import { nameOf, sign, wiring } from "./wiring.js";
import { capital } from "./run.js";
import { removed } from "./circuit.js";
import { curves } from "./activity.js";

const KINDS = { neuron: "neurons", synapse: "synapses", input: "inputs to neurons", channel: "channels", class: "classes" };
const MOST_BESIDE = 400; // synapses in the picture beside the lesions
const HARDWARE = { truenorth: "TrueNorth", odin: "ODIN", spinnaker: "SpiNNaker" };
let kindShown = "all", lesionSort = "change", lesionDown = false, pinned = null;

const inWorst = (w) => `${number(w.score)}: ${w.condition} (${count(w.trials)} trials)`;

export function drawWhy() {
  on("circuit", () => {
    const a = chosen.circuit.analysis, container = $("why");
    pinned = null;
    container.hidden = !a;
    if (!a) return;
    const body = section("why");
    body.replaceChildren();
    body.append(el("p", {}, `The whole circuit scores ${number(a.base.score)} on ${count(a.base.trials)} held-out trials (95 %: ${number(a.base.low)} to ${number(a.base.high)})${a.base.worst ? `; in its worst condition, ${inWorst(a.base.worst)}` : ""}. What changes it is what it works by.`));
    body.append(el("div", { class: "lesioned" }, lesions(a), without(a)), el("div", { class: "thirds gap" }, coreText(a), controls(a), energy(a)));
    const bent = Object.entries(a.perturbation ?? {});
    if (bent.length) {
      const host = el("div", { class: "thirds", id: "perturbation" });
      body.append(el("div", { class: "gap" }, titled("Robustness", "score under perturbation; bands: several draws, or 95 %", host)));
      bent.forEach(([name, curve]) => {
        const box = el("div");
        host.append(box);
        queueMicrotask(() => chart(box, (width, at) => curves(at, width, curve.x, [{ name: "", y: curve.score, low: curve.low, high: curve.high }], { xLabel: withUnit(name), yLabel: "score", floor: 0, ceiling: 1.03, height: 190 })));
      });
    }
    if (a.states) body.append(el("div", { class: "gap", id: "states" }, machine(a.states)));
  });
}

function partOf(c, lesion) {
  const all = d3.range(c.synapses.length), name = (k) => nameOf(c, k);
  const nodes = (test) => d3.range(c.inputs.length + c.neurons.length).filter(test);
  if (lesion.kind === "neuron") return { nodes: nodes((k) => k >= c.inputs.length && name(k) === lesion.part), synapses: [] };
  if (lesion.kind === "channel") { const own = nodes((k) => k < c.inputs.length && name(k) === lesion.part); return { nodes: own, synapses: all.filter((k) => own.includes(c.synapses[k][0])) }; }
  if (lesion.kind === "class") {
    const [from, to] = lesion.part.split(">"), kind = (k) => (k < c.inputs.length ? "input" : sign(c, k));
    return { nodes: [], synapses: all.filter((k) => kind(c.synapses[k][0]) === from && kind(c.synapses[k][1]) === to) };
  }
  const input = lesion.kind === "input";
  return { nodes: [], synapses: all.filter((k) => { const [s, t] = c.synapses[k]; return s < c.inputs.length === input && name(s) === String(lesion.source) && name(t) === String(lesion.target); }) };
}

function lesionName(lesion) {
  const bar = lesion.kind === "class" ? lesion.part.startsWith("I>") : lesion.kind === "synapse" && signOf(lesion.source) === "I";
  if (lesion.kind === "synapse" || lesion.kind === "input") return `${lesion.source} ${bar ? "⊣" : "→"} ${lesion.target}`;
  return lesion.kind === "class" ? lesion.part.replace(">", bar ? " ⊣ " : " → ") : lesion.part;
}
function signOf(id) {
  return chosen.circuit.neurons.find((n) => n.id === String(id))?.sign ?? "E";
}

function lesions(a) {
  const c = chosen.circuit, kinds = ["all", ...Object.keys(KINDS).filter((k) => a.lesions.some((l) => l.kind === k))];
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Kinds of lesions" }), rows = el("tbody"), head = el("tr");
  const largest = d3.max(a.lesions, (l) => Math.abs(l.change)) || 1;
  const fields = [["part", "removed", (l) => lesionName(l)], ["kind", "", (l) => l.kind], ["score", "score", (l) => l.score], ["change", "change", (l) => l.change]];
  function render() {
    chips.replaceChildren(...kinds.map((k) => el("button", { type: "button", "aria-pressed": String(kindShown === k), onclick: () => { kindShown = k; render(); } }, KINDS[k] ?? k)));
    head.replaceChildren(...fields.map(([key, text]) => el("th", { scope: "col", class: key === "part" || key === "kind" ? "left" : null, "aria-sort": key === lesionSort ? (lesionDown ? "descending" : "ascending") : null },
      el("button", { type: "button", onclick: () => { lesionDown = lesionSort === key ? !lesionDown : false; lesionSort = key; render(); } }, text || "kind"))), el("th", { "aria-label": "change, drawn" }));
    const get = fields.find((f) => f[0] === lesionSort)[2];
    const listed = a.lesions.filter((l) => kindShown === "all" || l.kind === kindShown).sort((x, y) => (lesionDown ? -1 : 1) * d3.ascending(get(x), get(y)));
    rows.replaceChildren(...listed.map((l) => {
      const over = () => tell("lesion", l), out = () => tell("lesion", pinned);
      const pin = () => { pinned = pinned === l ? null : l; tell("lesion", pinned); mark(); };
      const keys = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pin(); } else if (event.key === "Escape" && pinned) { pinned = l; pin(); } };
      return el("tr", { tabindex: 0, "data-part": l.part, "data-kind": l.kind, onpointerenter: over, onpointerleave: out, onfocus: over, onblur: out, class: "choose", onclick: pin, onkeydown: keys },
        el("td", { class: "left" }, lesionName(l)), el("td", { class: "left" }, l.kind), el("td", {}, number(l.score)), el("td", {}, (l.change > 0 ? "+" : "") + number(l.change)), el("td", {}, changeBar(l.change, largest)));
    }));
    mark();
  }
  const mark = () => rows.querySelectorAll("tr").forEach((tr) => tr.setAttribute("aria-selected", String(Boolean(pinned) && tr.dataset.part === pinned.part && tr.dataset.kind === pinned.kind)));
  if (!kinds.includes(kindShown)) kindShown = "all";
  render();
  return titled("Lesions", "the score without a part; point at a row to see it, click to keep it",
    el("div", { class: "controls" }, chips), el("div", { class: "scroll" }, el("table", { id: "lesions" }, el("thead", {}, head), rows)));
}

// Beside the table: the circuit without the part of the hovered or clicked row.
function without(a) {
  const c = chosen.circuit, picture = el("div", { id: "without" }), caption = el("p", { class: "note", id: "lesion", "aria-live": "polite" });
  const drawable = c.synapses.length <= MOST_BESIDE;
  let svg = null, shown = null;
  const parts = () => {
    if (!shown) return { nodes: new Set(), synapses: new Set() };
    const { nodes, synapses } = partOf(c, shown), gone = new Set(nodes);
    return { nodes: gone, synapses: new Set([...synapses, ...(shown.kind === "neuron" ? d3.range(c.synapses.length).filter((k) => gone.has(c.synapses[k][0]) || gone.has(c.synapses[k][1])) : [])]) };
  };
  function dress() {
    const gone = parts();
    tell("light", [...gone.nodes], [...gone.synapses]);
    svg?.selectAll(".node").classed("gone", function () { return gone.nodes.has(Number(this.dataset.node)); });
    svg?.selectAll(".edge").classed("gone", function () { return gone.synapses.has(Number(this.dataset.synapse)); });
    caption.textContent = shown
      ? `Without ${lesionName(shown)} (${shown.kind === "class" ? "all of this class" : shown.kind}): ${number(a.base.score)} → ${number(shown.score)}${shown === pinned ? ", kept; click again to let go" : ""}.`
      : `The whole circuit: ${number(a.base.score)}.${drawable ? "" : " What a row takes out is lit in the diagram above."}`;
  }
  showLesion = (l) => { shown = l; dress(); };
  queueMicrotask(() => {
    if (drawable) chart(picture, (width, host) => { svg = wiring(host, width, c, { most: 58, label: "Wiring without a part" }); dress(); });
    else dress();
  });
  return el("div", { class: "beside" }, el("h3", {}, "What is gone"), picture, caption);
}
let showLesion = () => {};
on("lesion", (l) => showLesion(l));

function changeBar(change, largest) {
  const svg = d3.create("svg").attr("width", 84).attr("height", 12).attr("viewBox", "0 0 84 12").attr("aria-hidden", "true"), w = (Math.abs(change) / largest) * 62;
  svg.append("rect").attr("class", change < 0 ? "loss" : "gain").attr("x", change < 0 ? 64 - w : 64).attr("y", 2).attr("width", Math.max(0.5, Math.min(change < 0 ? 62 : 20, w))).attr("height", 8);
  svg.append("line").attr("class", "rule").attr("x1", 64).attr("x2", 64).attr("y1", 0).attr("y2", 12);
  return svg.node();
}

function coreText(a) {
  if (!a.core) return titled("The core", "", el("p", { class: "note" }, "None: the score is not clearly above chance."));
  const c = chosen.circuit, gone = removed(c, a.core.removed), inputs = c.inputs.length;
  const neurons = c.neurons.length - [...gone.nodes].filter((k) => k >= inputs).length, synapses = c.synapses.length - gone.synapses.size;
  const light = () => tell("light", d3.range(inputs + c.neurons.length).filter((k) => !gone.nodes.has(k)), d3.range(c.synapses.length).filter((k) => !gone.synapses.has(k)));
  const box = titled("The core", "the smallest part that keeps the score",
    facts([["keeps", `${neurons} of ${c.neurons.length} neurons, ${synapses} of ${c.synapses.length} synapses`], ["scores", `${number(a.core.score)}, 95 %: ${number(a.core.low)} to ${number(a.core.high)}`],
      ...(a.core.worst ? [["worst condition", inWorst(a.core.worst)]] : []),
      ["trials", `${count(a.core.trials)} that had no part in choosing it${a.core.confirmed === false ? "; there it does worse than the whole" : ""}`], ["removed", a.core.removed.map((p) => p.replace(">", signOf(p.split(">")[0]) === "I" ? " ⊣ " : " → ")).join(", ") || "nothing"]]));
  box.id = "core-facts";
  box.addEventListener("pointerenter", light);
  box.addEventListener("pointerleave", () => tell("light", [], []));
  return box;
}

function controls(a) {
  if (!a.controls?.length) return el("div");
  return el("div", { class: "gap", id: "controls" }, titled("Controls", "", table([{ text: "what was done", left: true }, "score"], a.controls.map((k) => [k.control, number(k.score)]))));
}

function energy(a) {
  if (!a.energy) return el("div");
  const name = { spikes: "spikes", events: "synaptic events" };
  return el("div", { class: "gap", id: "energy" }, titled("Energy", "per trial", facts(Object.entries(a.energy).map(([key, value]) => [name[key] ?? `on ${HARDWARE[key.replace("joules_", "")] ?? capital(key.replace("joules_", ""))}`, key.startsWith("joules") ? joules(value) : plain(value)]))));
}
function joules(value) {
  if (!value) return "0 J";
  const step = Math.max(-5, Math.min(0, Math.floor(Math.log10(value) / 3)));
  return `${plain(value / 1000 ** step, 3)} ${["J", "mJ", "µJ", "nJ", "pJ", "fJ"][-step]}`;
}

// The circuit as a state machine: states on a circle, by frequency.
function machine(m) {
  const box = el("div"), holds = (s) => Object.entries(s.holds).map(([id, what]) => `${id} ${what}`).join(", ") || "at rest";
  const listed = table([{ text: "state", left: true }, { text: "holds", left: true }, "share"], m.states.map((s, k) => [`${s.name}${k === m.start ? " (start)" : ""}`, holds(s), `${(100 * s.share).toFixed(1)} %`]), { class: "wordy" });
  const moves = table([{ text: "in", left: true }, { text: "comes", left: true }, { text: "goes to", left: true }, "probability", "seen", { text: "answers", left: true }],
    m.transitions.map((t) => [m.states[t.source].name, t.symbol, m.states[t.target].name, number(t.probability, 2), count(t.count), Object.entries(t.answers).filter(([, p]) => p >= 0.05).map(([port, p]) => `${port} ${(100 * p).toFixed(0)} %`).join(", ")]));
  queueMicrotask(() => chart(box, (width, host) => drawMachine(width, host, m)));
  return titled("As a state machine", `states held between symbols; ${(100 * m.explained).toFixed(0)} % of its steps are the likeliest ones`,
    el("div", { class: "wide" }, el("div", {}, box, el("p", { class: "note" }, `Arrows: at least ${(100 * minimumShown(m)).toFixed(0)} % of what a symbol does in a state, faint where it is not sure. Strong circle: where it starts.`)), listed), el("details", {}, el("summary", {}, "All transitions"), el("div", { class: "scroll", tabindex: 0 }, moves)));
}

// Among many states only the likelier transitions can be told apart.
const minimumShown = (m) => (m.states.length > 4 ? 0.25 : 0.05);

function drawMachine(width, host, m) {
  const n = m.states.length, w = Math.min(width, 680), R = n === 1 ? 0 : Math.min(w / 2 - 70, 44 + n * 26), high = 2 * R + 150, cx = w / 2, cy = high / 2, r = 21;
  const at = m.states.map((_, k) => [cx - R * Math.cos((2 * Math.PI * k) / n), cy - R * Math.sin((2 * Math.PI * k) / n)]);
  const svg = d3.select(host).append("svg").attr("width", w).attr("height", high).attr("viewBox", `0 0 ${w} ${high}`).attr("class", "machine").attr("role", "img").attr("aria-label", `State machine of ${n} states`);
  const minimum = minimumShown(m), merged = d3.rollups(m.transitions.filter((t) => t.probability >= minimum), (list) => ({ labels: list.map((t) => t.symbol + (t.probability < 0.95 ? ` ${(100 * t.probability).toFixed(0)} %` : "")), p: d3.max(list, (t) => t.probability) }), (t) => `${t.source} ${t.target}`);
  for (const [pair, { labels, p }] of merged) {
    const [a, b] = pair.split(" ").map(Number), [x0, y0] = at[a], [x1, y1] = at[b];
    let d, tx, ty, ux, uy, ex, ey, anchor = "middle";
    if (a === b) {
      const ox = n === 1 ? 0 : (x0 - cx) / R, oy = n === 1 ? -1 : (y0 - cy) / R, s = r + 2, px = -oy, py = ox;
      const sx = x0 + ox * s * 0.8 - px * s * 0.6, sy = y0 + oy * s * 0.8 - py * s * 0.6;
      ex = x0 + ox * s * 0.8 + px * s * 0.6; ey = y0 + oy * s * 0.8 + py * s * 0.6;
      d = `M${sx},${sy}C${x0 + ox * 62 - px * 30},${y0 + oy * 62 - py * 30} ${x0 + ox * 62 + px * 30},${y0 + oy * 62 + py * 30} ${ex},${ey}`;
      tx = x0 + ox * 60; ty = y0 + oy * 60; ux = -ox; uy = -oy;
    } else {
      const dx = x1 - x0, dy = y1 - y0, len = Math.hypot(dx, dy), mx = (x0 + x1) / 2 + dy * 0.17, my = (y0 + y1) / 2 - dx * 0.17;
      const towards = (x, y) => { const q = Math.hypot(mx - x, my - y); return [x + ((mx - x) / q) * (r + 3), y + ((my - y) / q) * (r + 3)]; };
      const [sx, sy] = towards(x0, y0);
      [ex, ey] = towards(x1, y1);
      const q = Math.hypot(ex - mx, ey - my);
      ux = (ex - mx) / q; uy = (ey - my) / q;
      d = `M${sx},${sy}Q${mx},${my} ${ex},${ey}`;
      tx = 0.4 * x0 + 0.47 * mx + 0.13 * x1 + (dy / len) * 7; ty = 0.4 * y0 + 0.47 * my + 0.13 * y1 - (dx / len) * 9; anchor = Math.abs(dy) < 0.5 * len ? "middle" : dy > 0 ? "start" : "end";
    }
    const g = svg.append("g").attr("opacity", 0.35 + 0.65 * p);
    g.append("path").attr("class", "v").attr("d", d);
    g.append("path").attr("fill", "var(--ink)").attr("d", `M${ex},${ey}L${ex - ux * 8 - uy * 4},${ey - uy * 8 + ux * 4}L${ex - ux * 8 + uy * 4},${ey - uy * 8 - ux * 4}Z`);
    svg.append("text").attr("x", tx).attr("y", ty + 4).attr("text-anchor", anchor).text(clipped(labels.join(", "), 26));
  }
  m.states.forEach((s, k) => {
    svg.append("circle").attr("cx", at[k][0]).attr("cy", at[k][1]).attr("r", r).attr("fill", "var(--ground)").attr("stroke", "var(--ink)").attr("stroke-width", k === m.start ? 2.6 : 1.3)
      .on("pointerenter", (event) => tip.show(event, s.name, [["share", `${(100 * s.share).toFixed(1)} %`], ...Object.entries(s.holds)])).on("pointerleave", () => tip.hide());
    svg.append("text").attr("x", at[k][0]).attr("y", at[k][1] + 4).attr("text-anchor", "middle").style("fill", "var(--ink)").style("pointer-events", "none").text(clipped(s.name, 6));
  });
}
