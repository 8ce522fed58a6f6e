// The score over a range of one parameter, as a curve, or of two, as a map; and without each part.
import { $, chart, data, el, number, on, plain, tip } from "../page/tools.js";
import { curves } from "../page/activity.js";
import { bars } from "../page/run.js";
import { synapseName } from "../page/wiring.js";
import { request } from "./asking.js";
import { query, bench } from "./bench.js";

const POINTS = 41, SIDE = 17;

// All parameters with a range: name, edit without its value, key of the value, range, current value.
function variables() {
  const c = bench.now, list = [{ name: "membrane noise, mV", edit: { edit: "noise" }, key: "mv", range: [0, 5], at: c.noise_mv }];
  c.synapses.forEach((s, k) => {
    list.push({ name: `weight of ${synapseName(c, s)}, mV`, edit: { edit: "weight", synapse: k }, key: "mv", range: [0, Math.max(2 * s[2], 20)], at: s[2] });
    list.push({ name: `delay of ${synapseName(c, s)}, ms`, edit: { edit: "delay", synapse: k }, key: "ms", range: [data.task.dt_ms, Math.max(2 * s[3], 20)], at: s[3] });
  });
  c.neurons.forEach((n, k) => data.model.parameters.forEach((p, j) => {
    const [low, high] = data.ranges[p.name], v = n.p[j];
    list.push({ name: `${p.name.replace(/_(ms|mv)$/, "")} of ${n.id}${/_ms$/.test(p.name) ? ", ms" : /_mv$/.test(p.name) ? ", mV" : ""}`, edit: { edit: "set", neuron: c.ids[k], parameter: p.name }, key: "value", range: /^v_|bias/.test(p.name) ? [v - 10, v + 10] : [Math.max(low, v / 4), Math.min(high, Math.max(3 * v, 1))], at: v });
  }));
  return list;
}

export function drawSweep() {
  const body = $("sweep").querySelector(".body"), box = el("div", { id: "swept" });
  const first = el("select", { id: "along", "aria-label": "Sweep" }), second = el("select", { id: "against", "aria-label": "against" });
  const go = el("button", { type: "button", id: "go", onclick: sweep }, "Sweep"), all = el("button", { type: "button", id: "lesions", onclick: lesions }, "Score without each part");
  body.append(el("div", { class: "controls" }, el("label", {}, "score over", first), el("label", {}, "and", second), go, all), box);
  let known = [];
  on("circuit", () => {
    $("sweep").hidden = !bench.now.score;
    known = variables();
    const names = known.map((v) => v.name), text = JSON.stringify(names);
    if (first.dataset.has === text) return;
    first.dataset.has = text;
    const kept = [first.value, second.value];
    first.replaceChildren(...names.map((n) => el("option", {}, n)));
    second.replaceChildren(el("option", { value: "" }, "nothing else"), ...names.map((n) => el("option", {}, n)));
    first.value = names.includes(kept[0]) ? kept[0] : names[Math.min(1, names.length - 1)];
    second.value = names.includes(kept[1]) ? kept[1] : "";
  });
  on("selected", () => {
    const k = bench.selected?.synapse;
    const variable = k === undefined ? null : known.find((v) => v.edit.edit === "weight" && v.edit.synapse === k);
    if (variable) first.value = variable.name;
  });
  on("source", () => box.replaceChildren());

  async function sweep() {
    const picks = [first.value, second.value].filter(Boolean).map((name) => known.find((v) => v.name === name)).filter((v, k, list) => v && list.indexOf(v) === k);
    const count = picks.length === 1 ? POINTS : SIDE;
    const along = picks.map((v) => ({ edit: v.edit, key: v.key, values: d3.range(count).map((k) => v.range[0] + ((v.range[1] - v.range[0]) * k) / (count - 1)) }));
    go.disabled = true;
    const answer = await request("bench/sweep", { ...query(), along });
    go.disabled = false;
    if (!answer) return;
    chart(box, (width, host) => (picks.length === 1 ? curve : map)(host, Math.min(width, picks.length === 1 ? 760 : 560), picks, answer));
  }
  async function lesions() {
    all.disabled = true;
    const answer = await request("bench/lesions", query());
    all.disabled = false;
    if (!answer) return;
    const c = bench.now, base = c.score.score;
    const rows = [...c.neurons.map((n, k) => [n.id, answer.neurons[k]]), ...c.synapses.map((s, k) => [synapseName(c, s), answer.synapses[k]])].sort((a, b) => a[1] - b[1]);
    chart(box, (width, host) => {
      host.append(el("h3", {}, "Without each part", el("small", {}, `the score; whole: ${number(base)}`)));
      bars(host, Math.min(width, 620), rows, (v) => `${number(v)} (${v - base > 0 ? "+" : ""}${number(v - base)})`);
    });
  }
}

function curve(host, width, [v], { values: [xs], scores }) {
  const at = d3.range(xs.length).filter((k) => scores[k] !== null);
  curves(host, width, at.map((k) => xs[k]), [{ name: "", y: at.map((k) => scores[k]) }], { xLabel: v.name, yLabel: "score", floor: 0, ceiling: 1.03 });
  host.append(el("p", { class: "note" }, `It is ${plain(v.at)} now, with a score of ${number(bench.now.score.score)}.${at.length < xs.length ? ` ${xs.length - at.length} values cannot be.` : ""}`));
}

function map(host, width, [a, b], { values: [xs, ys], scores }) {
  const left = 60, bottom = 44, top = 8, side = (width - left - 14) / xs.length, high = side * ys.length * 0.75;
  const x = d3.scaleLinear([xs[0], xs[xs.length - 1]], [left + side / 2, width - 14 - side / 2]), y = d3.scaleLinear([ys[0], ys[ys.length - 1]], [top + high - side * 0.375, top + side * 0.375]);
  const svg = d3.select(host).append("svg").attr("width", width).attr("height", top + high + bottom).attr("viewBox", `0 0 ${width} ${top + high + bottom}`).attr("role", "img").attr("aria-label", `Score over ${a.name} and ${b.name}`);
  scores.forEach((s, k) => {
    const i = Math.floor(k / ys.length), j = k % ys.length;
    svg.append("rect").attr("x", x(xs[i]) - side / 2).attr("y", y(ys[j]) - side * 0.375).attr("width", side + 0.5).attr("height", side * 0.75 + 0.5).attr("fill", s === null ? "none" : d3.interpolateViridis(s))
      .on("pointerenter", (event) => tip.show(event, s === null ? "cannot be" : `score ${number(s)}`, [[a.name, plain(xs[i])], [b.name, plain(ys[j])]])).on("pointerleave", () => tip.hide());
  });
  svg.append("circle").attr("class", "ring").attr("cx", x(a.at)).attr("cy", y(b.at)).attr("r", 6);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${top + high})`).call(d3.axisBottom(x).ticks(6).tickSizeOuter(0));
  svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`).call(d3.axisLeft(y).ticks(6).tickSizeOuter(0));
  svg.append("text").attr("class", "label").attr("x", (left + width) / 2).attr("y", top + high + 36).attr("text-anchor", "middle").text(a.name);
  svg.append("text").attr("class", "label").attr("transform", `translate(12,${top + high / 2}) rotate(-90)`).attr("text-anchor", "middle").text(b.name);
  host.append(el("p", { class: "note" }, `Dark blue: 0, chance; yellow: 1, perfect. The ring: as it is now. Best: ${number(d3.max(scores))}.`));
}
