// A run, live: its page, whose circuits are asked for when they are looked at.
import { $, chosen, data, el, inSight, load, on, source, tell } from "../page/tools.js";
import { draw, start, choose } from "../page/view.js";
import { address, ask, changes, parameter, tried, trouble } from "./asking.js";
import { begin, named } from "./frame.js";

const name = parameter("name");
let seen = null, asking = false, again = false;

source.circuit = (rank) => ask("circuit", { name, id: data.members[rank].id });

// How it came about is asked for once a circuit is looked at for a moment.
let looked = null;
function later() {
  clearTimeout(looked);
  const circuit = chosen.circuit, { id } = data.members[chosen.rank];
  if (circuit.lineage === undefined) looked = setTimeout(async () => {
    const found = await tried("lineage", { name, id });
    if (!found || circuit !== chosen.circuit) return;
    circuit.lineage = found.lineage;
    chosen.step = (found.lineage?.length ?? 1) - 1;
    tell("lineage");
  }, 100);
}

function links() {
  const here = data.members[chosen.rank];
  $("tools").replaceChildren(
    ...(here ? [el("a", { class: "button", href: address("bench", { run: name, circuit: here.id }) }, "Change it on the bench")] : []),
    el("a", { class: "button", href: address("compare", { run: name }) }, "Compare"),
    el("a", { class: "button", href: address("new", { fork: name }) }, "Fork"),
    data.run.state === "running"
      ? el("button", { type: "button", id: "stop", onclick: () => act("stop", {}) }, "Stop")
      : el("button", { type: "button", id: "resume", onclick: further }, "Go on"));
}

// Goes on with the run: a stopped one where it was, a finished one to a further generation.
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
  const found = await tried("page", { name });
  return found && { title: data.title, ...found };
}

// The run has gone on: the same circuit stays chosen, wherever it is now.
async function renew() {
  if (asking) { again = true; return; }
  asking = true;
  const before = data.members[chosen.rank]?.id, empty = !data.members.length, now = await tried("run", { name });
  asking = false;
  if (!now) return;
  load(now);
  const rank = now.members.findIndex((m) => m.id === before);
  if (!empty && before !== undefined && rank < 0) trouble(new Error(`The circuit that was shown has left the front; what is shown of it stays until another is chosen.`));
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
const first = name ? await tried("run", { name }) : trouble(new Error("Choose a run from the table of runs."));
if (first) {
  load(first);
  named(first.title);
  await start();
  links();
  on("circuit", links);
  on("circuit", later);
  later();
  changes(0, ({ rows, gone }) => {
    if (gone.includes(name)) trouble(new Error(`The folder of ${name} has been moved or deleted; what was read of it stays here.`));
    const row = rows.find((one) => one.name === name);
    if (!row) return;
    if (row.error) return trouble(new Error(row.error));
    const state = JSON.stringify([row.state, row.evaluations, row.front]);
    if (seen !== null && state !== seen) renew();
    seen = state;
  });
}
