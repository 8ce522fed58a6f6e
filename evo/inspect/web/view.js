// The whole view: sections, selection, keyboard and address.
import { $, chosen, data, el, number, on, source, tell } from "./tools.js";
import { drawRun } from "./run.js";
import { drawFront } from "./front.js";
import { drawCircuit } from "./circuit.js";
import { drawActivity } from "./activity.js";
import { drawMeasured } from "./measured.js";
import { drawWhy } from "./why.js";
import { drawAssembly } from "./assembly.js";
import { drawLearning } from "./learning.js";
import { drawDescent } from "./descent.js";

const SECTIONS = { run: "Run", front: "Front", circuit: "Circuit", assembly: "Assembly", activity: "Activity", measured: "Measured", why: "Why it works", learning: "Learning", descent: "Descent" };
let wanted = 0, drawn = false;

export async function choose(rank) {
  const turn = ++wanted;
  const circuit = await source.circuit(rank);
  if (turn !== wanted) return;
  chosen.rank = rank;
  chosen.circuit = circuit;
  chosen.core = false;
  chosen.step = (circuit.lineage?.length ?? 1) - 1;
  chosen.neuron = circuit.inputs.length + busiest(circuit);
  tell("circuit");
  tell("neuron");
  if (data.kind === "run") {
    if (location.protocol !== "about:") history.replaceState(null, "", `#rank-${rank}`);
    const m = data.members[rank];
    $("said").textContent = `rank ${rank}: held out ${number(m.held_out)}, ${m.e} excitatory and ${m.i} inhibitory neurons`;
    $("chosen").querySelector("span").textContent = `rank ${rank} · ${number(m.held_out)}`;
    const [back, on] = $("chosen").querySelectorAll("button");
    back.disabled = rank === 0;
    on.disabled = rank === data.members.length - 1;
  }
  document.documentElement.dataset.drawn = rank;
}

// The output neuron that fires most in the trials shown.
function busiest(circuit) {
  const spikes = (n) => (circuit.activity ? d3.sum(circuit.activity.spikes, (trial) => trial[n].length) : 0);
  return d3.greatest(d3.range(circuit.neurons.length), (n) => (circuit.neurons[n].ports.length ? 1e9 : 0) + spikes(n)) ?? 0;
}

function drawHead() {
  const title = data.title || "Run";
  $("title").textContent = title;
  $("name").textContent = title;
  const best = data.members[0];
  $("summary").textContent = data.kind === "motif"
    ? `${best.e} E and ${best.i} I neurons, ${best.synapses} synapses${data.task.name ? `, evolved for ${data.task.name}` : ""}.`
    : `${data.task.name}${data.task.text ? `: ${data.task.text}` : ""} ${best ? `The best circuit scores ${number(best.held_out)} held out (95 %: ${number(best.low)} to ${number(best.high)}${best.worst == null ? "" : `; ${number(best.worst)} in its worst condition, ${best.worst_condition[0]}`}) with ${best.e} E and ${best.i} I neurons.` : "Nothing is stored yet."}`;
  if (data.kind === "run" && data.members.length) {
    $("chosen").replaceChildren();
    const step = (by, text, label) => el("button", { type: "button", class: "quiet", "aria-label": label, onclick: () => choose(Math.max(0, Math.min(data.members.length - 1, chosen.rank + by))) }, text);
    $("chosen").append(step(-1, "‹", "Circuit before"), el("span"), step(1, "›", "Next circuit"));
    $("chosen").hidden = false;
  }
}

// Links to the visible sections.
function links() {
  const parts = [...document.querySelectorAll("main section")].filter((part) => !part.hidden);
  $("sections").replaceChildren(...parts.map((part) => el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)));
}
function watch() {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) {
      for (const a of $("sections").children) a.hash === `#${target.id}` ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main section").forEach((part) => seen.observe(part));
}


// Draws the loaded data; called again when a run has gone on, it redraws only what may have changed.
export function draw() {
  drawHead();
  drawRun();
  if (data.kind === "run") drawFront();
  if (data.members.length && !drawn) {
    drawn = true;
    drawCircuit();
    drawActivity();
    if (data.equally_good) drawMeasured();
    drawWhy();
    drawAssembly();
    drawLearning();
    drawDescent();
    on("circuit", links);
    on("lineage", links);
  }
  links();
}

export function start() {
  $("main").append(...Object.entries(SECTIONS).map(([id, text]) => el("section", { id, hidden: true }, el("h2", {}, text), el("div", { class: "body" }))));
  draw();
  watch();
  const linked = /^#rank-(\d+)$/.exec(location.hash);
  if (data.members.length) return choose(linked && Number(linked[1]) < data.members.length ? Number(linked[1]) : 0);
  document.documentElement.dataset.drawn = "none";
}
