// Several runs side by side.
import { $, chart, count, el, frame, load, number, padded, plain, table, tip } from "../page/tools.js";
import { wiring } from "../page/wiring.js";
import { address, changes, go, parameters, request, trouble } from "./asking.js";
import { begin } from "./frame.js";

const NAMED = 12; // runs whose names stand beside their lines
const names = parameters("run");
const hue = (k) => `k${k % 8}`;
const seen = new Map();
let compared = null, across = "evaluations", value = "held_out", x = "energy", y = "held_out", timer = null;
const AXES = { held_out: "held-out score", score: "score in the search", energy: "energy per trial", neurons: "neurons", synapses: "synapses" };

function select(label, values, now, change) {
  return el("label", {}, label, el("select", { "aria-label": label, onchange: (event) => { change(event.target.value); draw(); } }, ...Object.entries(values).map(([key, text]) => el("option", { value: key, selected: key === now }, text))));
}

function legend() {
  return el("ul", { class: "legend" }, ...compared.runs.map((r, k) => el("li", {}, el("span", { class: `key ${hue(k)}` }), el("a", { href: address("run", { name: r.name }) }, r.name), r.state === "running" ? " (running)" : "")));
}

function courses(width, host) {
  const lines = compared.runs.map((r, k) => ({ k, name: r.name, points: (r.course[across] ?? []).map((at, j) => [at, r.course[value][j]]).filter(([a, b]) => a !== null && b !== null) })).filter((l) => l.points.length);
  if (!lines.length) return host.append(el("p", { class: "note" }, "Nothing is stored yet."));
  const end = d3.max(lines, (l) => l.points[l.points.length - 1][0]) || 1;
  const named = lines.length <= NAMED, right = named ? 14 + 6.2 * Math.min(16, d3.max(lines, (l) => l.name.length)) : 14;
  const sx = d3.scaleLinear([0, end], [0, 1]), sy = d3.scaleLinear([Math.min(0, d3.min(lines, (l) => d3.min(l.points, (p) => p[1]))), 1.02], [0, 1]);
  const { plot } = frame(host, { width, height: 300, x: sx, y: sy, right, xLabel: across === "seconds" ? "seconds" : "evaluations", xFormat: d3.format("~s"), yLabel: value === "best" ? "best score in the search" : "held-out score of the best on validation", alt: "Courses of the runs" });
  const ends = named ? lines.map((l) => sy(l.points[l.points.length - 1][1])) : [], at = {};
  let last = -Infinity;
  for (const j of d3.range(ends.length).sort((a, b) => ends[a] - ends[b])) last = at[j] = Math.max(ends[j], last + 11.5);
  lines.forEach((l, j) => {
    plot.append("path").attr("class", `line ${hue(l.k)}`).attr("d", d3.line().curve(d3.curveStepAfter).x((p) => sx(p[0])).y((p) => sy(p[1]))(l.points))
      .on("pointerenter", (event) => tip.show(event, l.name, [["ends at", number(l.points[l.points.length - 1][1])]])).on("pointerleave", () => tip.hide());
    if (named) plot.append("text").attr("class", hue(l.k)).attr("x", width - right + 6).attr("y", at[j] + 3.5).text(l.name.length > 16 ? `${l.name.slice(0, 15)}…` : l.name);
  });
}

