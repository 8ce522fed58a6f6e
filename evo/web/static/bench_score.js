// The score of the circuit, compared with that of the original; and all trials at once.
import { $, chart, chosen, count, data, el, number, on, withUnit } from "../page/tools.js";
import { curves } from "../page/activity.js";
import { request } from "./asking.js";
import { query, bench, update } from "./bench.js";

const ROW = 4; // pixels of a trial

export function drawScore() {
  const box = el("div", { id: "tuned" });
  on("circuit", () => {
    const now = bench.now, was = bench.original, host = $("score");
    if (!now.score) {
      host.replaceChildren(data.asks ? permission() : el("p", { class: "note" }, data.task.name && data.task.judge ? `Circuits are judged by ${data.task.judge}, which the bench cannot ask.` : data.unfit ? `No score: ${data.unfit}` : "No score: choose a task that the circuit fits."), tasks());
      $("every").hidden = true;
      return;
    }
    const change = was?.score ? now.score.score - was.score.score : 0;
    host.replaceChildren(
      el("div", { class: "big" }, el("b", { id: "value" }, number(now.score.score)), el("span", { class: Math.abs(change) < 5e-4 ? "" : change < 0 ? "worse" : "better" }, Math.abs(change) < 5e-4 ? "as the original" : `${change > 0 ? "+" : ""}${number(change)} against ${number(was.score.score)}`)),
      scale(now.score, was?.score),
      el("p", { class: "note" }, `${count(now.score.trials)} held-out trials${now.score.low === null ? "" : `, 95 %: ${number(now.score.low)} to ${number(now.score.high)}`}.${now.score.conditions.length > 1 ? ` Worst: ${worst(now.score.conditions)}.` : ""}`),
      tasks(), box);
    const t = now.tuning, before = was?.tuning;
    chart(box, (width, at) => {
      if (t.x.length < 2) return;
      const lines = Object.entries(t.outputs).map(([name, b]) => ({ name, y: b.mean, low: b.low, high: b.high }));
      if (before && JSON.stringify(before.x) === JSON.stringify(t.x) && bench.shown.length) lines.push(...Object.entries(before.outputs).map(([name, b]) => ({ name: `${name}, was`, y: b.mean })));
      at.append(el("h3", {}, "Tuning", el("small", {}, "spikes per trial of each output")));
      curves(at, width, t.x, lines, { xLabel: withUnit(t.variable), yLabel: "spikes per trial", floor: 0, height: 170 });
    });
    every(now.every);
  });
}

function worst(conditions) {
  const lowest = d3.least(conditions, (c) => c.score);
  return `${number(lowest.score)}, ${lowest.name}`;
}

// The score on a line from 0 to 1, with its interval; the ring is the original.
function scale(now, was) {
  const width = 300, x = d3.scaleLinear([0, 1], [6, width - 6]);
  const svg = d3.create("svg").attr("width", width).attr("height", 26).attr("viewBox", `0 0 ${width} 26`).attr("role", "img").attr("aria-label", `score ${number(now.score)}`);
  svg.append("line").attr("class", "rule").attr("x1", x(0)).attr("x2", x(1)).attr("y1", 13).attr("y2", 13);
  if (now.low !== null) svg.append("line").attr("class", "v").attr("stroke-width", 4).attr("x1", x(now.low)).attr("x2", x(now.high)).attr("y1", 13).attr("y2", 13);
  if (was) svg.append("circle").attr("class", "ring").attr("cx", x(was.score)).attr("cy", 13).attr("r", 7);
  svg.append("circle").attr("fill", "var(--ink)").attr("cx", x(now.score)).attr("cy", 13).attr("r", 4.5);
  return svg.node();
}

function tasks() {
  const again = async () => { bench.original = null; if (bench.edits.length) bench.original = await request("bench", query([])) ?? null; await update(); };
  const trials = el("select", { "aria-label": "Number of trials", onchange: () => { bench.trials = Number(trials.value); again(); } }, ...[64, 256, 1024].map((n) => el("option", { value: n, selected: n === bench.trials }, `${n} trials`)));
  const names = [...new Set([data.task.name, ...data.tasks].filter(Boolean))];
  const task = el("select", { "aria-label": "Task", onchange: async () => { bench.task = task.value === data.settings.name ? null : { name: task.value }; const { open } = await import("./bench.js"); open(bench.source, bench.edits); } }, ...(names.length ? [] : [el("option", {}, "no task fits")]), ...names.map((n) => el("option", { value: n, selected: n === (bench.task?.name ?? data.task.name) }, n)));
  return el("div", { class: "controls" }, el("label", {}, "task", task), trials);
}

function permission() {
  const run = async () => { if (await request("allow", { run: bench.source.run })) { const { open } = await import("./bench.js"); open(bench.source, bench.edits); } };
  return el("div", { class: "asks" }, el("p", {}, `The score comes from this run's own code, ${data.task.name}. The lab has not executed it.`), el("button", { type: "button", id: "allow", onclick: run }, "Execute the task's code in this folder"));
}

// A line for each trial, for the outputs and the selected neuron; wrong trials are marked on the left.
function every(all) {
  $("every").hidden = false;
  const body = $("every").querySelector(".body");
  const host = body.firstElementChild ?? body.appendChild(el("div"));
  chart(host, (width, at) => {
    const c = bench.now, inputs = c.inputs.length, read = c.neurons.map((_, k) => k).filter((k) => c.neurons[k].ports.length);
    const neurons = [...new Set([...read, chosen.neuron - inputs])].filter((k) => k >= 0), high = all.labels.length * ROW + 26;
    const per = Math.max(1, Math.min(neurons.length, Math.floor(width / 260))), panel = Math.min(620, (width - 14 * (per - 1)) / per), ratio = devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    at.append(el("div", { class: "panels" }, ...neurons.map((n) => {
      const canvas = el("canvas", { width: Math.round(panel * ratio), height: Math.round(high * ratio), role: "img", "aria-label": `Spikes of ${c.neurons[n].id} in ${all.labels.length} trials, sorted by class` });
      canvas.style.width = `${panel}px`;
      canvas.style.height = `${high}px`;
      const g = canvas.getContext("2d"), x = (step) => 14 + ((step + 1) / all.steps) * (panel - 16);
      g.scale(ratio, ratio);
      all.labels.forEach((label, t) => {
        const y = t * ROW + 2;
        if (t && label !== all.labels[t - 1]) { g.fillStyle = colour("--line"); g.fillRect(0, y - 1, panel, 1); }
        g.fillStyle = all.scores[t] >= 0.5 ? colour("--c2") : colour("--gone");
        all.scores[t] >= 0.5 ? g.fillRect(4, y + 1, 3, 2) : g.fillRect(1, y, 8, ROW - 0.6);
        g.fillStyle = c.neurons[n].sign === "E" ? colour("--e") : colour("--i");
        for (const step of all.spikes[t][n] ?? []) g.fillRect(x(step), y, 1.4, ROW - 0.6);
      });
      g.fillStyle = colour("--soft");
      g.font = "10.5px system-ui";
      g.fillText("0", 14, high - 8);
      g.textAlign = "right";
      g.fillText(`${Number((all.steps * data.task.dt_ms).toPrecision(6))} ms`, panel - 2, high - 8);
      return el("figure", {}, el("figcaption", {}, `${c.neurons[n].id}${c.neurons[n].ports.length ? `, output ${c.neurons[n].ports.join(", ")}` : ""}`), canvas);
    })), el("p", { class: "note" }, `All ${count(all.labels.length)} trials, sorted by class. On the left, wide and dark: less than half right; narrow: right.`));
  });
}
