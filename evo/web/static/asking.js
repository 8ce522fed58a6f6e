// Questions to the lab, over HTTP, or through a notebook where the page was given another way.
import { $, el } from "../page/tools.js";

export const way = { ask: overHttp };

async function overHttp(question, said) {
  let answer;
  try {
    answer = await fetch(`ask/${question}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) });
  } catch {
    throw Object.assign(new Error("The lab does not answer: it has ended, or this machine was asleep. Start it again with evo lab, and open the address that it prints."), { away: true });
  }
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    told = { error: text };
  }
  throw Object.assign(new Error(told.error), { place: told.place });
}

export const ask = (question, said = {}) => way.ask(question, said);

// What went wrong, and what to do, where it is seen; null: all is well again.
export function trouble(error) {
  const box = $("trouble");
  box.hidden = !error;
  if (error) box.replaceChildren(el("p", {}, error.message ?? String(error)));
}

// The page is marked as busy while work is done: until what was asked for is shown, or what was shown before it was refused.
let working = 0;
export async function busy(work) {
  working += 1;
  document.documentElement.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    working -= 1;
    if (!working) document.documentElement.removeAttribute("aria-busy");
  }
}

// Asks, and says what went wrong; undefined then.
export const tried = (question, said) => busy(() => asked(question, said));

async function asked(question, said) {
  try {
    const answer = await ask(question, said);
    trouble(null);
    return answer;
  } catch (error) {
    trouble(error);
    return undefined;
  }
}

// Rows of the table of runs, as they change: hear({ rows, gone, whole }).
export function changes(since, hear) {
  if (way.saved) return null;
  if (way.framed) return listened(since, hear);
  const stream = new EventSource(`events?since=${since}`), live = $("live");
  let at = since;
  stream.onmessage = (event) => {
    const told = JSON.parse(event.data);
    at = told.version;
    hear(told);
  };
  stream.onopen = () => { live.textContent = "live"; live.className = "note on"; };
  stream.onerror = () => {
    live.textContent = "no connection";
    live.className = "note off";
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => changes(at, hear), 2000);
  };
  addEventListener("pagehide", () => stream.close());
  return stream;
}

// Where nothing streams, it is asked for now and then.
function listened(since, hear) {
  let at = since;
  setInterval(async () => {
    const told = await ask("runs", { since: at, look: true });
    if (told.version === at) return;
    at = told.version;
    hear(told);
  }, 3000);
}

// What the address says of the view; in a notebook or a saved page, what that was given.
export const parameter = (name) => parameters(name)[0] ?? null;
export const parameters = (name) => (window.evoView ? [window.evoView[name] ?? []].flat() : new URLSearchParams(location.search).getAll(name));
export function state() {
  try {
    return window.evoView ? window.evoView.state ?? {} : location.hash.length > 1 ? JSON.parse(decodeURIComponent(location.hash.slice(1))) : {};
  } catch {
    return {};
  }
}

// The address becomes that of what is shown, where there is one.
export function here(address) {
  if (!way.framed) history.replaceState(null, "", address);
}
export function go(address) {
  if (!way.framed) location.assign(address);
}
// The address of a view; a parameter may be a list.
export function address(view, parameters) {
  const found = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined && one !== "") found.append(key, one);
  return `${view}?${found}`;
}
