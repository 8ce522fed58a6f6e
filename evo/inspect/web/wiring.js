// A circuit's wiring: triangles and arrows excite, circles and bars inhibit, squares are inputs. The layout is computed in
// Python, and the same every time.
import { clipped, data, plain, tip } from "./tools.js";

export const LABELLED = 40, RADIUS = 0.27;

export const sign = (circuit, node) => (node < circuit.inputs.length || circuit.neurons[node - circuit.inputs.length].sign === "E" ? "E" : "I");
export const nameOf = (circuit, node) => (node < circuit.inputs.length ? circuit.inputs[node] : circuit.neurons[node - circuit.inputs.length].id);
export const synapseName = (circuit, s) => `${nameOf(circuit, s[0])} ${sign(circuit, s[0]) === "E" ? "→" : "⊣"} ${nameOf(circuit, s[1])}`;

// marks: { new | gone | changed: { nodes, synapses } };   act: { node(k), input(k), edge(k, element), over(node, synapse), out() }
export function wiring(host, width, circuit, { marks = {}, act = {}, most = 76, label = "Wiring", extent = circuit.extent } = {}) {
  const [l, r, b, t] = extent;
  const words = (list) => Math.max(0, ...list.map((text) => clipped(text).length)) * 6.4;
  const before = 14 + words(circuit.inputs), after = 14 + words(circuit.neurons.map((n) => n.ports.join(", ")));
  const unit = Math.max(9, Math.min(most, (width - before - after - 6) / (r - l)));
  const wide = Math.max((r - l) * unit + before + after + 6, 60), high = (t - b) * unit + 12;
  const px = (x) => before + (x - l) * unit + 3, py = (y) => (t - y) * unit + 6;
  const svg = d3.select(host).append("svg").attr("class", "wiring").attr("viewBox", `0 0 ${wide} ${high}`).attr("width", wide).attr("height", high);
  svg.attr("role", "group").attr("aria-label", `${label}: ${circuit.neurons.length} neurons, ${circuit.synapses.length} synapses`);
  const halos = svg.append("g").attr("class", "halos"), heaviest = d3.max(circuit.synapses, (s) => s[2]) || 1, small = Math.min(1, unit / 42), fine = Math.max(0.5, Math.min(1, 50 / circuit.synapses.length));
  const marked = (kind, k) => Object.entries(marks).filter(([, m]) => m[kind].includes(k)).map(([name]) => name).join(" ");
  circuit.synapses.forEach((s, k) => {
    const c = circuit.curves[k].map((v, j) => (j % 2 ? py(v) : px(v))), inhibits = sign(circuit, s[0]) === "I";
    const dx = c[6] - c[4], dy = c[7] - c[5], n = Math.hypot(dx, dy) || 1, ux = dx / n, uy = dy / n, big = 7.5 * small, weight = fine * (0.7 + 2.3 * (s[2] / heaviest));
    const edge = svg.append("g").attr("class", `edge ${inhibits ? "inh" : "exc"} ${marked("synapses", k)}`).attr("data-synapse", k);
    const [ex, ey] = inhibits ? [c[6], c[7]] : [c[6] - ux * big * 0.8, c[7] - uy * big * 0.8];
    const path = `M${c[0]},${c[1]}C${c[2]},${c[3]} ${c[4]},${c[5]} ${ex},${ey}`;
    if ((marks.changed?.synapses ?? []).includes(k)) halos.append("path").attr("class", "halo").attr("d", path);
    edge.append("path").attr("class", "way").attr("d", path).attr("stroke-width", weight);
    edge.append("path").attr("class", "head").attr("d", inhibits
      ? `M${c[6] - uy * big * 0.75},${c[7] + ux * big * 0.75}L${c[6] + uy * big * 0.75},${c[7] - ux * big * 0.75}`
      : `M${c[6]},${c[7]}L${c[6] - ux * big - uy * big * 0.5},${c[7] - uy * big + ux * big * 0.5}L${c[6] - ux * big + uy * big * 0.5},${c[7] - uy * big - ux * big * 0.5}Z`);
    const hit = edge.append("path").attr("class", "hit").attr("d", path);
    if (act.edge) {
      hit.attr("tabindex", 0).attr("role", "button").attr("aria-label", `synapse ${synapseName(circuit, s)}, ${plain(s[2])} mV, ${plain(s[3])} ms`);
      act.edge(k, hit.node());
    }
    hit
      .on("pointerenter", (event) => { act.over?.(null, k); tip.show(event, synapseName(circuit, s), synapseFacts(s)); })
      .on("pointerleave", () => { act.out?.(); tip.hide(); });
    edge.append("text").attr("class", circuit.synapses.length > LABELLED ? "onhover" : null).attr("x", px(circuit.labels[k][0])).attr("y", py(circuit.labels[k][1]) + 3).text(plain(s[3], 3));
  });
  circuit.places.forEach(([x, y], k) => {
    const input = k < circuit.inputs.length, name = nameOf(circuit, k), kind = input ? "inp" : sign(circuit, k) === "E" ? "exc" : "inh";
    const node = svg.append("g").attr("class", `node ${kind} ${marked("nodes", k)}`).attr("data-node", k).attr("transform", `translate(${px(x)},${py(y)})`);
    const R = RADIUS * unit;
    if ((marks.changed?.nodes ?? []).includes(k)) halos.append("circle").attr("class", "halo").attr("cx", px(x)).attr("cy", py(y)).attr("r", R * 1.75);
    if (input) node.append("rect").attr("class", "shape").attr("x", -R).attr("y", -0.8 * R).attr("width", 2 * R).attr("height", 1.6 * R).attr("rx", 1.5);
    else if (kind === "exc") node.append("path").attr("class", "shape").attr("stroke-linejoin", "round").attr("d", `M0,${-1.25 * R}L${1.0825 * R},${0.625 * R}L${-1.0825 * R},${0.625 * R}Z`);
    else node.append("circle").attr("class", "shape").attr("r", R);
    if (input) {
      node.append("text").attr("class", "port").attr("x", -R - 7).attr("y", 4).text(clipped(name));
      if (act.input) node.attr("tabindex", 0).attr("role", "button").attr("aria-label", `input ${name}`).on("click", () => act.input(k)).on("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act.input(k); }
      });
    } else {
      if (unit > 26) node.append("text").attr("class", "id").attr("y", 3.8).style("font-size", `${Math.min(10, (2.6 * R) / Math.max(2, clipped(name, 8).length))}px`).text(clipped(name, 8));
      const neuron = circuit.neurons[k - circuit.inputs.length];
      if (neuron.ports.length) node.append("text").attr("class", "port").attr("x", R * 1.25 + 6).attr("y", 4).text(clipped(neuron.ports.join(", ")));
      if (act.node) node.attr("tabindex", 0).attr("role", "button").on("click", () => act.node(k)).on("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act.node(k); }
      });
      node.attr("aria-label", `${neuron.sign === "E" ? "excitatory" : "inhibitory"} neuron ${name}${neuron.ports.length ? `, output ${neuron.ports.join(", ")}` : ""}`);
    }
    const over = (at) => { act.over?.(k, null); tip.show(at, title(circuit, k), nodeFacts(circuit, k)); };
    const out = () => { act.out?.(); tip.hide(); };
    node.on("pointerenter", over).on("pointerleave", out).on("focus", () => over(node.node())).on("blur", out);
  });
  return svg;
}

