// Circuit: the wiring of the selected circuit, and its numbers.
import { chart, chosen, data, el, facts, number, on, plain, section, table, tell, titled } from "./tools.js";
import { LABELLED, light, nameOf, wiring } from "./wiring.js";

let drawing = null;
const BESIDE = 16; // neurons; a picture of more takes the whole width

export function drawCircuit() {
  const body = section("circuit"), picture = el("div", { id: "wiring" }), beside = el("div"), below = el("div", { id: "parts" });
  const both = el("div", { class: "wide" }, picture, beside);
  body.append(both, below);
  let again = () => {};
  on("circuit", () => {
    const c = chosen.circuit, m = data.members[chosen.rank];
    both.classList.toggle("spread", c.neurons.length > BESIDE);
    again = chart(picture, (width, host) => {
      drawing = wiring(host, width, c, { act: { node: pickNeuron, over: reach, out: () => tell("light", [], []) } });
      dress();
    });
    const heading = data.kind === "run" ? `Rank ${m.rank}` : "The motif";
    const core = c.analysis?.core;
    beside.replaceChildren(
      titled(heading, [m.overfitted ? "overfitted" : "", m.uneven ? "uneven" : ""].filter(Boolean).join(", "), facts([
        ["held out", m.held_out === undefined ? null : m.low === null ? number(m.held_out) : `${number(m.held_out)}, 95 %: ${number(m.low)} to ${number(m.high)}`],
        ["worst condition", m.worst == null ? null : `${number(m.worst)}: ${m.worst_condition[0]} (${m.worst_condition[1]} trials)`],
        ["in validation", m.validation === undefined ? null : number(m.validation)],
        ["in the search", m.score === undefined ? null : number(m.score)],
        ["neurons", `${m.e} E, ${m.i} I`], ["synapses", String(m.synapses)],
        ["spikes", m.spikes === undefined ? null : `${number(m.spikes, 1)} per trial`], ["synaptic events", m.events === undefined ? null : `${number(m.events, 1)} per trial`],
        ["membrane noise", data.model.noise_mv ? `${plain(data.model.noise_mv)} mV` : null],
      ])),
      ...(data.kind === "run" ? [el("p", { class: "note gap" }, "Export: ", el("code", {}, `evo export ${data.folder} --to motif --rank ${m.rank}`))] : []),
      ...(c.motifs?.length ? [el("div", { class: "gap" }, motifs(c))] : []),
      ...(core ? [el("div", { class: "gap" }, el("button", { type: "button", id: "core", "aria-pressed": String(chosen.core), onclick: (event) => { chosen.core = !chosen.core; event.target.setAttribute("aria-pressed", String(chosen.core)); dress(); } }, "Show the core alone"))] : []),
      ...(c.left_out ? [el("p", { class: "note gap" }, `Too large to be drawn whole: ${c.left_out}.${data.kind === "motif" ? " Nor is it analysed: that takes a simulation of each part." : ""}`)] : []),
      el("p", { class: "note gap" }, `Triangles and arrows excite, circles and bars inhibit; squares are inputs. Width: weight. ${c.synapses.length > LABELLED ? "Delays, in ms, are shown when a part is pointed at." : "Figures: delay in ms."} Point at a part for its numbers; choose a neuron to see its potential below.`));
    below.replaceChildren(parts(c));
  });
  on("neuron", () => drawing?.selectAll(".node").classed("here", function () { return Number(this.dataset.node) === chosen.neuron; }));
  on("light", (nodes, synapses) => light(drawing, nodes, synapses));
}

function dress() {
  const c = chosen.circuit, core = c.analysis?.core, gone = chosen.core && core ? removed(c, core.removed) : { nodes: new Set(), synapses: new Set() };
  drawing.selectAll(".node").classed("off", function () { return gone.nodes.has(Number(this.dataset.node)); }).classed("here", function () { return Number(this.dataset.node) === chosen.neuron; });
  drawing.selectAll(".edge").classed("off", function () { return gone.synapses.has(Number(this.dataset.synapse)); });
}

// Highlight a part and its connections.
export function reach(node, synapse) {
  const all = chosen.circuit.synapses;
  if (synapse !== null) return tell("light", [all[synapse][0], all[synapse][1]], [synapse]);
  const its = d3.range(all.length).filter((k) => all[k][0] === node || all[k][1] === node);
  tell("light", [node, ...its.flatMap((k) => all[k].slice(0, 2))], its);
}

export function pickNeuron(node) {
  if (node < chosen.circuit.inputs.length) return;
  chosen.neuron = node;
  tell("neuron");
}

function motifs(c) {
  const chip = (m) => {
    const light = () => tell("light", m.nodes, m.synapses);
    return el("button", { type: "button", title: m.source, onpointerenter: light, onfocus: light, onpointerleave: () => tell("light", [], []), onblur: () => tell("light", [], []) }, `${m.name}${m.count > 1 ? ` × ${m.count}` : ""}`);
  };
  return titled("Motifs it holds", "", el("div", { class: "chips" }, ...c.motifs.map(chip)));
}

function parts(c) {
  const plastic = c.synapses.some((s) => s[4]);
  const head = [{ text: "neuron", left: true }, { text: "output", left: true }, ...data.model.parameters.map((p) => ({ text: p.name, title: p.text }))];
  const neurons = table(head, c.neurons.map((n) => [`${n.id} (${n.type || n.sign})`, n.ports.join(", "), ...n.p.map((v) => plain(v))]), { id: "neurons" });
  const synapses = table([{ text: "from", left: true }, { text: "to", left: true }, "weight, mV", "delay, ms", ...(plastic ? [{ text: "plasticity", left: true }] : [])],
    c.synapses.map((s) => [nameOf(c, s[0]), nameOf(c, s[1]), plain(s[2]), plain(s[3]), ...(plastic ? [s[4]] : [])]), { id: "synapses" });
  neurons.querySelectorAll("tbody tr").forEach((row, k) => hovered(row, () => reach(c.inputs.length + k, null)));
  synapses.querySelectorAll("tbody tr").forEach((row, k) => hovered(row, () => reach(null, k)));
  return el("details", {}, el("summary", {}, "All neurons and synapses"), el("div", { class: "halves gap" },
    el("div", {}, el("div", { class: "scroll", tabindex: 0 }, neurons)), el("div", {}, el("div", { class: "scroll", tabindex: 0 }, synapses))));
}

function hovered(row, act) {
  row.addEventListener("pointerenter", act);
  row.addEventListener("pointerleave", () => tell("light", [], []));
}

// Nodes and synapses by the names of parts: "I0", "E0>I1", "left>E0", "left", "I>E".
export function removed(c, names) {
  const parts = { nodes: new Set(), synapses: new Set() }, wanted = new Set(names);
  c.neurons.forEach((n, k) => wanted.has(n.id) && parts.nodes.add(c.inputs.length + k));
  c.synapses.forEach((s, k) => {
    const whole = parts.nodes.has(s[0]) || parts.nodes.has(s[1]);
    if (whole || wanted.has(`${nameOf(c, s[0])}>${nameOf(c, s[1])}`)) parts.synapses.add(k);
  });
  return parts;
}
