// The bench: a circuit, its edits, and its activity. The state of the bench is its source and a list of edits, which are sent with
// questions, kept for undo and redo, and written into the address.
import { $, chosen, data, el, inSight, load, on, tell } from "../page/tools.js";
import { drawActivity } from "../page/activity.js";
import { ask, busy, setAddress, parameter, state, request, trouble } from "./asking.js";
import { begin, named } from "./frame.js";
import { drawBoard, drawInspector } from "./bench_circuit.js";
import { drawScore } from "./bench_score.js";
import { drawStimulus } from "./bench_stimulus.js";
import { drawSweep } from "./bench_sweep.js";
import { drawShare } from "./bench_share.js";
import { drawSources } from "./bench_sources.js";

export const bench = { source: null, edits: [], past: [], future: [], trials: 64, task: null, stimulus: null, original: null, now: null, shown: [], selected: null };

export const query = (edits = bench.edits) => ({ source: bench.source, edits, trials: bench.trials, ...(bench.task ? { task: bench.task } : {}), ...(bench.stimulus ? { stimulus: bench.stimulus } : {}) });

// -- answers: only one preview is requested at a time, then the latest that came meanwhile; what is shown already is not requested
// again, and late answers are not shown

let flight = null, waiting = null, previewing = false, turn = 0, newest = 0, shown = "";

// Answers have the potentials of the selected neuron.
const question = (edits) => ({ ...query(edits), neuron: bench.now?.ids[chosen.neuron - bench.now.inputs.length] ?? null });

// Has the answer the potentials of the selected neuron?
function potentials() {
  const sent = bench.now.activity?.traces;
  return !sent || Boolean(sent.v[0]?.[chosen.neuron - bench.now.inputs.length]);
}

function fly(args, key, edits, since) {
  const mine = ++turn;
  const landed = ask("bench", args).then((answer) => {
    if (mine < newest) return;
    newest = mine;
    shown = answer.whole ? key : "";
    show(answer, edits);
    requestAnimationFrame(() => setTimeout(() => spent(performance.now() - since, answer.ms)));
  });
  return { key, landed };
}

// Show the circuit after these edits; false if they are refused.
export const update = (...how) => busy(() => updated(...how));

async function updated(edits = bench.edits, since = performance.now(), { refused = false, quick = false } = {}) {
  const args = { ...question(edits), quick }, key = JSON.stringify({ ...args, quick: false });
  try {
    const same = flight?.key === key;
    if (same) await flight.landed;
    if (shown !== key && !(same && quick)) await (flight = fly(args, key, edits, since)).landed;
    if (!refused) trouble(null);
    return true;
  } catch (error) {
    trouble(error);
    return false;
  } finally {
    if (flight?.key === key) flight = null;
  }
}

export async function preview(edit) {
  waiting = { edits: [...bench.edits, edit], since: performance.now() };
  if (previewing) return;
  previewing = true;
  await busy(async () => {
    while (waiting) {
      const { edits, since: from } = waiting;
      waiting = null;
      if (!(await update(edits, from, { quick: true })) && !waiting) await back();
    }
  });
  previewing = false;
}

// Go back to the accepted edits; the reason of the refusal stays.
async function back() {
  if (shown === JSON.stringify({ ...question(bench.edits), quick: false })) tell("circuit");
  else await update(bench.edits, performance.now(), { refused: true });
}

function show(answer, edits) {
  bench.now = answer;
  bench.shown = edits;
  if (!edits.length || !bench.original) bench.original = edits.length ? bench.original : answer;
  chosen.circuit = answer;
  const nodes = answer.inputs.length + answer.neurons.length, before = chosen.neuron;
  if (chosen.neuron === null || chosen.neuron >= nodes || chosen.neuron < answer.inputs.length) chosen.neuron = answer.inputs.length + Math.max(0, answer.neurons.findIndex((n) => n.ports.length));
  tell("circuit");
  if (chosen.neuron !== before) tell("neuron");
  $("said").textContent = answer.score ? `score ${answer.score.score.toFixed(3)}` : "simulated";
  document.documentElement.dataset.drawn = String(edits.length);
}

function spent(whole, computed) {
  if (bench.shown.length || bench.future.length) $("spent").textContent = `${Math.round(whole)} ms`;
  $("spent").title = `from the edit to the picture; ${Math.round(computed)} ms of it simulated and scored`;
  document.documentElement.dataset.ms = whole.toFixed(1);
  document.documentElement.dataset.answers = String(Number(document.documentElement.dataset.answers ?? 0) + 1);
}

// -- edits

// Commit edits one after the other, as each builds on those before.
let before = Promise.resolve();
export function commit(edit) {
  const since = performance.now();
  return (before = busy(() => before.then(() => committed(edit, since))));
}

async function committed(edit, since) {
  const edits = join(bench.edits, edit);
  waiting = null;
  if (!(await update(edits, since))) {
    await back();
    return false;
  }
  bench.past.push(bench.edits);
  bench.future = [];
  bench.edits = edits;
  remember();
  return true;
}

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

// The state of the bench for the address, without its source.
const stateNow = () => ({ ...(bench.edits.length ? { edits: bench.edits } : {}), ...(bench.trials !== 64 ? { trials: bench.trials } : {}), ...(bench.task ? { task: bench.task } : {}), ...(bench.stimulus ? { stimulus: bench.stimulus } : {}), ...(bench.source.motif ? { motif: bench.source } : {}) });

export function remember() {
  const now = stateNow(), text = Object.keys(now).length ? `#${encodeURIComponent(JSON.stringify(now))}` : "";
  setAddress(location.pathname + location.search + text);
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

// The contents of a saved page of the bench: the original and the changed circuit, with the potentials of all neurons.
async function page() {
  if (!bench.now) return null;
  const { edits } = bench, question = (name, of, more = {}) => request(name, { ...query(of), ...more }).then((answer) => ({ question: name, edits: of, answer }));
  const answers = [await question("bench/open", []), await question("bench", [], { whole: true }), ...(edits.length ? [await question("bench", edits, { whole: true }), await question("bench/compare", edits)] : [])];
  if (answers.some((item) => !item.answer)) return null;
  const { motif, ...at } = bench.source;
  return { title: `${data.title} on the bench`, view: { view: "bench", ...(motif || at.blank ? { blank: at.blank?.name } : at), state: stateNow() }, answers };
}

// Open another source.
export async function open(source, edits = []) {
  Object.assign(bench, { source, edits, past: [], future: [], original: null, now: null, shown: [], selected: null });
  shown = "";
  newest = ++turn;
  const head = await request("bench/open", query([]));
  if (!head) return false;
  load(head);
  named(head.title);
  $("summary").textContent = head.task.name ? `${head.task.name}${head.task.text ? `: ${head.task.text}` : ""}` : "No task is named: choose one below to score it.";
  if (!$("board")) build();
  tell("source");
  if (edits.length) bench.original = await request("bench", query([])) ?? null;
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
  on("neuron", () => { if (bench.now && !potentials()) update(bench.shown); });
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || /INPUT|TEXTAREA/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    travel(event.shiftKey ? "redo" : "undo");
  });
}

inSight();
begin("bench", "Bench", { page, figures: true });
const initial = state();
Object.assign(bench, { trials: initial.trials ?? 64, task: initial.task ?? null, stimulus: initial.stimulus ?? null });
const source = sourceOf() ?? initial.motif ?? null;
drawSources();
if (source) await open(source, initial.edits ?? []);
else document.documentElement.dataset.drawn = "none";
