// The circuit on the bench: dragging, clicking, and the numbers of the selected part.
import { $, chart, data, el, on, plain, tell } from "../page/tools.js";
import { light, synapseName, title, wiring } from "../page/wiring.js";
import { pickNeuron, reach } from "../page/circuit.js";
import { bench, commit, preview } from "./bench.js";

const HEIGHT = 120; // pixels of a drag by which a weight grows e-fold, or a delay
let drawing = null, lesioning = false, from = null, dragging = false;

const circuit = () => bench.now;
const neuronId = (node) => bench.now.ids[node - bench.now.inputs.length];
const heaviest = () => d3.max(circuit().synapses, (s) => s[2]) || 60;
const usual = () => ({ mv: d3.median(circuit().synapses, (s) => s[2]) ?? 40, ms: d3.median(circuit().synapses, (s) => s[3]) ?? data.task.dt_ms });
export const silenced = () => new Set(bench.shown.filter((e) => e.edit === "silence").map((e) => e.neuron));

export function drawBoard() {
  const picture = el("div", { id: "wiring" }), mode = el("button", { type: "button", id: "lesioning", "aria-pressed": "false", onclick: () => { lesioning = !lesioning; mode.setAttribute("aria-pressed", String(lesioning)); } }, "Lesion by clicking");
  const addButton = (sign, text) => el("button", { type: "button", "data-place": sign, onclick: () => commit({ edit: "place", sign }) }, text);
  $("board").append(picture, el("div", { class: "controls" }, mode, addButton("E", "Add an E neuron"), addButton("I", "Add an I neuron")),
    el("p", { class: "note" }, "Drag a synapse up or down to change its weight, with Shift its delay. Choose a part to see its figures; arrow keys change a chosen synapse."));
  on("circuit", () => (dragging ? dress() : draw()));
  on("light", (nodes, synapses) => light(drawing, nodes, synapses));
  on("neuron", dress);
  on("selected", dress);
}

function draw() {
  chart($("wiring"), (width, host) => {
    drawing = wiring(host, width, circuit(), { act: { node: picked, input: picked, edge: handle, over: reach, out: () => tell("light", [], []) } });
    dress();
  });
}

function dress() {
  if (!drawing) return;
  const gone = silenced();
  drawing.selectAll(".node").classed("here", function () { return bench.selected?.node === Number(this.dataset.node); }).classed("off", function () { const k = Number(this.dataset.node); return k >= circuit().inputs.length && gone.has(neuronId(k)); });
  drawing.selectAll(".edge").classed("here", function () { return bench.selected?.synapse === Number(this.dataset.synapse); });
  const s = circuit().synapses, largest = heaviest();
  if (dragging) drawing.selectAll(".edge").each(function () { const synapse = s[Number(this.dataset.synapse)]; if (synapse) d3.select(this).select(".way").attr("stroke-width", 0.7 + 2.3 * (synapse[2] / largest)); d3.select(this).select("text").text(plain(synapse?.[3] ?? 0, 3)); });
}

function select(part) {
  bench.selected = part;
  tell("selected");
}

function picked(node) {
  if (from !== null) {
    const source = from;
    from = null;
    if (node >= circuit().inputs.length) connect(source, node);
    return;
  }
  if (node >= circuit().inputs.length) {
    pickNeuron(node);
    if (lesioning) return commit({ edit: "silence", neuron: neuronId(node) });
  }
  select({ node });
}

function connect(source, node) {
  const end = source < circuit().inputs.length ? { channel: circuit().inputs[source] } : { pre: neuronId(source) };
  return commit({ edit: "connect", ...end, post: neuronId(node), ...usual() });
}

// A synapse is selected by a click, and changed by dragging or by arrow keys.
function handle(k, hit) {
  const change = (delay, dy, start) => (delay ? { edit: "delay", synapse: k, ms: Math.max(data.task.dt_ms, start[3] - (dy / HEIGHT) * 10) } : { edit: "weight", synapse: k, mv: Math.max(0, start[2] - (dy / HEIGHT) * heaviest()) });
  hit.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    const start = circuit().synapses[k], y = event.clientY, largest = heaviest();
    let last = null;
    hit.setPointerCapture(event.pointerId);
    const move = (e) => {
      const dy = e.clientY - y;
      if (Math.abs(dy) < 4 && !last) return;
      dragging = true;
      last = e.shiftKey ? { edit: "delay", synapse: k, ms: Math.max(data.task.dt_ms, start[3] - (dy / HEIGHT) * 10) } : { edit: "weight", synapse: k, mv: Math.max(0, start[2] - (dy / HEIGHT) * largest) };
      preview(last);
    };
    const up = () => {
      hit.removeEventListener("pointermove", move);
      dragging = false;
      if (last) commit(last).then(draw);
      else if (lesioning) commit({ edit: "cut", synapse: k });
      else select({ synapse: k });
    };
    hit.addEventListener("pointermove", move);
    hit.addEventListener("pointerup", up, { once: true });
    hit.addEventListener("pointercancel", up, { once: true });
  });
  hit.addEventListener("keydown", async (event) => {
    const up = { ArrowUp: -6, ArrowDown: 6 }[event.key];
    if (event.key === "Enter" || event.key === " ") select({ synapse: k });
    else if (event.key === "Delete" || event.key === "Backspace") await commit({ edit: "cut", synapse: k });
    else if (up) {
      await commit(change(event.shiftKey, up, circuit().synapses[k]));
      $("wiring").querySelector(`[data-synapse="${k}"] .hit`)?.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  });
}

