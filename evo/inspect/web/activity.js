// Activity: of the circuit in some trials, and over all of them.
import { chart, chosen, clipped, count, data, el, frame, number, on, padded, plain, running, section, tell, tip, titled, withUnit } from "./tools.js";
import { nameOf, sign, title } from "./wiring.js";
import { pickNeuron, reach } from "./circuit.js";

export function drawActivity() {
  const body = section("activity"), trials = data.trials, dt = data.task.dt_ms;
  const nothing = el("p", { class: "note" }, data.task.judge
    ? `Nothing to show: circuits are judged by ${data.task.judge}, not on trials of a task.`
    : data.task.own
    ? "No trials to show: the code of a task that does not ship is never executed for a page."
    : data.task.of_data ? "No trials to show: the data are kept with the run, not with the motif."
    : "No trials to show: the motif does not say what it was evolved for.");
  const rasters = el("div", { id: "rasters" }), traces = el("div", { id: "traces" }), over = el("div", { id: "statistics" });
  const chips = el("div", { class: "chips", id: "trials", role: "group", "aria-label": "Trials" });
  const which = el("span");
  if (!trials.labels.length) body.append(nothing);
  else {
    body.append(el("div", { class: "controls" }, "trials", chips), rasters,
      el("p", { class: "note" }, trials.closed
        ? "A closed loop: the inputs are what this circuit's own outputs made of them."
        : data.task.own ? "Inputs as the task drew them; in a closed loop they are what a body that stood still would meet." : "Held-out trials: the search never saw them.",
        data.model.noise_mv ? " The membrane noise is one draw." : ""),
      el("div", { class: "gap" }, which, traces));
    trials.labels.forEach((label, k) => chips.append(el("button", { type: "button", "aria-pressed": "false", "data-trial": k, onclick: () => toggle(k) }, trialName(k))));
  }
  body.append(over);
  const first = d3.range(trials.labels.length).filter((k) => trials.labels.indexOf(trials.labels[k]) === k).slice(0, 4);
  chosen.trials = first.length < 2 ? d3.range(Math.min(2, trials.labels.length)) : first;
  let again = [];
  function toggle(k) {
    chosen.trials = chosen.trials.includes(k) ? chosen.trials.filter((t) => t !== k) : [...chosen.trials, k].sort(d3.ascending);
    tell("trials");
  }
  function all() {
    for (const b of chips.children) b.setAttribute("aria-pressed", String(chosen.trials.includes(Number(b.dataset.trial))));
    again.forEach((act) => act());
  }
  on("circuit", () => {
    const a = chosen.circuit.activity;
    const n = chosen.neuron - chosen.circuit.inputs.length;
    chosen.trace = d3.greatest(a?.traces?.trials ?? [0], (t) => a?.spikes[t]?.[n].length ?? 0);
    again = a ? [chart(rasters, drawRasters), ...(a.traces ? [chart(traces, drawTraces)] : [])] : [];
    if (!a) {
      rasters.replaceChildren(...(trials.labels.length ? [el("p", { class: "note" }, "Not computed yet: the run is not finished.")] : []));
      traces.replaceChildren();
    } else if (!a.traces) traces.replaceChildren(el("p", { class: "note" }, "Membrane potentials are left out for circuits far down the front, which keeps the page small."));
    which.replaceChildren();
    for (const b of chips.children) b.setAttribute("aria-pressed", String(chosen.trials.includes(Number(b.dataset.trial))));
    chart(over, (_, host) => host.append(statistics()));
  });
  on("trials", all);
  on("neuron", () => {
    rasters.querySelectorAll("g.row").forEach((g) => g.classList.toggle("here", Number(g.dataset.node) === chosen.neuron));
    if (chosen.circuit.activity?.traces?.v[0][chosen.neuron - chosen.circuit.inputs.length]) again[1]?.();
  });
  on("light", (nodes) => rasters.querySelectorAll("g.row").forEach((g) => g.classList.toggle("pointed", nodes.length === 1 && nodes[0] === Number(g.dataset.node))));
}

