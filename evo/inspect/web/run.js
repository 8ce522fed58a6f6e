// Run: its settings and its course.
import { $, chart, clock, count, data, el, facts, frame, padded, plain, section, sum, titled } from "./tools.js";

export function drawRun() {
  if (data.kind !== "run") return drawOrigin();
  const run = data.run, task = data.task, body = section("run"), open = [...body.querySelectorAll("details")].map((details) => details.open);
  body.replaceChildren();
  const settings = Object.entries(task.settings).map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  const ended = run.ended_by && run.ended_by !== "generations" ? `, ended by ${run.ended_by}` : "";
  const setup = facts([
    ["task", task.name + (settings ? `, ${settings}` : "")],
    ["objectives", data.objectives.map((o) => o.name).join(", ")],
    ["search", `${run.algorithm}, ${run.islands} ${run.islands === 1 ? "island" : "islands"} of ${run.population}, seed ${run.seed}`],
    ["wanted", wantedText(task)],
    ["trials", `${run.trials} in the search, ${run.held_out} held out`],
    ["neuron model", data.model && data.model.name],
    ["forked from", run.parent && `${run.parent.run}, at its generation ${run.parent.generation}`],
  ]);
  const outcome = facts([
    ["state", `${run.state}${ended}, generation ${count(run.generation)} of ${count(run.generations)}`],
    ["evaluations", count(run.evaluations)],
    ["the search took", data.course.elapsed ? `${clock(data.course.elapsed)}, ${count(Math.round(run.evaluations / data.course.elapsed))} evaluations/s` : null],
    ["early stopping", run.saved ? `${(100 * run.saved).toFixed(1)} % of the simulation saved` : null],
    ["front", `${data.members.length} ${data.members.length === 1 ? "circuit" : "circuits"}`],
    ["spec", run.spec_sha256.slice(0, 12)],
    ["archive", run.archive_sha256.slice(0, 12)],
  ]);
  body.append(el("div", { class: "halves" }, titled("What was asked", "", setup), titled("How it went", "", outcome)));
  const more = task.more && task.more.replace(/\s+/g, " ").trim() !== task.text ? task.more : "";
  if (more || task.judged) body.append(el("details", { id: "about" }, el("summary", {}, "Description of the task"), more ? el("pre", { tabindex: 0 }, more) : null, task.judged ? el("p", { class: "note" }, `How an answer is judged: ${task.judged}`) : null));
  if (sum(data.course.islands.map((i) => i.evaluations.length))) body.append(courses());
  const again = run.parent ? `evo fork ${run.parent.run} with the settings below` : "evo run run.toml";
  body.append(
    el("details", {}, el("summary", {}, "Settings, versions, and how to run it again"),
      el("p", {}, "With the settings below as run.toml, ", el("code", {}, again), " repeats the run: the same spec, seed and version give the same circuits, with any number of workers."),
      el("p", { class: "note" }, Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(", ")),
      el("pre", { tabindex: 0 }, run.spec)));
  body.querySelectorAll("details").forEach((details, k) => (details.open = open[k] ?? false));
}

// The right outputs by class, as probed on the task when the run began.
function wantedText(task) {
  return Object.entries(task.wanted).filter(([, names]) => names.length).map(([label, names]) => `class ${label}: ${names.join(" or ")}`).join("; ");
}

function drawOrigin() {
  const motif = data.motif, body = section("run"), task = data.task;
  $("run").querySelector("h2").textContent = "Origin";
  const settings = Object.entries(task.settings).map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  const scores = Object.entries(motif.scores ?? {}).map(([name, value]) => [name.replaceAll("_", " "), value === null ? "not measured" : plain(value)]);
  body.append(el("div", { class: "halves" },
    titled("Where it comes from", "", facts([
      ["run", motif.run], ["task", task.name && task.name + (settings ? `, ${settings}` : "")], ["seed", motif.seed === undefined ? null : String(motif.seed)],
      ["born", motif.generation === undefined ? null : `island ${motif.island}, generation ${motif.generation}`],
      ["spec", motif.spec_sha256 && motif.spec_sha256.slice(0, 12)],
      ["versions", motif.versions && Object.entries(motif.versions).map(([name, version]) => `${name} ${version}`).join(", ")],
    ])),
    scores.length ? titled("Scores", "", facts(scores)) : null));
}

