// Descent: the changes from the founder to the circuit that improved its score.
import { $, chart, chosen, count, data, el, frame, number, on, padded, section, tell, tip, titled } from "./tools.js";
import { wiring } from "./wiring.js";
import { choose } from "./view.js";

export function drawDescent() {
  let again = () => {};
  const show = () => {
    const steps = chosen.circuit.lineage;
    $("descent").classList.toggle("late", steps === undefined); // the lab sends it after the circuit
    if (steps === undefined) return;
    $("descent").hidden = !(steps && steps.length);
    if ($("descent").hidden) return;
    const body = section("descent"), line = el("div", { id: "line" }), diff = el("div", { id: "diff", class: "gap" });
    const founder = steps[0].before === null;
    body.replaceChildren(
      el("p", {}, `${founder ? "From its founder" : "Over its last steps"} to rank ${chosen.rank}: ${steps.length} ${steps.length === 1 ? "step" : "steps"}, from ${number(steps[0].score)} to ${number(steps[steps.length - 1].score)} in the search. Changes that left the score alone are not shown.`),
      line, came(data.members[chosen.rank]), diff);
    again = chart(line, timeline);
    compare(diff);
  };
  on("circuit", show);
  on("lineage", show);
  on("step", () => { again(); compare($("diff")); });
}

// How often the wiring came up in the run, and links to the other circuits of the front that have it.
function came({ recurrence }) {
  const { circuits, islands, founders, generation, ranks, more } = recurrence, host = el("p", { id: "recurrence", class: "note" });
  if (circuits === 1) host.append("Nothing else that the run remembers has this wiring. ");
  else host.append(`This wiring, weights and delays apart, is that of ${count(circuits)} circuits the run remembers, first in generation ${generation}; born on ${islands.length === 1 ? `island ${islands[0]}` : `islands ${islands.join(", ")}`}; by their mothers from ${founders === 1 ? "a single founder" : `${count(founders)} founders`}. `);
  if (ranks.length) host.append("On the front: ", ...ranks.flatMap((rank) => [el("button", { type: "button", onclick: () => choose(rank) }, `rank ${rank}`), " "]), more ? `and ${more} more. ` : "");
  host.append("Across runs: ", el("code", {}, "evo motifs DIR DIR..."));
  return host;
}

function pickStep(k) {
  chosen.step = Math.max(0, Math.min(chosen.circuit.lineage.length - 1, k));
  tell("step");
}

function timeline(width, host) {
  const steps = chosen.circuit.lineage, last = d3.max(steps, (s) => s.generation) || 1;
  const x = d3.scaleLinear([0, last], [0, 1]).nice(), y = d3.scaleLinear(padded([0, 1], 0.04), [0, 1]);
  const { svg, plot } = frame(host, { width, height: 210, x, y, xLabel: "generation", yLabel: "score", yTicks: 5, alt: "Score of the line over generations" });
  const path = d3.line().curve(d3.curveStepAfter).x((s) => x(s.generation)).y((s) => y(s.score));
  plot.append("path").attr("class", "line strong").attr("d", path(steps));
  steps.forEach((s, k) => {
    plot.append("circle").attr("class", `step${s.crossed ? " crossed" : ""}${k === chosen.step ? " here" : ""}`).attr("data-step", k).attr("cx", x(s.generation)).attr("cy", y(s.score)).attr("r", 5)
      .on("click", () => pickStep(k))
      .on("pointerenter", (event) => tip.show(event, s.before === null ? "founder" : `generation ${s.generation}, island ${s.island}`, [["score", number(s.score)], ...(s.before === null ? [] : [["change", gain(s)]]), ...(s.crossed ? [["by", "crossover"]] : [])]))
      .on("pointerleave", () => tip.hide());
  });
  svg.attr("tabindex", 0).attr("role", "application").attr("aria-label", "Steps of descent; arrow keys choose").on("keydown", (event) => {
    const to = { ArrowRight: chosen.step + 1, ArrowLeft: chosen.step - 1, Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    pickStep(to);
    host.querySelector("svg").focus({ preventScroll: true });
  });
}

const gain = (s) => `${s.score >= s.before ? "+" : ""}${number(s.score - s.before)}`;

function compare(host) {
  const steps = chosen.circuit.lineage, s = steps[chosen.step];
  host.replaceChildren();
  const walk = el("div", { class: "controls" },
    el("button", { type: "button", disabled: chosen.step === 0, "aria-label": "Step before", onclick: () => pickStep(chosen.step - 1) }, "‹"),
    el("span", {}, `step ${chosen.step + 1} of ${steps.length}`),
    el("button", { type: "button", disabled: chosen.step === steps.length - 1, "aria-label": "Next step", onclick: () => pickStep(chosen.step + 1) }, "›"));
  if (!s.mother) {
    const box = el("div");
    host.append(walk, titled(s.parent ? `The founder, ${s.parent} or a mutant of it` : "The founder", `island ${s.island}, score ${number(s.score)}`, box));
    chart(box, (width, at) => wiring(at, Math.min(width, 640), s.child, { most: 62, label: "Founder" }));
    return;
  }
  const left = el("div"), right = el("div"), both = [s.mother.extent, s.child.extent];
  const extent = [0, 1, 2, 3].map((k) => (k % 2 ? Math.max : Math.min)(both[0][k], both[1][k]));
  const plainly = s.score === s.before ? "changes since that left the score alone" : s.crossed ? "mutation, with a father's part" : "mutation";
  host.append(walk,
    el("h3", {}, `Generation ${s.generation}, island ${s.island}: ${number(s.before)} → ${number(s.score)}`, el("small", {}, plainly)),
    el("ul", { class: "changes" }, ...(s.texts.length ? s.texts : ["nothing that can be seen"]).map((text) => el("li", {}, text))),
    el("div", { class: "halves gap" }, titled("Mother", "", left), titled("Child", "", right)),
    el("p", { class: "note" }, el("span", { class: "key kg" }), "gone, dashed   ", el("span", { class: "key kn" }), "new   ", el("span", { class: "key kc" }), "changed"));
  chart(left, (width, at) => wiring(at, width, s.mother, { most: 62, marks: { gone: s.gone, changed: s.changed.mother }, label: "Mother", extent }));
  chart(right, (width, at) => wiring(at, width, s.child, { most: 62, marks: { new: s.new, changed: s.changed.child }, label: "Child", extent }));
}
