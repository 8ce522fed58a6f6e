// The bench: a circuit, what is done to it, and what it then does. All there is to say of a state of the bench is its source and a
// list of edits: these are asked with, kept for undo and redo, and written into the address.
import { $, chosen, data, el, load, tell } from "../page/tools.js";
import { drawActivity } from "../page/activity.js";
import { ask, here, parameter, tried, trouble } from "./asking.js";
import { begin, named } from "./frame.js";
import { drawBoard, drawInspector } from "./bench_circuit.js";
import { drawScore } from "./bench_score.js";
import { drawStimulus } from "./bench_stimulus.js";
import { drawSweep } from "./bench_sweep.js";
import { drawShare } from "./bench_share.js";
import { drawSources } from "./bench_sources.js";

export const bench = { source: null, edits: [], past: [], future: [], trials: 64, task: null, stimulus: null, original: null, now: null, selected: null };

export const asked = (edits = bench.edits) => ({ source: bench.source, edits, trials: bench.trials, ...(bench.task ? { task: bench.task } : {}), ...(bench.stimulus ? { stimulus: bench.stimulus } : {}) });

// -- answers: one is asked for at a time, and of edits that came meanwhile the last

let flying = false, next = null;

export async function update(edits = bench.edits, since = performance.now()) {
  next = { edits, since };
  if (flying) return;
  flying = true;
  while (next) {
    const { edits: these, since: from } = next;
    next = null;
    try {
      const answer = await ask("bench", asked(these));
      trouble(null);
      show(answer, these);
      const begun = from;
      requestAnimationFrame(() => setTimeout(() => spent(performance.now() - begun, answer.ms)));
    } catch (error) {
      trouble(error);
      if (these !== bench.edits && !next) await back();
    }
  }
  flying = false;
}

// What was refused is shown no longer.
async function back() {
  try {
    show(await ask("bench", asked()), bench.edits);
  } catch (error) {
    trouble(error);
  }
}

function show(answer, edits) {
  bench.now = answer;
  if (!edits.length || !bench.original) bench.original = edits.length ? bench.original : answer;
  chosen.circuit = answer;
  const nodes = answer.inputs.length + answer.neurons.length, before = chosen.neuron;
  if (chosen.neuron === null || chosen.neuron >= nodes || chosen.neuron < answer.inputs.length) chosen.neuron = answer.inputs.length + Math.max(0, answer.neurons.findIndex((n) => n.ports.length));
  tell("circuit");
  if (chosen.neuron !== before) tell("neuron");
  $("said").textContent = answer.score ? `score ${answer.score.score.toFixed(3)}` : "simulated";
  document.documentElement.dataset.drawn = String(edits.length);
}

function spent(whole, there) {
  if (bench.edits.length || bench.future.length) $("spent").textContent = `${Math.round(whole)} ms`;
  $("spent").title = `from the edit to the picture; ${Math.round(there)} ms of it simulated and scored`;
  document.documentElement.dataset.ms = whole.toFixed(1);
  document.documentElement.dataset.answers = String(Number(document.documentElement.dataset.answers ?? 0) + 1);
}

// -- edits

export const preview = (edit) => update([...bench.edits, edit]);

export async function commit(edit) {
  const edits = join(bench.edits, edit), since = performance.now();
  try {
    await check(edits);
  } catch (error) {
    trouble(error);
    await back();
    return false;
  }
  bench.past.push(bench.edits);
  bench.future = [];
  bench.edits = edits;
  remember();
  await update(edits, since);
  return true;
}

const check = (edits) => ask("bench/check", asked(edits));

// The same value set twice in a row is one edit.
function join(edits, edit) {
  const last = edits[edits.length - 1], same = last && ["weight", "delay", "set", "noise"].includes(edit.edit) && last.edit === edit.edit && last.synapse === edit.synapse && last.neuron === edit.neuron && last.parameter === edit.parameter;
  return same ? [...edits.slice(0, -1), edit] : [...edits, edit];
}