function fronts(width, host) {
  const members = compared.runs.flatMap((r, k) => r.front.map((m) => ({ ...m, k, run: r.name }))).filter((m) => m[x] !== null && m[y] !== null);
  if (!members.length) return host.append(el("p", { class: "note" }, "No run has a front yet."));
  const scale = (axis) => (axis === "held_out" || axis === "score" ? d3.scaleLinear([Math.min(0, d3.min(members, (m) => m[axis])), 1.03], [0, 1]) : d3.scaleLinear(padded(d3.extent(members, (m) => m[axis])), [0, 1]));
  const sx = scale(x), sy = scale(y);
  const { svg, plot } = frame(host, { width, height: 300, x: sx, y: sy, xLabel: AXES[x], yLabel: AXES[y], alt: "Fronts of the runs" });
  plot.selectAll("circle").data(members).join("circle").attr("class", (m) => `held ${hue(m.k)}`).attr("r", 3.4).attr("cx", (m) => sx(m[x])).attr("cy", (m) => sy(m[y]));
  const nearest = (event) => { const [mx, my] = d3.pointer(event, svg.node()), best = d3.least(members, (m) => Math.hypot(sx(m[x]) - mx, sy(m[y]) - my)); return best && Math.hypot(sx(best[x]) - mx, sy(best[y]) - my) < 16 ? best : null; };
  svg.on("pointermove", (event) => { const m = nearest(event); svg.style("cursor", m ? "pointer" : "default"); m ? tip.show(event, `${m.run}, rank ${m.rank}`, [["held out", number(m.held_out)], ["neurons", String(m.neurons)], ["synapses", String(m.synapses)], ["energy", plain(m.energy)]]) : tip.hide(); })
    .on("pointerleave", () => tip.hide()).on("click", (event) => { const m = nearest(event); if (m) go(`${address("run", { name: m.run })}#rank-${m.rank}`); });
}

// A dot with its interval for each run; runs that differ only in their seed share a column.
function scatter(width, host) {
  const groups = compared.comparison.groups, scored = groups.flatMap((g) => g.runs).filter((r) => r.held_out !== null);
  if (!scored.length) return host.append(el("p", { class: "note" }, "No run has a front yet."));
  const sx = d3.scaleBand(groups.map((_, k) => String(k)), [0, 1]).padding(0.25), sy = d3.scaleLinear([Math.min(0, d3.min(scored, (r) => r.low ?? r.held_out)), 1.03], [0, 1]);
  const { plot } = frame(host, { width, height: 300, x: sx, y: sy, bottom: 46, xLabel: "", yLabel: "held-out score", xFormat: () => "", alt: "Held-out scores by spec and seed" });
  groups.forEach((g, k) => {
    const runs = g.runs.filter((r) => r.held_out !== null), inner = d3.scalePoint(runs.map((_, j) => j), [sx(String(k)), sx(String(k)) + sx.bandwidth()]).padding(0.5);
    runs.forEach((r, j) => {
      const colour = hue(compared.runs.findIndex((run) => run.title === r.run));
      if (r.low !== null) plot.append("line").attr("class", `line ${colour}`).attr("x1", inner(j)).attr("x2", inner(j)).attr("y1", sy(r.low)).attr("y2", sy(r.high));
      plot.append("circle").attr("class", `held ${colour}`).attr("r", 4).attr("cx", inner(j)).attr("cy", sy(r.held_out)).on("pointerenter", (event) => tip.show(event, `${r.run}, seed ${r.seed}`, [["held out", `${number(r.held_out)} (${number(r.low)}–${number(r.high)})`], ["evaluations", count(r.evaluations)]])).on("pointerleave", () => tip.hide());
    });
    if (runs.length > 1) { const middle = g.medians.held_out; if (middle !== null) plot.append("line").attr("class", "rule").attr("stroke-width", 2).attr("x1", sx(String(k))).attr("x2", sx(String(k)) + sx.bandwidth()).attr("y1", sy(middle)).attr("y2", sy(middle)); }
    const fits = Math.max(4, Math.floor(sx.bandwidth() / 5.6));
    plot.append("text").attr("x", sx(String(k)) + sx.bandwidth() / 2).attr("y", 300 - 28).attr("text-anchor", "middle").text(g.name.length > fits ? `${g.name.slice(0, fits - 1)}…` : g.name).append("title").text(g.name);
  });
}

function settings() {
  const groups = compared.comparison.groups, keys = Object.keys(groups[0]?.settings ?? {});
  if (groups.length < 2) return el("p", { class: "note" }, "All have the same settings, seeds apart.");
  const text = (v) => (v === null || v === undefined ? "–" : typeof v === "object" ? JSON.stringify(v) : String(v));
  return el("div", { class: "across" }, table([{ text: "setting", left: true }, ...groups.map((g) => ({ text: g.runs.map((r) => r.run).slice(0, 2).join(", ") + (g.runs.length > 2 ? ` and ${g.runs.length - 2} more` : ""), left: true }))], keys.map((key) => [key, ...groups.map((g) => text(g.settings[key]))])));
}

