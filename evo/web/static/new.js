// A new run: its spec as a form, and as TOML beside it; or a fork of a run, with changed settings.
import { $, count, el } from "../page/tools.js";
import { address, ask, go, parameter, request, trouble } from "./asking.js";
import { begin } from "./frame.js";

let spec = null, timer = null, turn = 0;

const field = (section, key) => `${section}.${key}`;
const inputs = new Map();

function valueOf(section, key) {
  let at = spec.values;
  for (const part of section.split(".")) at = at?.[part];
  return at?.[key];
}
function put(section, key, value) {
  let at = spec.values;
  for (const part of section.split(".")) at = at[part] ??= {};
  if (value === undefined) delete at[key];
  else at[key] = value;
}

const shown = (v) => (v === null || v === undefined ? "" : Array.isArray(v) ? v.join(", ") : typeof v === "object" ? JSON.stringify(v) : String(v));
const numeric = (text) => text !== "" && Number.isFinite(Number(text));
const parsed = (text) => (numeric(text) ? Number(text) : text);

// The typed text as a value of the spec; text that is no valid value stays text, which the check refuses.
function read(f, text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (trimmed.startsWith("{")) { try { return JSON.parse(trimmed); } catch { return trimmed; } }
  if (f.type === "array" || trimmed.includes(",")) return trimmed.split(",").map((part) => parsed(part.trim()));
  return f.type === "string" ? trimmed : parsed(trimmed);
}

function control(section, f) {
  const id = `f-${section}-${f.key}`.replaceAll(".", "-"), now = valueOf(section, f.key), set = (value) => { put(section, f.key, value); check(); };
  const usual = shown(f.default);
  let input;
  if (f.type === "boolean") input = el("input", { id, type: "checkbox", checked: now ?? f.default, onchange: () => set(input.checked) });
  else if (f.choices) input = el("select", { id, onchange: () => set(input.value) }, ...f.choices.map((c) => el("option", { selected: c === (now ?? f.default) }, c)));
  else input = el("input", { id, type: "text", value: shown(now), placeholder: usual || (f.optional ? "never" : ""), inputmode: f.type === "integer" || f.type === "number" ? "decimal" : null, oninput: () => { set(read(f, input.value)); } });
  const message = el("span", { class: "wrong", id: `${id}-told`, role: "alert" });
  input.setAttribute("aria-describedby", `${id}-text ${id}-told`);
  inputs.set(field(section, f.key), { input, message, f, section });
  const range = f.minimum !== null && f.minimum !== undefined ? ` (${shown(f.minimum)}${f.maximum !== null && f.maximum !== undefined && f.maximum < 1e7 ? ` to ${shown(f.maximum)}` : " or more"})` : "";
  return el("div", { class: "field" }, el("label", { for: id }, f.key), input, el("span", { class: "note", id: `${id}-text` }, `${f.text}${range}`), message);
}

const TITLES = { task: "Task", circuit: "Circuits", "circuit.parameters": "Parameters of neurons", search: "Search", "search.stop": "Early stopping" };
function fields() {
  inputs.clear();
  $("fields").replaceChildren(...spec.sections.map((s) => el("details", { open: ["task", "search"].includes(s.name), "data-section": s.name }, el("summary", {}, TITLES[s.name] ?? s.name), el("p", { class: "note" }, s.name === "circuit.parameters" ? "A number, or minimum, maximum between which they evolve." : ""), ...s.fields.map((f) => control(s.name, f)))));
}

function report({ error, place, own, circuits }) {
  for (const { message, input } of inputs.values()) { message.textContent = ""; input.removeAttribute("aria-invalid"); }
  const at = [...inputs.keys()].filter((key) => place && (key === place || place.startsWith(`${key}.`) || place.startsWith(`${key}[`))).sort((a, b) => b.length - a.length)[0];
  if (at) {
    const { message, input } = inputs.get(at);
    message.textContent = error;
    input.setAttribute("aria-invalid", "true");
    const section = input.closest("details");
    if (section) section.open = true;
  }
  $("verdict").textContent = error ? `${place ? `${place}: ` : ""}${error}` : own ? "The spec names code of your own, which is executed when it is started, not before." : `The spec is sound${circuits ? `: ${count(circuits)} circuits a generation` : ""}.`;
  $("verdict").classList.toggle("wrong", Boolean(error));
  $("go").disabled = Boolean(error);
  document.documentElement.dataset.checked = error ? "wrong" : "sound";
}

