// Against the original; and taking the circuit along: as a file, as code, as a figure, or as the beginning of a run.
import { $, chart, el, number, on, titled } from "../page/tools.js";
import { wiring } from "../page/wiring.js";
import { address, ask, go, tried, trouble } from "./asking.js";
import { asked, bench } from "./bench.js";
import { choose, copied, saved } from "./sharing.js";

const FORMS = { python: "Python", toml: "TOML, a run from it", nest: "NEST", brian2: "Brian2", motif: "motif file" };

export function drawShare() {
  on("circuit", () => compare());
  const body = $("share").querySelector(".body"), code = el("pre", { id: "code", tabindex: 0, hidden: true });
  const name = el("input", { type: "text", id: "motif-name", value: "changed", "aria-label": "Name of the motif" });
  const motif = async () => { const found = await tried("bench/motif", asked()); if (found) saved(found.text, `${name.value || "motif"}.json`, "application/json"); };
  const start = async () => { const found = await tried("bench/keep", { ...asked(), name: name.value }); if (found) go(address("new", { task: found.task, founder: found.path })); };
  const form = el("select", { id: "form", "aria-label": "Code for" }, ...Object.entries(FORMS).map(([key, text]) => el("option", { value: key }, text)));
  const copy = async () => {
    const found = await tried("bench/code", { ...asked(), form: form.value });
    if (!found) return;
    code.hidden = false;
    code.textContent = found.text;
    await copied(found.text);
  };
  const act = (id, text, run) => el("button", { type: "button", id, onclick: run }, text);
  body.append(
    el("div", { class: "controls" }, name, act("save", "Save as motif file", motif), act("start", "Start a run from it", start)),
    el("div", { class: "controls" }, form, act("copy", "Copy as code", copy), act("figure", "Figures", choose), act("link", "Copy the address", () => copied(location.href))),
    code, el("p", { class: "note" }, "A saved motif names the circuit that it was made from in its provenance."));
}

let turn = 0;
async function compare() {
  const host = $("compared"), mine = ++turn;
  host.hidden = !bench.shown.length;
  if (host.hidden) return;
  await new Promise((done) => setTimeout(done, 250)); // while something is dragged there is no time for it
  if (mine !== turn) return;
  let found;
  try {
    found = await ask("bench/compare", asked(bench.shown));
  } catch (error) {
    return trouble(error);
  }
  if (mine !== turn) return;
  const left = el("div"), right = el("div"), extent = [0, 1, 2, 3].map((k) => (k % 2 ? Math.max : Math.min)(found.mother.extent[k], found.child.extent[k]));
  const was = bench.original?.score, now = bench.now.score;
  host.querySelector(".body").replaceChildren(
    el("ul", { class: "changes" }, ...(found.texts.length ? found.texts : ["nothing that can be seen"]).map((text) => el("li", {}, text))),
    el("div", { class: "halves gap" }, titled("Original", was ? `score ${number(was.score)}` : "", left), titled("Changed", now ? `score ${number(now.score)}` : "", right)),
    el("p", { class: "note" }, el("span", { class: "key kg" }), "gone, dashed   ", el("span", { class: "key kn" }), "new   ", el("span", { class: "key kc" }), "changed"));
  chart(left, (width, at) => wiring(at, width, found.mother, { most: 62, marks: { gone: found.gone, changed: found.changed.mother }, label: "Original", extent }));
  chart(right, (width, at) => wiring(at, width, found.child, { most: 62, marks: { new: found.new, changed: found.changed.child }, label: "Changed", extent }));
}
