// A study: summaries of its arms, the cost of reaching the target, and every run.
import { $, chart, clock, count, el, frame, load, number, plain, table, tip } from "../page/tools.js";
import { address, changes, go, parameter, request, trouble } from "./asking.js";
import { begin, named } from "./frame.js";

const MAX_RUNS = 100; // runs that are compared
const name = parameter("name"), hue = (k) => `k${k % 8}`, DASHES = [null, "6 3", "2 3", "8 3 2 3"];
let study = null, cost = "evaluations", measure = "held_out", timer = null;
const COSTS = { evaluations: "evaluations", core_seconds: "seconds of a core" };
const MEASURES = { held_out: "held-out score", worst: "score in the worst condition", best_held_out: "best held-out score of the front" };

const arms = (task) => study.arms.map((arm, k) => ({ ...arm, k })).filter((arm) => arm.task === task);
const tasks = () => [...new Set(study.arms.map((arm) => arm.task))];
const percent = (x) => `${(100 * x).toFixed(0)} %`;
const share = (arm) => (arm.over ? `${arm.reached} of ${arm.over} (${percent(arm.share.low)} to ${percent(arm.share.high)})` : "–");
const estimate = (e, form) => (e.low === null && e.value === null && e.high === null ? "–" : `${e.value === null ? "never" : form(e.value)} (${e.low === null ? "never" : form(e.low)} to ${e.high === null ? "never" : form(e.high)})`);

function select(label, values, now, change) {
  return el("label", {}, label, el("select", { "aria-label": label, onchange: (event) => { change(event.target.value); draw(); } }, ...Object.entries(values).map(([key, text]) => el("option", { value: key, selected: key === now }, text))));
}
const key = (arm) => el("span", { class: `key ${hue(arm.k)}` });

function summary() {
  const rows = study.arms.map((arm, k) => [el("span", {}, key({ k }), " ", arm.name), arm.over === arm.runs ? String(arm.runs) : `${arm.over} of ${arm.runs}`, share(arm), estimate(arm.evaluations, (v) => count(Math.round(v))), estimate(arm.core_seconds, (v) => plain(v, 3)), arm.over ? estimate(arm.held_out, number) : "–", arm.over ? estimate(arm.worst, number) : "–"]);
  return el("div", {}, el("div", { class: "across" }, table([{ text: "arm", left: true }, "runs over", "solved", "evaluations", "seconds of a core", "held out", "worst condition"], rows, { id: "arms" })),
    el("p", { class: "note" }, `Solved: reached ${plain(study.target)} on held-out trials${study.worst === null ? "" : `, and ${plain(study.worst)} in the worst condition`}, with Wilson's 95 % interval. Evaluations and seconds: until then, medians with bootstrap intervals.`));
}

const legend = () => el("ul", { class: "legend" }, ...study.arms.map((arm, k) => el("li", {}, key({ k }), arm.name)));

// The share of solved runs of each arm, with its interval.
function solved(width, host, task) {
  const list = arms(task), row = 26, left = Math.min(width * 0.42, 14 + 6.4 * d3.max(list, (a) => a.name.length)), x = d3.scaleLinear([0, 1], [0, 1]);
  const { plot } = frame(host, { width, height: list.length * row + 52, left, x, y: d3.scaleLinear([0, 1], [0, 1]), yTicks: 0, xFormat: d3.format(".0%"), xLabel: "share of runs that solved the task", alt: `Share of runs that solved ${task}, by arm` });
  list.forEach((arm, k) => {
    const y = 10 + (k + 0.5) * row, fits = Math.floor((left - 14) / 6.2);
    plot.append("text").attr("x", left - 8).attr("y", y + 4).attr("text-anchor", "end").text(arm.name.length > fits ? `${arm.name.slice(0, fits - 1)}…` : arm.name).append("title").text(arm.name);
    if (!arm.over) return;
    plot.append("line").attr("class", `line ${hue(arm.k)}`).attr("x1", x(arm.share.low)).attr("x2", x(arm.share.high)).attr("y1", y).attr("y2", y);
    plot.append("circle").attr("class", `held ${hue(arm.k)}`).attr("r", 5).attr("cx", x(arm.share.value)).attr("cy", y).on("pointerenter", (event) => tip.show(event, arm.name, [["solved", share(arm)]])).on("pointerleave", () => tip.hide());
  });
}

