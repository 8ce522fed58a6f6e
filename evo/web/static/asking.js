// Questions to the lab, over HTTP or another transport (a notebook, a saved page).
import { $, el } from "../page/tools.js";

export const transport = { ask: overHttp };

async function overHttp(question, args) {
  let answer;
  try {
    answer = await fetch(`ask/${question}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(args) });
  } catch {
    throw Object.assign(new Error("The lab does not answer: it has ended, or this machine was asleep. Start it again with evo lab, and open the address that it prints."), { away: true });
  }
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  let failure;
  try {
    failure = JSON.parse(text);
  } catch {
    failure = { error: text };
  }
  throw Object.assign(new Error(failure.error), { place: failure.place });
}

export const ask = (question, args = {}) => transport.ask(question, args);

// Show an error at the top of the page; null clears it.
export function trouble(error) {
  const box = $("trouble");
  box.hidden = !error;
  if (error) box.replaceChildren(el("p", {}, error.message ?? String(error)));
}

// Mark the page as busy until the work is done.
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

// Ask, and show an error; undefined then.
export const request = (question, args) => busy(async () => {
  try {
    const answer = await ask(question, args);
    trouble(null);
    return answer;
  } catch (error) {
    trouble(error);
    return undefined;
  }
});

// Changes of the table of runs: listener({ rows, gone, whole }).
export function changes(since, listener) {
  if (transport.saved) return null;
  if (transport.framed) return poll(since, listener);
  const stream = new EventSource(`events?since=${since}`), live = $("live");
  let at = since;
  stream.onmessage = (event) => {
    const update = JSON.parse(event.data);
    at = update.version;
    listener(update);
  };
  stream.onopen = () => { live.textContent = "live"; live.className = "note on"; };
  stream.onerror = () => {
    live.textContent = "no connection";
    live.className = "note off";
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => changes(at, listener), 2000);
  };
  addEventListener("pagehide", () => stream.close());
  return stream;
}

// Without a stream, ask every few seconds.
function poll(since, listener) {
  let at = since;
  setInterval(async () => {
    const update = await ask("runs", { since: at, look: true });
    if (update.version === at) return;
    at = update.version;
    listener(update);
  }, 3000);
}

// The parameters of the view: of the address or, in a notebook or a saved page, those given with it.
export const parameter = (name) => parameters(name)[0] ?? null;
export const parameters = (name) => (window.evoView ? [window.evoView[name] ?? []].flat() : new URLSearchParams(location.search).getAll(name));
export function state() {
  try {
    return window.evoView ? window.evoView.state ?? {} : location.hash.length > 1 ? JSON.parse(decodeURIComponent(location.hash.slice(1))) : {};
  } catch {
    return {};
  }
}

// Show this address, if the page has one.
export function setAddress(address) {
  if (!transport.framed) history.replaceState(null, "", address);
}
export function go(address) {
  if (!transport.framed) location.assign(address);
}
// The address of a view; a parameter may be a list.
export function address(view, parameters) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) for (const item of Array.isArray(value) ? value : [value]) if (item !== null && item !== undefined && item !== "") query.append(key, item);
  return `${view}?${query}`;
}
