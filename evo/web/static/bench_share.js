// Comparison with the original; saving the circuit as a file, as code, as a figure, or as the founder of a run.
import { $, chart, el, number, on, titled } from "../page/tools.js";
import { wiring } from "../page/wiring.js";
import { address, ask, go, request, trouble } from "./asking.js";
import { query, bench } from "./bench.js";
import { choose, copied, saved } from "./sharing.js";

const FORMS = { python: "Python", toml: "TOML, a run from it", nest: "NEST", brian2: "Brian2", motif: "motif file" };

export function drawShare() {
  on("circuit", () => compare());
  const body = $("share").querySelector(".body"), code = el("pre", { id: "code", tabindex: 0, hidden: true });
  const name = el("input", { type: "text", id: "motif-name", value: "changed", "aria-label": "Name of the motif" });
  const motif = async () => { const answer = await request("bench/motif", query()); if (answer) saved(answer.text, `${name.value || "motif"}.json`, "application/json"); };
  const start = async () => { const answer = await request("bench/keep", { ...query(), name: name.value }); if (answer) go(address("new", { task: answer.task, founder: answer.path })); };
  const form = el("select", { id: "form", "aria-label": "Code for" }, ...Object.entries(FORMS).map(([key, text]) => el("option", { value: key }, text)));
  const copy = async () => {
    const answer = await request("bench/code", { ...query(), form: form.value });
    if (!answer) return;
    code.hidden = false;
    code.textContent = answer.text;
    await copied(answer.text);
  };
  const act = (id, text, run) => el("button", { type: "button", id, onclick: run }, text);
  body.append(
    el("div", { class: "controls" }, name, act("save", "Save as motif file", motif), act("start", "Start a run from it", start)),
    el("div", { class: "controls" }, form, act("copy", "Copy as code", copy), act("figure", "Figures", choose), act("link", "Copy the address", () => copied(location.href))),
    code, el("p", { class: "note" }, "A saved motif names the circuit that it was made from in its provenance."));
}

let turn = 0;
async function compare() {
  const host = $("compared"), own = ++turn;
  host.hidden = !bench.shown.length;
  if (host.hidden) return;
  await new Promise((done) => setTimeout(done, 250)); // not while something is dragged
  if (own !== turn) return;
  let diff;
  try {
    diff = await ask("bench/compare", query(bench.shown));
  } catch (error) {
    return trouble(error);
  }
  if (own !== turn) return;
  const left = el("div"), right = el("div"), extent = [0, 1, 2, 3].map((k) => (k % 2 ? Math.max : Math.min)(diff.mother.extent[k], diff.child.extent[k]));
  const was = bench.original?.score, now = bench.now.score;
  host.querySelector(".body").replaceChildren(
    el("ul", { class: "changes" }, ...(diff.texts.length ? diff.texts : ["nothing that can be seen"]).map((text) => el("li", {}, text))),
    el("div", { class: "halves gap" }, titled("Original", was ? `score ${number(was.score)}` : "", left), titled("Changed", now ? `score ${number(now.score)}` : "", right)),
    el("p", { class: "note" }, el("span", { class: "key kg" }), "gone, dashed   ", el("span", { class: "key kn" }), "new   ", el("span", { class: "key kc" }), "changed"));
  chart(left, (width, at) => wiring(at, width, diff.mother, { most: 62, marks: { gone: diff.gone, changed: diff.changed.mother }, label: "Original", extent }));
  chart(right, (width, at) => wiring(at, width, diff.child, { most: 62, marks: { new: diff.new, changed: diff.changed.child }, label: "Changed", extent }));
}