function trialName(k) {
  const label = data.trials.labels[k];
  if (typeof label === "string") return label;
  const before = data.trials.labels.slice(0, k).filter((l) => l === label).length;
  return before ? `class ${label} (${before + 1})` : `class ${label}`;
}

function trialTitle(k) {
  const wanted = data.task.wanted[data.trials.labels[k]] ?? [];
  return trialName(k) + (wanted.length ? `, wanted: ${wanted.join(" or ")}` : "");
}

const APART = 28; // between trials side by side

// Inputs on top, then neurons, output neurons last.
function rowsOf(c) {
  const inputs = c.inputs.length, neurons = d3.range(c.neurons.length), read = (k) => c.neurons[k].ports.length > 0;
  return [...d3.range(inputs), ...neurons.filter((k) => !read(k)).map((k) => inputs + k), ...neurons.filter(read).map((k) => inputs + k)];
}

function stepsOf(c, trial, node) {
  const inputs = c.inputs.length;
  if (node < inputs) return running((c.activity.heard ?? data.trials.inputs)[trial][node]);
  return running(c.activity.spikes[trial][node - inputs]);
}

function drawRasters(width, host) {
  const c = chosen.circuit, rows = rowsOf(c), dt = data.task.dt_ms, length = data.trials.steps * dt;
  if (!chosen.trials.length) return host.append(el("p", { class: "note" }, "Choose a trial."));
  const small = rows.length > 30, tall = small ? 9 : rows.length > 18 ? 13 : 16;
  const labels = rows.map((k) => clipped(nameOf(c, k) + (k >= c.inputs.length && c.neurons[k - c.inputs.length].ports.length ? ` ${c.neurons[k - c.inputs.length].ports.join(", ")}` : ""), 18));
  const left = 12 + d3.max(labels, (l) => l.length) * (small ? 4.8 : 6.1), per = Math.max(1, Math.min(chosen.trials.length, Math.floor((width - left) / 250)));
  const panel = Math.min(520, (width - left - 10 - APART * (per - 1)) / per), lines = Math.ceil(chosen.trials.length / per), block = rows.length * tall + 58;
  const svg = d3.select(host).append("svg").attr("class", `spikes${small ? " small" : ""}`).attr("width", width).attr("height", lines * block).attr("viewBox", `0 0 ${width} ${lines * block}`).attr("role", "group").attr("aria-label", "Rasters");
  const traced = c.activity.traces?.trials ?? [];
  for (let line = 0; line < lines; line++) {
    const trialsInLine = chosen.trials.slice(line * per, line * per + per), top = line * block + 22;
    rows.forEach((node, k) => {
      const kind = node < c.inputs.length ? "inp" : sign(c, node) === "E" ? "exc" : "inh";
      const g = svg.append("g").attr("class", `row ${kind}${node === chosen.neuron ? " here" : ""}`).attr("data-node", node);
      const y = top + k * tall;
      g.append("rect").attr("class", "lane").attr("x", 0).attr("y", y).attr("width", width).attr("height", tall);
      const text = g.append("text").attr("x", left - 8).attr("y", y + tall / 2 + (small ? 3 : 3.8)).attr("text-anchor", "end").text(labels[k]);
      if (kind !== "inp") text.attr("tabindex", line ? null : 0).attr("role", "button").on("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pickNeuron(node); } });
      g.on("click", () => pickNeuron(node)).on("pointerenter", () => reach(node, null)).on("pointerleave", () => tell("light", [], []));
      trialsInLine.forEach((trial, j) => {
        const x = d3.scaleLinear([0, length], [left + j * (panel + APART), left + j * (panel + APART) + panel]);
        const d = stepsOf(c, trial, node).map((s) => `M${x((s + 1) * dt).toFixed(1)},${y + 0.14 * tall}v${(0.72 * tall).toFixed(1)}`).join("");
        if (d) g.append("path").attr("d", d);
      });
    });
    trialsInLine.forEach((trial, j) => {
      const from = left + j * (panel + APART), x = d3.scaleLinear([0, length], [from, from + panel]);
      const name = svg.append("text").attr("class", `title${trial === chosen.trace && traced.length ? " here" : ""}`).attr("x", from).attr("y", top - 8).text(clipped(trialTitle(trial), Math.max(16, Math.floor(panel / 6))));
      if (traced.includes(trial)) name.on("click", () => { chosen.trace = trial; tell("trials"); });
      svg.append("line").attr("class", "rule").attr("x1", from).attr("x2", from + panel).attr("y1", top + c.inputs.length * tall).attr("y2", top + c.inputs.length * tall);
      svg.append("g").attr("class", "axis").attr("transform", `translate(0,${top + rows.length * tall + 3})`).call(d3.axisBottom(x).ticks(Math.max(2, Math.floor(panel / 80))).tickSizeInner(4).tickSizeOuter(0));
      svg.append("text").attr("x", from + panel).attr("y", top + rows.length * tall + 34).attr("text-anchor", "end").text("time, ms");
    });
  }
}

function trace([low, step, differences]) {
  return running(differences).map((level) => low + step * level);
}

function drawTraces(width, host) {
  const c = chosen.circuit, t = c.activity.traces, n = chosen.neuron - c.inputs.length, dt = data.task.dt_ms;
  if (n < 0 || !t.v[0][n]) return;
  const at = Math.max(0, t.trials.indexOf(chosen.trace)), trial = t.trials[at], neuron = c.neurons[n];
  const pick = el("select", { id: "traced", "aria-label": "trial", onchange: (event) => { chosen.trace = Number(event.target.value); tell("trials"); } }, ...t.trials.map((k) => el("option", { value: k, selected: k === trial }, trialName(k))));
  const who = el("select", { id: "neuron", "aria-label": "neuron", onchange: (event) => pickNeuron(Number(event.target.value)) }, ...c.neurons.map((other, k) => el("option", { value: c.inputs.length + k, selected: k === n }, `${other.id}${other.ports.length ? ` (${other.ports.join(", ")})` : ""}`)));
  host.append(el("h3", {}, `Inside ${title(c, chosen.neuron)}`, el("small", {}, trialName(trial))), el("div", { class: "controls" }, el("label", {}, "neuron", who), el("label", {}, "trial", pick)));
  const above = el("div"), below = el("div");
  host.append(above, below);
  const length = data.trials.steps * dt, v = trace(t.v[at][n]), e = trace(t.e[at][n]), i = trace(t.i[at][n]);
  const time = (k) => (k + 1) * t.stride * dt, spikes = stepsOf(c, trial, chosen.neuron).map((s) => (s + 1) * dt);
  const threshold = neuron.p[data.model.parameters.findIndex((p) => p.name === "v_th_mv" || p.name === "v_peak_mv")];
  const x = d3.scaleLinear([0, length], [0, 1]);
  const yv = d3.scaleLinear(padded(d3.extent([...v, ...(threshold === undefined ? [] : [threshold])]), 0.08), [0, 1]);
  const upper = frame(above, { width, height: 170, left: 56, x, y: yv, yLabel: "potential, mV", xLabel: "", bottom: 20, top: 14, alt: `Membrane potential of ${neuron.id}` });
  if (threshold !== undefined) upper.plot.append("line").attr("class", "th").attr("x1", x(0)).attr("x2", x(length)).attr("y1", yv(threshold)).attr("y2", yv(threshold));
  upper.plot.append("path").attr("class", "v").attr("d", d3.line().x((_, k) => x(time(k))).y((value) => yv(value))(v));
  for (const s of spikes) upper.plot.append("line").attr("class", "v").attr("x1", x(s)).attr("x2", x(s)).attr("y1", 2).attr("y2", 11);
  const yi = d3.scaleLinear(padded(d3.extent([0, ...e, ...i])), [0, 1]);
  const lower = frame(below, { width, height: 150, left: 56, x, y: yi, yLabel: "currents, mV", xLabel: "time, ms", top: 6, alt: `Excitatory and inhibitory current of ${neuron.id}` });
  lower.plot.append("line").attr("class", "zero").attr("x1", x(0)).attr("x2", x(length)).attr("y1", yi(0)).attr("y2", yi(0));
  lower.plot.append("path").attr("class", "ie").attr("d", d3.line().x((_, k) => x(time(k))).y((value) => yi(value))(e));
  lower.plot.append("path").attr("class", "ii").attr("d", d3.line().x((_, k) => x(time(k))).y((value) => yi(value))(i));
  for (const panel of [upper, lower]) {
    const cursor = panel.plot.append("line").attr("class", "cursor").attr("y1", panel.top).attr("y2", panel.height - panel.bottom).attr("visibility", "hidden");
    panel.cursor = cursor;
    panel.svg.on("pointermove", (event) => {
      const ms = x.invert(d3.pointer(event)[0]), k = Math.max(0, Math.min(v.length - 1, Math.round(ms / dt / t.stride) - 1));
      if (ms < 0 || ms > length) return;
      for (const panel of [upper, lower]) panel.cursor.attr("visibility", "visible").attr("x1", x(time(k))).attr("x2", x(time(k)));
      tip.show(event, `${plain(time(k))} ms`, [["potential", `${number(v[k], 1)} mV`], ["E current", `${number(e[k], 2)} mV`], ["I current", `${number(i[k], 2)} mV`]]);
    }).on("pointerleave", () => { for (const panel of [upper, lower]) panel.cursor.attr("visibility", "hidden"); tip.hide(); });
  }
  host.append(el("p", { class: "note" }, "Currents times membrane resistance: excitatory up, inhibitory down. Ticks on top: spikes. Dashed: threshold."));
}

// Rates and other statistics: over all held-out trials if the run has analysed them, else over the trials shown.
function statistics() {
  const c = chosen.circuit, all = c.analysis?.activity, few = c.activity, tuning = c.analysis?.tuning;
  const source = all ?? few, overTrials = c.analysis?.trials ? `over ${count(c.analysis.trials)} held-out trials` : "over all held-out trials";
  const host = el("div", { class: "halves gap" });
  if (!source) return host;
  const inner = el("div"), small = all ? overTrials : "in the trials above";
  host.append(titled("Firing", `mean rate, and irregularity of intervals (CV), ${small}`, inner,
    all && all.synchrony !== null ? el("p", { class: "note", id: "synchrony" }, `Synchrony χ = ${number(all.synchrony, 2)} in bins of ${plain(all.bin_ms)} ms (0 independent, 1 in step).`) : null));
  queueMicrotask(() => chart(inner, (width, at) => firing(at, width, c, source)));
  if (tuning && tuning.x.length > 1) {
    const box = el("div", { id: "tuning" });
    host.append(titled("Tuning", "spikes per trial of each output, 95 %", box));
    queueMicrotask(() => chart(box, (width, at) => curves(at, width, tuning.x, Object.entries(tuning.outputs).map(([name, b]) => ({ name, y: b.mean, low: b.low, high: b.high })), { xLabel: withUnit(tuning.variable), yLabel: "spikes per trial", floor: 0 })));
  }
  if (all?.spectrum) {
    const box = el("div", { id: "spectrum" });
    host.append(titled("Spectrum", "of all spikes together, relative to random spikes", box));
    queueMicrotask(() => chart(box, (width, at) => {
      const x = d3.scaleLinear([0, d3.max(all.spectrum.hz)], [0, 1]), y = d3.scaleLinear([0, d3.max(all.spectrum.power) * 1.05], [0, 1]);
      const { plot } = frame(at, { width, height: 210, x, y, xLabel: "frequency, Hz", yLabel: "power", alt: "Spectrum" });
      plot.append("line").attr("class", "zero").attr("x1", x(0)).attr("x2", x(x.domain()[1])).attr("y1", y(1)).attr("y2", y(1));
      plot.append("path").attr("class", "line strong").attr("d", d3.line().x((_, k) => x(all.spectrum.hz[k])).y((p) => y(p))(all.spectrum.power));
    }));
  }
  return host;
}

function firing(host, width, c, source) {
  const rows = rowsOf(c).filter((k) => k >= c.inputs.length), tall = rows.length > 24 ? 13 : 20, left = 12 + 6.4 * Math.max(4, d3.max(rows, (k) => clipped(nameOf(c, k), 14).length));
  const highest = d3.max(source.rate_hz) || 1, x = d3.scaleLinear([0, highest], [0, Math.max(20, width - left - 128)]);
  const svg = d3.select(host).append("svg").attr("id", "rates").attr("width", width).attr("height", rows.length * tall + 4).attr("viewBox", `0 0 ${width} ${rows.length * tall + 4}`).attr("role", "img").attr("aria-label", "Mean rates");
  rows.forEach((node, k) => {
    const n = node - c.inputs.length, rate = source.rate_hz[n], cv = source.cv[n], y = k * tall;
    const g = svg.append("g").attr("data-node", node).on("pointerenter", () => reach(node, null)).on("pointerleave", () => tell("light", [], [])).on("click", () => pickNeuron(node)).style("cursor", "pointer");
    g.append("text").attr("x", left - 8).attr("y", y + tall / 2 + 4).attr("text-anchor", "end").text(clipped(nameOf(c, node), 14));
    g.append("rect").attr("class", `rate ${sign(c, node) === "E" ? "exc" : "inh"}`).attr("x", left).attr("y", y + 3).attr("height", tall - 6).attr("width", Math.max(1, x(rate))).attr("rx", 2);
    g.append("text").attr("x", left + x(rate) + 7).attr("y", y + tall / 2 + 4).text(`${plain(rate, 3)} Hz${cv === null ? "" : `, CV ${number(cv, 2)}`}`);
  });
}

// Curves with confidence bands and their names at the end.
export function curves(host, width, xs, lines, { xLabel, yLabel, floor, ceiling, height = 220, dots = true }) {
  const every = lines.flatMap((l) => [...l.y, ...(l.low ?? []), ...(l.high ?? [])]);
  const domain = [floor ?? d3.min(every), ceiling ?? (d3.max(every) * 1.06 || 1)];
  const named = lines.length > 1, right = named ? 16 + 6.4 * d3.max(lines, (l) => clipped(l.name, 12).length) : 14;
  const x = d3.scaleLinear(xs.length > 1 ? d3.extent(xs) : padded(d3.extent(xs)), [0, 1]), y = d3.scaleLinear(domain, [0, 1]);
  const few = xs.length <= 8 && xs.every(Number.isInteger);
  if (few) x.ticks = () => xs;
  const { plot } = frame(host, { width, height, x, y, xLabel, yLabel, right, xFormat: few ? (v) => String(v) : undefined, alt: `${yLabel} against ${xLabel}` });
  const ends = lines.map((l) => y(l.y[l.y.length - 1])), order = d3.range(lines.length).sort((a, b) => ends[a] - ends[b]);
  let last = -Infinity;
  const at = {};
  for (const k of order) last = at[k] = Math.max(ends[k], last + 11.5);
  lines.forEach((l, k) => {
    const hue = named ? `k${k % 8}` : "strong";
    if (l.low) plot.append("path").attr("class", `band ${named ? hue : ""}`).attr("d", d3.area().x((_, j) => x(xs[j])).y0((_, j) => y(l.low[j])).y1((_, j) => y(l.high[j]))(l.y));
    plot.append("path").attr("class", `line ${hue}`).attr("d", d3.line().x((_, j) => x(xs[j])).y((v) => y(v))(l.y));
    if (dots) l.y.forEach((v, j) => plot.append("circle").attr("class", named ? `held ${hue}` : "").attr("fill", named ? null : "var(--ink)").attr("r", 2.6).attr("cx", x(xs[j])).attr("cy", y(v)).attr("tabindex", null)
      .on("pointerenter", (event) => tip.show(event, l.name || yLabel, [[xLabel, plain(xs[j])], [yLabel, l.low ? `${plain(v, 3)} (${plain(l.low[j], 3)}–${plain(l.high[j], 3)})` : plain(v, 3)]])).on("pointerleave", () => tip.hide()));
    if (named) plot.append("text").attr("class", hue).attr("x", width - right + 8).attr("y", at[k] + 3.5).text(clipped(l.name, 12));
  });
}