function sooner(width, host, task) {
  const list = arms(task).filter((arm) => arm.over), ends = list.flatMap((arm) => [...arm.curves[cost].x, arm.curves[cost].end]).filter((v) => v > 0);
  if (!ends.length) return host.append(el("p", { class: "note" }, "No run is over yet."));
  const x = d3.scaleLog([d3.min(ends) * 0.8, d3.max(ends) * 1.05], [0, 1]).nice(), y = d3.scaleLinear([0, 1.02], [0, 1]), ticks = x.ticks(Math.max(2, Math.floor(width / 90)));
  x.ticks = () => ticks.filter((t) => /^[125]/.test(t.toPrecision(1)));
  const { plot } = frame(host, { width, height: 280, x, y, xLabel: COSTS[cost], xFormat: d3.format("~s"), yFormat: d3.format(".0%"), yLabel: "solved", alt: `Share of runs that solved ${task}, by ${COSTS[cost]}` });
  for (const arm of list) {
    const c = arm.curves[cost], last = c.x.length - 1, points = [[x.domain()[0], 0, 0, 0], ...c.x.map((v, j) => [v, c.share[j], c.low[j], c.high[j]]), [Math.max(c.end, x.domain()[0]), c.share[last] ?? 0, c.low[last] ?? 0, c.high[last] ?? 0]];
    plot.append("path").attr("class", `band ${hue(arm.k)}`).attr("d", d3.area().curve(d3.curveStepAfter).x((p) => x(p[0])).y0((p) => y(p[2])).y1((p) => y(p[3]))(points));
    plot.append("path").attr("class", `line ${hue(arm.k)}`).attr("stroke-dasharray", DASHES[arm.k % DASHES.length]).attr("d", d3.line().curve(d3.curveStepAfter).x((p) => x(p[0])).y((p) => y(p[1]))(points))
      .on("pointerenter", (event) => tip.show(event, arm.name, [["solved", share(arm)]])).on("pointerleave", () => tip.hide());
  }
}

function scores(width, host, task) {
  const list = arms(task), of = (arm) => study.runs.filter((r) => r.arm === arm.name && r[measure] !== null), scored = list.flatMap(of);
  if (!scored.length) return host.append(el("p", { class: "note" }, "There is no such score yet."));
  const x = d3.scaleBand(list.map((arm) => String(arm.k)), [0, 1]).padding(0.25), y = d3.scaleLinear([Math.min(0, d3.min(scored, (r) => r[measure])), 1.03], [0, 1]);
  const { plot, left, right } = frame(host, { width, height: 280, x, y, xLabel: "", xFormat: () => "", yLabel: MEASURES[measure], alt: `${MEASURES[measure]} of the runs of ${task}, by arm` });
  plot.append("line").attr("class", "th").attr("x1", left).attr("x2", width - right).attr("y1", y(study.target)).attr("y2", y(study.target));
  for (const arm of list) {
    const runs = of(arm), from = x(String(arm.k)), inner = d3.scalePoint(d3.range(runs.length), [from, from + x.bandwidth() * 0.8]).padding(0.5), middle = arm[measure], at = from + x.bandwidth() * 0.92;
    runs.forEach((r, j) => plot.append("circle").attr("class", `held ${hue(arm.k)}`).attr("r", 3.6).attr("cx", inner(j)).attr("cy", y(r[measure])).style("cursor", "pointer")
      .on("pointerenter", (event) => tip.show(event, r.run, [[MEASURES[measure], number(r[measure])], ["seed", String(r.seed)], ["evaluations", count(r.evaluations)]])).on("pointerleave", () => tip.hide()).on("click", () => go(address("run", { name: r.name }))));
    if (middle?.value != null) {
      plot.append("line").attr("class", "line strong").attr("x1", at).attr("x2", at).attr("y1", y(middle.low ?? middle.value)).attr("y2", y(middle.high ?? middle.value));
      plot.append("line").attr("class", "line strong").attr("x1", at - 5).attr("x2", at + 5).attr("y1", y(middle.value)).attr("y2", y(middle.value));
    }
    const fits = Math.max(4, Math.floor(x.bandwidth() / 5.8));
    plot.append("text").attr("x", from + x.bandwidth() / 2).attr("y", 258).attr("text-anchor", "middle").text(arm.name.length > fits ? `${arm.name.slice(0, fits - 1)}…` : arm.name).append("title").text(arm.name);
  }
}