function courses() {
  const islands = data.course.islands, host = el("div", { class: "columns gap" });
  const many = islands.length > 8;
  const add = (title, small, draw) => {
    const inner = el("div");
    host.append(titled(title, small, inner));
    queueMicrotask(() => chart(inner, draw));
  };
  const last = d3.max(islands, (i) => d3.max(i.evaluations)) || 1;
  const lines = (key, { label, small, domain, dots }) => add(label, small, (width, inner) => {
    const every = islands.flatMap((i) => i[key]).filter((v) => v !== null);
    const x = d3.scaleLinear([0, last], [0, 1]), y = d3.scaleLinear(domain ?? padded(d3.extent(every)), [0, 1]);
    const { plot } = frame(inner, { width, height: 210, x, y, xLabel: "evaluations of an island", xFormat: d3.format("~s"), right: 46, alt: `${label} over evaluations` });
    islands.forEach((island, k) => {
      const hue = many ? "k6" : `k${k % 8}`, points = d3.range(island.evaluations.length).filter((j) => island[key][j] !== null);
      plot.append("path").attr("class", `line ${hue}${many ? " thin" : ""}`).attr("d", d3.line().x((j) => x(island.evaluations[j])).y((j) => y(island[key][j]))(points));
      if (dots) for (const j of distinct(island, dots)) plot.append("circle").attr("class", `held ${hue}`).attr("r", 2.4).attr("cx", x(island.evaluations[j])).attr("cy", y(island[dots][j]));
      if (!many && points.length && key === "best") {
        const end = points[points.length - 1];
        plot.append("text").attr("class", hue).attr("x", x(island.evaluations[end]) + 9).attr("y", y(island[key][end]) + 3.5 + endShift(k)).text(`isl. ${k}`);
      }
    });
    if (islands.length > 2) mean(plot, islands, key, x, y);
  });
  lines("best", { label: "Score", small: "best of each island in the search; dots: held out, of its best on validation", domain: [0, 1.02], dots: "held_out" });
  data.objectives.forEach((o) => {
    if (o.name === "score") return;
    lines(`objective ${o.name}`, { label: capital(o.name), small: `${o.more ? "most" : "least"} in the population${o.unit ? `, ${o.unit}` : ""}` });
  });
  const covered = data.course.hypervolume;
  if (covered && covered.value.length > 1) add("Hypervolume", "share of the hypervolume of the final front", (width, inner) => {
    const x = d3.scaleLinear([0, d3.max(covered.evaluations)], [0, 1]), y = d3.scaleLinear([0, 1.04], [0, 1]);
    const { plot } = frame(inner, { width, height: 210, x, y, xLabel: "evaluations of the run", xFormat: d3.format("~s"), alt: "Hypervolume over evaluations" });
    plot.append("path").attr("class", "line strong").attr("d", d3.line().curve(d3.curveStepAfter).x((_, k) => x(covered.evaluations[k])).y((v) => y(v))(covered.value));
  });
  lines("wirings", { label: "Diversity", small: "different wirings in the population" });
  const seconds = Object.entries(data.course.seconds).sort((a, b) => b[1] - a[1]);
  if (seconds.length) add("Where the time went", `${clock(sum(seconds.map((s) => s[1])))} of computing, all islands together`, (width, inner) => bars(inner, width, seconds, (s) => clockish(s)));
  return islands.length > 2 ? el("div", {}, host, el("p", { class: "note" }, `Strong line and band: mean of the islands and its 95 % confidence interval.`)) : host;
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll("_", " ");
const clockish = (s) => (s < 10 ? `${s.toFixed(1)} s` : clock(s));
function endShift(k) {
  const ends = data.course.islands.map((i) => i.best[i.best.length - 1] ?? 0), order = d3.range(ends.length).sort((a, b) => ends[b] - ends[a] || a - b);
  let last = -Infinity;
  for (const island of order) {
    const free = -ends[island] * 160, at = Math.max(free, last + 11);
    if (island === k) return at - free;
    last = at;
  }
  return 0;
}

// The indices at which a value differs from the one before.
function distinct(island, key) {
  return d3.range(island[key].length).filter((j) => island[key][j] !== null && (j === 0 || island[key][j] !== island[key][j - 1]));
}

// The mean of the islands, with its 95 % confidence band (Student's t).
function mean(plot, islands, key, x, y) {
  const t = [0, 12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23][islands.length - 1] ?? 2;
  const end = d3.min(islands, (i) => i.evaluations[i.evaluations.length - 1] ?? 0);
  if (!end) return;
  const at = d3.range(61).map((k) => (end * k) / 60);
  const value = (island, e) => island[key][Math.min(island.evaluations.length - 1, d3.bisectLeft(island.evaluations, e))];
  const rows = at.map((e) => {
    const all = islands.map((i) => value(i, e)).filter((v) => v !== null && v !== undefined);
    return { e, m: d3.mean(all), half: all.length > 1 ? (t * d3.deviation(all)) / Math.sqrt(all.length) : 0 };
  }).filter((row) => row.m !== undefined);
  const [low, high] = y.domain(), within = (v) => y(Math.max(low, Math.min(high, v)));
  plot.append("path").attr("class", "band").attr("d", d3.area().x((r) => x(r.e)).y0((r) => within(r.m - r.half)).y1((r) => within(r.m + r.half))(rows));
  plot.append("path").attr("class", "line strong").attr("d", d3.line().x((r) => x(r.e)).y((r) => y(r.m))(rows));
}

export function bars(host, width, rows, format, kind = () => "") {
  const tall = 20, left = Math.min(130, 14 + 6.6 * d3.max(rows, (r) => r[0].length)), longest = d3.max(rows, (r) => r[1]) || 1;
  const x = d3.scaleLinear([0, longest], [0, Math.max(20, width - left - 66)]);
  const svg = d3.select(host).append("svg").attr("width", width).attr("height", rows.length * tall + 4).attr("viewBox", `0 0 ${width} ${rows.length * tall + 4}`).attr("class", "bars").attr("role", "img").attr("aria-label", rows.map((r) => `${r[0]} ${format(r[1])}`).join(", "));
  rows.forEach(([name, value], k) => {
    svg.append("text").attr("x", left - 8).attr("y", k * tall + 14).attr("text-anchor", "end").text(name);
    svg.append("rect").attr("class", kind(k)).attr("x", left).attr("y", k * tall + 4).attr("height", tall - 8).attr("width", Math.max(1, x(value))).attr("rx", 2);
    svg.append("text").attr("x", left + x(value) + 7).attr("y", k * tall + 14).text(format(value));
  });
}
