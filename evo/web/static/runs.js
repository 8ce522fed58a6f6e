// The table of runs: filtered, sorted, searched, and live.
import { $, clock, count, el, number } from "../page/tools.js";
import { address, changes, setAddress, parameter, request } from "./asking.js";
import { begin } from "./frame.js";

const ROW = 30, SPARE = 12;
const STATES = ["running", "finished", "stopped", "starting", "unreadable"];
const columns = [
  { key: "name", text: "run", left: true },
  { key: "state", text: "state", left: true },
  { key: "task", text: "task", left: true },
  { key: "best", text: "held out", title: "best score on trials the search never saw, with its 95 % interval" },
  { key: "evaluations", text: "evaluations" },
  { key: "seconds", text: "time" },
  { key: "front", text: "front", title: "circuits on the front" },
  { key: "differs", text: "differs by", left: true, title: "settings that differ from those of most runs of the same task" },
];
const rows = new Map(), picked = new Set();
const view = { search: parameter("search") ?? "", state: parameter("state") ?? "", task: parameter("task") ?? "", sort: parameter("sort") ?? "name", down: parameter("down") === "1" };
let order = [], whole = false, folder = "", drawing = false, studies = [];
const { compare: alphabetical } = new Intl.Collator("en", { numeric: true });

const differs = (row) => Object.entries(row.differs ?? {}).filter(([key]) => key !== "task.name").map(([key, value]) => `${key.replace(/^search\.|^task\./, "")} ${typeof value === "object" && value !== null ? JSON.stringify(value) : value}`).join(", ");
const cells = {
  name: (r) => el("a", { href: address("run", { name: r.name }) }, r.name),
  state: (r) => el("span", { class: `state ${r.state}` }, r.state === "running" ? `running, ${r.generation} of ${r.generations}` : r.state),
  task: (r) => r.task,
  best: (r) => (r.error ? el("span", { class: "wrong", title: r.error }, "cannot be read") : el("span", { title: r.low === null ? "" : `95 %: ${number(r.low)} to ${number(r.high)}` }, number(r.best))),
  evaluations: (r) => count(r.evaluations),
  seconds: (r) => (r.seconds ? clock(r.seconds) : "–"),
  front: (r) => String(r.front),
  differs: (r) => el("span", { class: "differs", title: differs(r) }, r.error ?? differs(r)),
};
const by = { differs: (r) => differs(r), best: (r) => r.best ?? -1 };

function sift() {
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (r) => (r.text ??= `${r.name} ${r.task} ${r.algorithm} ${differs(r)}`.toLowerCase());
  const get = by[view.sort] ?? ((r) => r[view.sort]);
  order = [...rows.values()].filter((r) => (!view.state || r.state === view.state) && (!view.task || r.task === view.task) && words.every((w) => text(r).includes(w)));
  const sign = view.down ? -1 : 1, value = new Map(order.map((r) => [r, get(r)])), isText = typeof get(order[0] ?? {}) === "string";
  order.sort((a, b) => sign * (isText ? alphabetical(value.get(a), value.get(b)) : d3.ascending(value.get(a), value.get(b))) || alphabetical(a.name, b.name));
}

function remember() {
  const kept = new URLSearchParams(Object.entries(view).filter(([, v]) => v && v !== "name").map(([k, v]) => [k, v === true ? "1" : v]));
  setAddress(kept.size ? `?${kept}` : location.pathname);
}

const search = el("input", { type: "search", id: "search", placeholder: "Search names, tasks, settings", "aria-label": "Search runs", value: view.search, oninput: () => { view.search = search.value; remember(); show(); } });
const state = el("select", { id: "state", "aria-label": "State", onchange: () => { view.state = state.value; remember(); show(); } });
const task = el("select", { id: "task", "aria-label": "Task", onchange: () => { view.task = task.value; remember(); show(); } });
const tally = el("span", { id: "tally", role: "status" });
const compare = el("a", { class: "button", id: "compare" }, "Compare");
const head = el("tr"), body = el("tbody"), box = el("div", { class: "scroll tall", id: "runs", tabindex: 0, role: "group", "aria-label": "Runs" }, el("table", {}, el("thead", {}, head), body));
const empty = el("div", { id: "empty", hidden: true }), above = el("p", { id: "studies", hidden: true });

function options(select, all, values, now) {
  const text = JSON.stringify([values, now]);
  if (select.dataset.has === text) return;
  select.dataset.has = text;
  select.replaceChildren(el("option", { value: "" }, all), ...values.map((v) => el("option", { value: v, selected: v === now }, v)));
}