export function drawInspector() {
  on("circuit", () => { if (!$("inspector").contains(document.activeElement) || document.activeElement.type !== "range") inspect(); });
  on("selected", inspect);
  on("source", inspect);
}

// A slider with its figure: what it is moved to is tried at once, and kept when it is let go.
function slider(label, text, value, [low, high, step], edit) {
  const said = el("input", { type: "number", value: plainly(value), step: "any", "aria-label": `${label}, as a figure`, onchange: () => commit(edit(Number(said.value))) });
  const range = el("input", { type: "range", name: label, min: Math.min(low, value), max: Math.max(high, value), step: step ?? "any", value, "aria-label": label, title: text,
    oninput: () => { said.value = plainly(Number(range.value)); preview(edit(Number(range.value))); }, onchange: () => commit(edit(Number(range.value))) });
  return el("label", { class: "slider", title: text }, el("span", {}, label), range, said);
}
const plainly = (v) => String(Number(v.toPrecision(6)));

// Rebuild the inspector with the keyboard focus kept.
function inspect() {
  if (!circuit()) return;
  const host = $("inspector"), name = (one) => one.getAttribute("aria-label") ?? one.textContent;
  const focused = host.contains(document.activeElement) ? name(document.activeElement) : null;
  host.replaceChildren(...inspected(circuit(), bench.selected));
  if (focused) [...host.querySelectorAll("input, select, button")].find((one) => name(one) === focused)?.focus({ preventScroll: true });
}

function inspected(c, pick) {
  const act = (text, run, title) => el("button", { type: "button", onclick: run, title }, text);
  const noise = slider("membrane noise, mV", "the standard deviation that it alone would give the potential", c.noise_mv, [0, 5], (mv) => ({ edit: "noise", mv: Math.max(0, mv) }));
  if (pick?.synapse !== undefined && c.synapses[pick.synapse]) {
    const s = c.synapses[pick.synapse], k = pick.synapse;
    return [el("h3", {}, `Synapse ${synapseName(c, s)}`),
      slider("weight, mV", "peak of the current times the membrane resistance", s[2], [0, Math.max(100, 1.5 * heaviest())], (mv) => ({ edit: "weight", synapse: k, mv: Math.max(0, mv) })),
      slider("delay, ms", "", s[3], [data.task.dt_ms, Math.max(20, d3.max(c.synapses, (one) => one[3])), data.task.dt_ms], (ms) => ({ edit: "delay", synapse: k, ms })),
      el("div", { class: "controls" }, act("Cut", () => commit({ edit: "cut", synapse: k })), act("Flip its sign", () => commit({ edit: "flip", synapse: k }))), noise];
  }
  if (pick?.node !== undefined && pick.node < c.inputs.length + c.neurons.length) {
    const node = pick.node, input = node < c.inputs.length, id = input ? null : neuronId(node);
    const target = el("select", { "aria-label": "target" }, ...c.neurons.map((n, j) => el("option", { value: c.inputs.length + j }, n.id)));
    const join = el("div", { class: "controls" }, el("label", {}, "connect to", target), act("Add a synapse", () => connect(node, Number(target.value))), act("…by clicking", () => { from = node; $("said").textContent = "click the target"; }));
    if (input) return [el("h3", {}, title(c, node)), join, noise];
    const n = c.neurons[node - c.inputs.length], off = silenced().has(id);
    const port = data.task.outputs.length ? [el("label", {}, "read by", el("select", { "aria-label": "output port", onchange: (event) => event.target.value && commit({ edit: "read", port: event.target.value, neuron: id }) }, el("option", { value: "" }, n.ports.join(", ") || "no port"), ...data.task.outputs.filter((o) => !n.ports.includes(o)).map((o) => el("option", { value: o }, o))))] : [];
    return [el("h3", {}, title(c, node)),
      el("div", { class: "controls" }, act("Silence", () => commit({ edit: "silence", neuron: id }), off ? "it is silent" : ""), act(n.sign === "E" ? "Make it inhibitory" : "Make it excitatory", () => commit({ edit: "flip", neuron: id })), act("Take it out", () => { bench.selected = null; commit({ edit: "remove", neuron: id }); }), ...port),
      join,
      ...data.model.parameters.map((p, j) => slider(p.name.replace(/_(ms|mv)$/, (_, u) => `, ${u === "mv" ? "mV" : "ms"}`), p.text, n.p[j], around(p.name, n.p[j]), (value) => ({ edit: "set", neuron: id, parameter: p.name, value }))), noise];
  }
  return [el("p", { class: "note" }, "Choose a neuron, an input or a synapse in the picture to change it."), noise];
}

// The range of a slider: that of the parameter, around the current value.
function around(name, value) {
  const [low, high, usually] = data.ranges[name], wide = Math.max(Math.abs(value), Math.abs(usually), 10);
  const step = name === "t_ref_ms" ? data.task.dt_ms : undefined;
  return [Math.max(low, name.startsWith("v_") ? value - 40 : name === "bias_mv" ? -40 : low), Math.min(high, name.startsWith("v_") ? value + 40 : 4 * wide), step];
}