export function title(circuit, node) {
  if (node < circuit.inputs.length) return `input ${circuit.inputs[node]}`;
  const neuron = circuit.neurons[node - circuit.inputs.length];
  return `${neuron.id}, ${neuron.type || (neuron.sign === "E" ? "excitatory" : "inhibitory")}${neuron.ports.length ? `, output ${neuron.ports.join(", ")}` : ""}`;
}
function nodeFacts(circuit, node) {
  if (node < circuit.inputs.length) return [["synapses", String(circuit.synapses.filter((s) => s[0] === node).length)]];
  const neuron = circuit.neurons[node - circuit.inputs.length];
  return data.model.parameters.map((p, k) => [p.name.replace(/_(ms|mv)$/, ""), `${plain(neuron.p[k])}${p.name.endsWith("_ms") ? " ms" : p.name.endsWith("_mv") ? " mV" : ""}`]);
}
const synapseFacts = (s) => [["weight", `${plain(s[2])} mV`], ["delay", `${plain(s[3])} ms`], ...(s[4] ? [["plastic", s[4]]] : [])];

// Highlight parts of a drawing and dim the rest; without parts, reset it.
export function light(svg, nodes, synapses) {
  if (!svg) return;
  svg.classed("dim", Boolean(nodes.length || synapses.length));
  svg.selectAll(".node").classed("lit", function () { return nodes.includes(Number(this.dataset.node)); });
  svg.selectAll(".edge").classed("lit", function () { return synapses.includes(Number(this.dataset.synapse)); });
}