function heading() {
  head.replaceChildren(el("th", { class: "left" }, el("span", { class: "unseen" }, "select")), ...columns.map((c) => el("th", { scope: "col", class: c.left ? "left" : null, title: c.title, "aria-sort": view.sort === c.key ? (view.down ? "descending" : "ascending") : null },
    el("button", { type: "button", onclick: () => { view.down = view.sort === c.key ? !view.down : !c.left; view.sort = c.key; remember(); show(); } }, c.text))));
}

function render() {
  drawing = false;
  const fits = Math.ceil((box.clientHeight || 600) / ROW), first = Math.max(0, Math.floor(box.scrollTop / ROW) - SPARE), last = Math.min(order.length, first + fits + 2 * SPARE);
  const pad = (n) => { const cell = el("td", { colspan: columns.length + 1 }); cell.style.height = `${n * ROW}px`; return el("tr", { class: "pad", "aria-hidden": "true" }, cell); };
  const focused = document.activeElement?.closest?.("#runs tr")?.dataset.name, tag = document.activeElement?.tagName;
  body.replaceChildren(...(first ? [pad(first)] : []), ...order.slice(first, last).map((r) =>
    el("tr", { "data-name": r.name, "aria-selected": String(picked.has(r.name)) },
      el("td", { class: "left" }, el("input", { type: "checkbox", checked: picked.has(r.name), "aria-label": `Select ${r.name}`, onchange: (event) => { event.target.checked ? picked.add(r.name) : picked.delete(r.name); chosen(); event.target.closest("tr").setAttribute("aria-selected", String(event.target.checked)); } })),
      ...columns.map((c) => el("td", { class: c.left ? "left" : null }, cells[c.key](r))))), ...(last < order.length ? [pad(order.length - last)] : []));
  if (focused) [...body.children].find((tr) => tr.dataset.name === focused)?.querySelector(tag === "INPUT" ? "input" : "a")?.focus({ preventScroll: true });
}

function chosen() {
  const names = [...picked].filter((n) => rows.has(n));
  compare.textContent = names.length ? `Compare ${names.length} ${names.length === 1 ? "run" : "runs"}` : "Compare";
  names.length ? compare.setAttribute("href", address("compare", { run: names })) : compare.removeAttribute("href");
  compare.setAttribute("aria-disabled", String(!names.length));
}

function show() {
  sift();
  heading();
  const all = [...rows.values()], running = all.filter((r) => r.state === "running").length;
  options(state, "every state", STATES.filter((s) => all.some((r) => r.state === s)), view.state);
  options(task, "every task", [...new Set(all.map((r) => r.task))].filter(Boolean).sort(), view.task);
  tally.textContent = `${order.length === all.length ? count(all.length) : `${count(order.length)} of ${count(all.length)}`} ${all.length === 1 ? "run" : "runs"}${running ? `, ${running} running` : ""}${whole ? "" : ", still reading"}`;
  empty.hidden = Boolean(order.length) || !whole;
  box.hidden = !order.length;
  if (!empty.hidden) empty.replaceChildren(...(all.length
    ? [el("p", {}, "No run is like that: "), el("button", { type: "button", onclick: () => { view.search = view.state = view.task = search.value = ""; remember(); show(); } }, "show all runs")]
    : [el("p", {}, `There is no run below ${folder} yet.`), el("p", {}, "Start one: ", el("a", { href: "new" }, "New run"), ", or in a terminal ", el("code", {}, "evo run gate"), ". It appears here by itself.")]));
  above.hidden = !studies.length;
  above.replaceChildren("Studies: ", ...studies.flatMap((name, k) => [k ? ", " : "", el("a", { href: address("study", { name }) }, name === "." ? folder.split("/").pop() : name)]));
  render();
  chosen();
  document.documentElement.dataset.runs = String(all.length);
}

const page = () => ({ title: "runs", view: { view: "runs", ...view, down: view.down ? "1" : "0" }, answers: [{ question: "runs", answer: { version: 0, rows: [...rows.values()].map(({ text, ...row }) => row), gone: [], whole: true, studies, folder } }] });

begin("", "Runs", { page });
$("tools").append(search, state, task, compare, tally);
$("main").append(above, box, empty);
box.addEventListener("scroll", () => { if (!drawing) { drawing = true; requestAnimationFrame(render); } }, { passive: true });
addEventListener("resize", () => requestAnimationFrame(render));
addEventListener("keydown", (event) => { if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) { event.preventDefault(); search.focus(); } });
const first = await request("runs", { since: 0 });
if (first) {
  folder = first.folder;
  $("summary").textContent = `Below ${folder}`;
  const receive = (update) => {
    studies = update.studies;
    for (const row of update.rows) rows.set(row.name, row);
    for (const name of update.gone) { rows.delete(name); picked.delete(name); }
    whole = update.whole;
    show();
  };
  receive(first);
  changes(first.version, receive);
}
