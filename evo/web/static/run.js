// A live run: its page, whose circuits are requested when they are selected.
import { $, chosen, data, el, inSight, load, on, source, tell } from "../page/tools.js";
import { draw, start, choose } from "../page/view.js";
import { address, ask, changes, parameter, request, trouble } from "./asking.js";
import { begin, named } from "./frame.js";

const name = parameter("name");
let seen = null, asking = false, again = false, shownId = null;

source.circuit = (rank) => ask("circuit", { name, id: data.members[rank].id });

// The lineage is requested once a circuit has been selected for a moment.
let looked = null;
function later() {
  clearTimeout(looked);
  const circuit = chosen.circuit, { id } = data.members[chosen.rank];
  if (circuit.lineage === undefined) looked = setTimeout(async () => {
    const answer = await request("lineage", { name, id });
    if (!answer || circuit !== chosen.circuit) return;
    circuit.lineage = answer.lineage;
    chosen.step = (answer.lineage?.length ?? 1) - 1;
    tell("lineage");
  }, 100);
}

function links() {
  const member = data.members[chosen.rank];
  $("tools").replaceChildren(
    ...(member ? [el("a", { class: "button", href: address("bench", { run: name, circuit: member.id }) }, "Change it on the bench")] : []),
    el("a", { class: "button", href: address("compare", { run: name }) }, "Compare"),
    el("a", { class: "button", href: address("new", { fork: name }) }, "Fork"),
    data.run.state === "running"
      ? el("button", { type: "button", id: "stop", onclick: () => act("stop", {}) }, "Stop")
      : el("button", { type: "button", id: "resume", onclick: further }, "Go on"));
}

// Resume the run: a stopped one, or a finished one up to a further generation.
function further() {
  const more = data.run.state === "finished", count = el("input", { type: "number", min: data.run.generation + 1, value: data.run.generation + 50, "aria-label": "to generation" });
  const go = el("button", { type: "button", onclick: () => act("resume", more ? { generations: Number(count.value) } : {}) }, more ? "Go on to this generation" : "Go on");
  if (!more) return act("resume", {});
  $("resume").replaceWith(el("span", { class: "controls inline" }, count, go));
}

async function act(question, more, consent = {}) {
  try {
    await ask(question, { name, ...more, ...consent });
    trouble(null);
    $("said").textContent = question === "stop" ? "stopping" : "going on";
    for (const button of $("tools").querySelectorAll("button")) button.disabled = true;
    setTimeout(renew, 1500);
  } catch (error) {
    if (error.place !== "execute") return trouble(error);
    trouble(error);
    $("trouble").append(el("button", { type: "button", id: "execute", onclick: () => act(question, more, { execute: true }) }, "Execute it and go on"));
  }
}

async function page() {
  const answer = await request("page", { name });
  return answer && { title: data.title, ...answer };
}

// The run has gone on: the same circuit stays selected, whatever its rank.
async function renew() {
  if (asking) { again = true; return; }
  asking = true;
  const empty = !data.members.length, now = await request("run", { name });
  asking = false;
  if (!now) return;
  load(now);
  const rank = now.members.findIndex((m) => m.id === shownId);
  if (!empty && shownId !== null && rank < 0) trouble(new Error(`The circuit that was shown has left the front; what is shown of it stays until another is chosen.`));
  else chosen.rank = Math.max(0, rank);
  draw();
  if (empty && now.members.length) await choose(0);
  else if (rank >= 0 && (!chosen.circuit.analysis && now.run.state === "finished")) await choose(rank);
  links();
  document.documentElement.dataset.renewed = String(Number(document.documentElement.dataset.renewed ?? 0) + 1);
  if (again) { again = false; renew(); }
}

inSight();
begin("", name ?? "Run", { page: name ? page : null, figures: Boolean(name) });
const first = name ? await request("run", { name }) : trouble(new Error("Choose a run from the table of runs."));
if (first) {
  load(first);
  named(first.title);
  await start();
  links();
  const remember = () => { shownId = data.members[chosen.rank]?.id ?? null; };
  remember();
  on("circuit", remember);
  on("circuit", links);
  on("circuit", later);
  later();
  changes(0, ({ rows, gone }) => {
    if (gone.includes(name)) trouble(new Error(`The folder of ${name} has been moved or deleted; what was read of it stays here.`));
    const row = rows.find((candidate) => candidate.name === name);
    if (!row) return;
    if (row.error) return trouble(new Error(row.error));
    const state = JSON.stringify([row.state, row.evaluations, row.front]);
    if (seen !== null && state !== seen) renew();
    seen = state;
  });
}