function tests() {
  if (!study.tests.length) return el("p", { class: "note" }, "There is nothing to test yet: it takes two arms of the same task, with two runs or more that are over.");
  const p = (v) => (v < 0.001 ? "<0.001" : v.toFixed(3));
  return el("div", {}, el("div", { class: "across" }, table([{ text: "arm", left: true }, { text: "beside", left: true }, { text: "does better in", left: true }, "A", "95 %", "p", "Holm"], study.tests.map((t) => [t.arm, t.beside, t.text, number(t.a, 2), `${number(t.low, 2)} to ${number(t.high, 2)}`, p(t.p), p(t.holm)]), { id: "tests" })),
    el("p", { class: "note" }, "A: how probable it is that a run does better than one of the other arm; 0.5 is no difference. Holm: p corrected for all of these tests."));
}

function members() {
  const link = (r) => (r.state === "waiting" ? r.run : el("a", { href: address("run", { name: r.name }) }, r.run));
  return el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Runs of the study" }, table([{ text: "run", left: true }, { text: "arm", left: true }, "seed", { text: "state", left: true }, { text: "solved", left: true }, "evaluations", "seconds of a core", "held out", "95 %", "worst condition", "E", "I", "synapses"],
    study.runs.map((r) => [link(r), r.arm, String(r.seed), el("span", { class: `state ${r.state}` }, r.state), r.reached ? `after ${count(r.evaluations_to_target)}` : "no", count(r.evaluations), clock(r.core_seconds), number(r.held_out), r.low === null ? "–" : `${number(r.low, 2)} to ${number(r.high, 2)}`, number(r.worst), String(r.excitatory), String(r.inhibitory), String(r.synapses)]), { id: "members" }));
}

function draw() {
  const part = (id, title, ...inner) => el("section", { id }, el("h2", {}, title), el("div", { class: "body" }, ...inner));
  const each = (plot) => el("div", { class: "halves" }, ...tasks().map((task) => { const box = el("div"); queueMicrotask(() => chart(box, (width, host) => plot(width, host, task))); return el("div", {}, el("h3", {}, task), box); }));
  const begun = study.runs.filter((r) => r.state !== "waiting").map((r) => r.name);
  const at = scrollY;
  document.querySelectorAll("main section").forEach((section) => section.remove());
  $("summary").textContent = `${study.status.state}: ${study.status.over} of ${study.status.runs} runs are over, ${study.status.reached} solved their task; ${count(study.status.evaluations)} evaluations in ${clock(study.status.core_seconds)} of a core.`;
  $("tools").replaceChildren(...(begun.length ? [el("a", { class: "button", href: address("compare", { run: begun.slice(0, MAX_RUNS) }) }, begun.length > MAX_RUNS ? `Compare the first ${MAX_RUNS} runs` : "Compare its runs")] : []));
  $("main").append(
    part("summed", "Arms", summary(), each(solved)),
    part("sooner", "How soon", el("div", { class: "controls" }, select("over", COSTS, cost, (v) => (cost = v))), each(sooner), legend()),
    part("scores", "Scores", el("div", { class: "controls" }, select("of", MEASURES, measure, (v) => (measure = v))), each(scores), el("p", { class: "note" }, "A dot a run; beside them the median with its bootstrap interval. Dashed: the target.")),
    part("beside", "Beside the first arm", tests()),
    part("runs", "Runs", members()),
    part("methods", "For a methods section", el("p", { id: "sentence" }, study.methods)));
  scrollTo(0, at);
  document.documentElement.dataset.study = String(study.runs.length);
}

async function renew() {
  const answer = await request("study", { name });
  if (!answer) return;
  study = answer;
  draw();
}

const page = () => study && { title: study.title, view: { view: "study", name }, answers: [{ question: "study", answer: study }] };

begin("", "Study", { page: name ? page : null, figures: Boolean(name) });
load({ model: { parameters: [] } });
if (!name) trouble(new Error("Choose a study from the table of runs."));
else {
  await renew();
  if (study) {
    named(study.title);
    const isMember = (other) => name === "." || other.startsWith(`${name}/`);
    let connected = false;
    changes(0, ({ rows, gone }) => {
      if (connected && (rows.some((r) => isMember(r.name)) || gone.some(isMember))) { clearTimeout(timer); timer = setTimeout(renew, 500); }
      connected = true;
    });
  }
}
