// The stimulus: trials of the task, or spikes drawn by hand.
import { $, chart, data, el, load, on } from "../page/tools.js";
import { request } from "./asking.js";
import { query, bench, remember, update } from "./bench.js";

export function drawStimulus() {
  const body = $("stimulus").querySelector(".body");
  const lanes = el("div", { id: "lanes" }), mode = el("select", { id: "drawn", "aria-label": "Stimulus", onchange: () => set(mode.value === "hand" ? bench.stimulus ?? first() : null) }, el("option", { value: "" }, "trials of the task"), el("option", { value: "hand" }, "drawn by hand"));
  body.append(el("div", { class: "controls" }, el("label", {}, "shown below", mode), el("span", { class: "note" }, "The score is always that of the task's trials.")), lanes);
  on("source", () => { mode.value = bench.stimulus ? "hand" : ""; draw(); });

  const duration = () => data.trials.steps * data.task.dt_ms;
  const first = () => Object.fromEntries(data.task.inputs.map((name) => [name, []]));
  async function set(times) {
    bench.stimulus = times;
    remember();
    draw();
    const head = await request("bench/open", query([]));
    if (head) {
      load({ ...data, trials: head.trials });
      rebuild();
      await update();
    }
  }
  async function rebuild() {
    const { drawActivity } = await import("../page/activity.js");
    $("activity").replaceWith(el("section", { id: "activity" }, el("h2", {}, "Activity"), el("div", { class: "body" })));
    drawActivity();
  }
  async function change(name, times) {
    bench.stimulus = { ...bench.stimulus, [name]: [...new Set(times.filter((t) => t > 0 && t <= duration()).map((t) => Math.max(data.task.dt_ms, Math.round(t / data.task.dt_ms) * data.task.dt_ms)).map((t) => Number(t.toFixed(6))))].sort((a, b) => a - b) };
    remember();
    draw();
    const head = await request("bench/open", query([]));
    if (head) {
      load({ ...data, trials: head.trials });
      await update();
    }
  }
  function draw() {
    if (!bench.stimulus) return lanes.replaceChildren();
    lanes.replaceChildren(...data.task.inputs.map((name) => lane(name, bench.stimulus[name] ?? [])));
  }
  function lane(name, times) {
    const text = el("input", { type: "text", value: times.join(" "), "aria-label": `Spike times of ${name} in ms`, placeholder: "times in ms", onchange: () => change(name, text.value.split(/[\s,;]+/).filter(Boolean).map(Number).filter(Number.isFinite)) });
    const rate = el("input", { type: "number", min: 1, max: 1000, value: 40, "aria-label": `Rate for ${name} in Hz` });
    const regular = () => change(name, d3.range(1000 / Number(rate.value), duration(), 1000 / Number(rate.value)));
    const random = () => { const times = []; for (let t = 0; t < duration();) { t += (-Math.log(1 - Math.random()) * 1000) / Number(rate.value); times.push(t); } change(name, times); };
    const box = el("div");
    queueMicrotask(() => chart(box, (width, host) => {
      const x = d3.scaleLinear([0, duration()], [0, width - 2]);
      const svg = d3.select(host).append("svg").attr("class", "lane").attr("width", width).attr("height", 24).attr("viewBox", `0 0 ${width} 24`).attr("role", "img").attr("aria-label", `Spikes of ${name}`);
      svg.append("rect").attr("width", width).attr("height", 24);
      for (const t of times) svg.append("line").attr("x1", x(t)).attr("x2", x(t)).attr("y1", 4).attr("y2", 20);
      svg.on("click", (event) => { const t = x.invert(d3.pointer(event)[0]), near = times.find((time) => Math.abs(x(time) - x(t)) < 4); change(name, near === undefined ? [...times, t] : times.filter((time) => time !== near)); });
    }));
    const act = (label, run) => el("button", { type: "button", onclick: run }, label);
    return el("div", { class: "channel" }, el("b", {}, name), box, el("div", { class: "controls" }, text, rate, el("span", {}, "Hz"), act("regular", regular), act("Poisson", random), act("clear", () => change(name, []))));
  }
}