function check(from = "values") {
  clearTimeout(timer);
  document.documentElement.dataset.checked = "";
  timer = setTimeout(async () => {
    const own = ++turn;
    try {
      const answer = await ask("spec/check", from === "toml" ? { toml: $("toml").value } : { values: spec.values });
      if (own !== turn) return;
      const sections = JSON.stringify(spec.sections.map((s) => [s.name, s.fields.map((f) => f.key)])) !== JSON.stringify(answer.sections.map((s) => [s.name, s.fields.map((f) => f.key)]));
      spec = { ...answer };
      if (from === "values") $("toml").value = answer.toml;
      if (from === "toml" || sections) fields();
      trouble(null);
      report(answer);
    } catch (error) {
      if (own === turn) report({ error: error.message, place: error.place });
    }
  }, 150);
}

async function start(consent = {}) {
  $("go").disabled = true;
  try {
    const { name } = fork ? await ask("fork", { run: fork, changes: $("changes").value, name: $("run-name").value, workers: workers(), ...consent }) : await ask("start", { toml: $("toml").value, name: $("run-name").value, workers: workers(), ...consent });
    trouble(null);
    $("verdict").textContent = `${name} is starting…`;
    await begun(name);
  } catch (error) {
    $("go").disabled = false;
    trouble(error.place && error.place !== "execute" ? new Error(`${error.place}: ${error.message}`) : error);
    if (error.place === "execute") $("trouble").append(el("button", { type: "button", id: "execute", onclick: () => start({ execute: true }) }, "Execute it and start"));
  }
}
const workers = () => ($("workers").value === "auto" ? "auto" : Number($("workers").value));

async function begun(name) {
  for (;;) {
    const job = await ask("job", { name });
    if (job.state === "failed") throw new Error(job.said || "The run has ended without a word.");
    if (job.state === "begun" || job.state === "ended") return go(address("run", { name }));
    $("verdict").textContent = `${name} is starting… ${job.said}`;
    await new Promise((done) => setTimeout(done, 400));
  }
}

const bottom = () => el("div", { class: "controls gap" }, el("label", {}, "name", el("input", { type: "text", id: "run-name", placeholder: "the first free one", "aria-label": "Name of the run" })), el("label", {}, "workers", el("select", { id: "workers", "aria-label": "Workers" }, el("option", { value: "0" }, "none: in one process"), el("option", { value: "auto" }, "one per processor (Ray)"), el("option", { value: "2" }, "2 (Ray)"), el("option", { value: "4" }, "4 (Ray)"))), el("button", { type: "button", class: "main", id: "go", onclick: () => start() }, fork ? "Fork" : "Start"), el("span", { id: "verdict", class: "note", role: "status" }));

const fork = parameter("fork");
begin("new", fork ? `Fork ${fork}` : "New run");
if (fork) {
  $("summary").textContent = "A fork begins with the circuits of the other run, and with changed settings.";
  $("main").append(el("label", {}, "Settings to change, a line each", el("textarea", { id: "changes", rows: 6, cols: 60, spellcheck: "false" }, "search.seed = 2\n")), bottom());
  document.documentElement.dataset.checked = "sound";
} else {
  const choices = await request("circuits"), founder = parameter("founder");
  if (choices) {
    const selected = parameter("task") ?? "gate";
    const task = el("select", { id: "task", "aria-label": "Task", onchange: () => show(task.value) }, ...choices.tasks.map((t) => el("option", { value: t.name, selected: t.name === selected }, t.name)));
    $("tools").append(el("label", {}, "for the task", task), el("span", { class: "note", id: "what" }), ...(founder ? [el("span", {}, `beginning with ${founder}`)] : []));
    $("main").append(el("div", { class: "halves", id: "spec" }, el("div", { id: "fields" }), el("div", {}, el("h3", {}, "The same as TOML"), el("textarea", { id: "toml", spellcheck: "false", "aria-label": "The spec as TOML", oninput: () => check("toml") }))), bottom());
    const show = async (name) => {
      $("what").textContent = choices.tasks.find((t) => t.name === name)?.text ?? "";
      const answer = await request("spec/form", { task: name, founder });
      if (!answer) return;
      spec = answer;
      $("toml").value = answer.toml;
      fields();
      check("toml");
    };
    await show(choices.tasks.some((t) => t.name === selected) ? selected : "gate");
  }
}