export async function travel(to) {
  if (to === "undo" && bench.past.length) { bench.future.push(bench.edits); bench.edits = bench.past.pop(); }
  else if (to === "redo" && bench.future.length) { bench.past.push(bench.edits); bench.edits = bench.future.pop(); }
  else if (to === "reset" && bench.edits.length) { bench.past.push(bench.edits); bench.future = []; bench.edits = []; }
  else return;
  remember();
  await update();
}

export function remember() {
  const state = { ...(bench.edits.length ? { edits: bench.edits } : {}), ...(bench.trials !== 64 ? { trials: bench.trials } : {}), ...(bench.task ? { task: bench.task } : {}), ...(bench.stimulus ? { stimulus: bench.stimulus } : {}), ...(bench.source.motif ? { motif: bench.source } : {}) };
  const text = Object.keys(state).length ? `#${encodeURIComponent(JSON.stringify(state))}` : "";
  here(location.pathname + location.search + text);
  buttons();
}

function buttons() {
  $("undo").disabled = !bench.past.length;
  $("redo").disabled = !bench.future.length;
  $("reset").disabled = !bench.edits.length;
  $("edited").textContent = bench.edits.length ? `${bench.edits.length} ${bench.edits.length === 1 ? "edit" : "edits"}` : "as it was";
}

// -- the view

function sourceOf() {
  if (parameter("run")) return { run: parameter("run"), circuit: /^\d{1,5}$/.test(parameter("circuit") ?? "0") ? Number(parameter("circuit") ?? 0) : parameter("circuit") };
  if (parameter("zoo")) return { zoo: parameter("zoo") };
  if (parameter("blank")) return { blank: { name: parameter("blank") } };
  return null;
}

function kept() {
  try {
    return location.hash.length > 1 ? JSON.parse(decodeURIComponent(location.hash.slice(1))) : {};
  } catch {
    return {};
  }
}

// Another source: the bench begins anew.
export async function open(source, edits = []) {
  Object.assign(bench, { source, edits, past: [], future: [], original: null, now: null, selected: null });
  const head = await tried("bench/open", asked([]));
  if (!head) return false;
  load(head);
  named(head.title);
  $("summary").textContent = head.task.name ? `${head.task.name}${head.task.text ? `: ${head.task.text}` : ""}` : "No task is named: choose one below to score it.";
  if (!$("board")) build();
  tell("source");
  if (edits.length) bench.original = await tried("bench", asked([])) ?? null;
  remember();
  await update();
  return true;
}

function build() {
  const button = (id, text, act, title) => el("button", { type: "button", id, title, onclick: act }, text);
  $("tools").append(
    button("undo", "Undo", () => travel("undo"), "Ctrl+Z"), button("redo", "Redo", () => travel("redo"), "Ctrl+Shift+Z"), button("reset", "Back to the original", () => travel("reset"), "all edits undone"),
    el("span", { id: "edited" }), el("span", { id: "spent", class: "note" }));
  const part = (id, title, ...inner) => el("section", { id }, el("h2", {}, title), el("div", { class: "body" }, ...inner));
  $("main").append(
    el("div", { class: "bench" }, el("div", { id: "board" }), el("div", { id: "side" }, el("div", { id: "score" }), el("div", { id: "inspector" }))),
    part("stimulus", "Stimulus"), part("activity", "Activity"), part("every", "Every trial"), part("sweep", "Sweep"), part("compared", "Against the original"), part("share", "Take it along"));
  drawBoard();
  drawInspector();
  drawScore();
  drawStimulus();
  drawActivity();
  drawSweep();
  drawShare();
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || /INPUT|TEXTAREA/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    travel(event.shiftKey ? "redo" : "undo");
  });
}

begin("bench", "Bench");
const given = kept();
if (given.motif) Object.assign(bench, { trials: given.trials ?? 64, task: given.task ?? null, stimulus: given.stimulus ?? null });
else Object.assign(bench, { trials: given.trials ?? 64, task: given.task ?? null, stimulus: given.stimulus ?? null });
const source = sourceOf() ?? given.motif ?? null;
drawSources();
if (source) await open(source, given.edits ?? []);
else document.documentElement.dataset.drawn = "none";
