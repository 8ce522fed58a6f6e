// Learning: how a network of copies of the circuit learned, step by step of its training.
import { $, chart, chosen, count, el, number, on, section, titled } from "./tools.js";
import { curves } from "./activity.js";

export function drawLearning() {
  on("circuit", () => {
    const learning = chosen.circuit.learning, container = $("learning");
    container.hidden = !learning;
    if (!learning) return;
    const body = section("learning"), all = [learning.search, ...learning.held_out], lost = d3.sum(all, (c) => c.lost);
    const name = (k) => (k === 0 ? "search" : learning.held_out.length > 1 ? `held out ${k}` : "held out");
    body.replaceChildren();
    const last = (c) => `${number(c.accuracy[c.accuracy.length - 1])}`;
    body.append(el("p", {}, `Balanced accuracy of a network of copies of this circuit, on trials that it was not trained on: ${last(learning.search)} after ${count(learning.search.steps[learning.search.steps.length - 1])} steps in the search${learning.held_out.length ? `, ${learning.held_out.map(last).join(" and ")} with fresh trials and first weights` : ""}; chance is ${number(learning.chance)}.${lost ? ` ${count(lost)} of the training steps had no usable gradients and were left out.` : ""}`));
    const host = el("div", { class: "halves" });
    body.append(host);
    for (const [key, title, small, options] of [
      ["accuracy", "Learning curve", "balanced accuracy", { floor: Math.min(learning.chance, d3.min(all, (c) => d3.min(c.accuracy))), ceiling: 1.01 }],
      ["spikes", "Spikes", "of all neurons, per trial", { floor: 0 }],
    ]) {
      const box = el("div");
      host.append(titled(title, small, box));
      queueMicrotask(() => chart(box, (width, at) => curves(at, width, learning.search.steps, all.map((c, k) => ({ name: name(k), y: c[key] })), { xLabel: "steps of training", yLabel: small, height: 220, ...options })));
    }
  });
}