function effects() {
  const all = compared.comparison.effects;
  if (!all.length) return el("p", { class: "note" }, "How probable it is that one spec does better than another takes two runs or more of each, with other seeds.");
  return table([{ text: "spec", left: true }, { text: "measure", left: true }, "does better", "95 %"], all.map((e) => [e.group, e.measure.replaceAll("_", " "), number(e.a, 2), `${number(e.low, 2)}–${number(e.high, 2)}`]), { class: "wordy" });
}

function wirings() {
  const host = el("div", { class: "thirds" });
  for (const w of compared.wirings) {
    const box = el("div");
    host.append(el("div", {}, el("h3", {}, `${w.runs.length} ${w.runs.length === 1 ? "run" : "runs"}`, el("small", {}, `${w.runs.slice(0, 4).join(", ")}${w.runs.length > 4 ? ", …" : ""}; best ${number(w.held_out)}`)), box, el("a", { class: "note", href: address("bench", { run: w.run, circuit: w.id }) }, "on the bench")));
    queueMicrotask(() => chart(box, (width, at) => wiring(at, width, w.circuit, { most: 40, label: `Wiring of ${w.runs.join(", ")}` })));
  }
  return compared.wirings.length ? host : el("p", { class: "note" }, "No run has circuits yet.");
}

function draw() {
  const part = (id, title, small, ...inner) => el("section", { id }, el("h2", {}, title, small ? el("small", {}, ` ${small}`) : null), el("div", { class: "body" }, ...inner));
  const course = el("div"), front = el("div"), dots = el("div");
  document.querySelectorAll("main section").forEach((part) => part.remove());
  $("main").append(
    part("courses", "Courses", "", el("div", { class: "controls" }, select("over", { evaluations: "evaluations", seconds: "seconds" }, across, (v) => (across = v)), select("of", { held_out: "held-out score", best: "score in the search" }, value, (v) => (value = v))), course, legend()),
    part("fronts", "Fronts", "", el("div", { class: "controls" }, select("across", AXES, x, (v) => (x = v)), select("up", AXES, y, (v) => (y = v))), front),
    part("seeds", "Seeds", "", dots, effects()),
    part("settings", "Settings that differ", "", settings()),
    part("wirings", "Wirings they share", "", el("p", { class: "note" }, "Of the circuits whose held-out score is within the interval of the run's best: those of most runs first; weights and delays apart."), wirings()));
  chart(course, courses);
  chart(front, fronts);
  chart(dots, scatter);
  document.documentElement.dataset.compared = String(compared.runs.length);
}

const page = () => compared && { title: `${names.length} runs compared`, view: { view: "compare", run: names }, answers: [{ question: "compare", answer: compared }] };

async function renew() {
  const answer = await request("compare", { runs: names });
  if (!answer) return;
  compared = answer;
  draw();
}

begin("compare", names.length ? `${names.length} ${names.length === 1 ? "run" : "runs"} compared` : "Compare", { page: names.length ? page : null, figures: names.length > 0 });
load({ model: { parameters: [] } });
if (!names.length) $("summary").append("Select runs in ", el("a", { href: "./" }, "the table of runs"), " and press Compare.");
else {
  $("summary").textContent = names.join(", ");
  await renew();
  changes(0, ({ rows, gone }) => {
    if (gone.some((name) => names.includes(name))) trouble(new Error(`${gone.filter((n) => names.includes(n)).join(", ")}: moved or deleted.`));
    if (compared && rows.some((r) => names.includes(r.name) && r.evaluations !== seen.get(r.name) && seen.has(r.name))) { clearTimeout(timer); timer = setTimeout(renew, 300); }
    for (const r of rows) seen.set(r.name, r.evaluations);
  });
}
