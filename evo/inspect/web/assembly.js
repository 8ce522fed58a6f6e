// Assembly: the motif of each role of the circuit that is chosen, how many copies of it there are, and what these hear.
import { $, chart, chosen, data, el, on, section, titled } from "./tools.js";
import { wiring } from "./wiring.js";

export function drawAssembly() {
  on("circuit", () => {
    const found = chosen.circuit.parts ?? [], place = $("assembly");
    place.hidden = !found.length;
    if (!found.length) return;
    const body = section("assembly"), host = el("div", { class: "halves" });
    body.replaceChildren(el("p", {}, "The circuit is an assembly: copies of several kinds of motif, which evolved side by side. A channel “from” a role carries the spikes of that role's outputs; from its own role, those of both neighbours."), host);
    for (const part of found) {
      const box = el("div"), others = part.hears.filter((name) => name !== part.role);
      const words = [`${part.copies} ${part.copies === 1 ? "copy" : "copies"}`, ...(others.length ? [`hears ${others.join(" and ")}`] : []), ...(part.copies > 1 && part.hears.includes(part.role) ? ["lateral wiring"] : [])];
      host.append(titled(part.role, words.join(", "), box, el("p", { class: "note" }, "Export: ", el("code", {}, `evo export ${data.folder} --to motif --rank ${chosen.rank} --role ${part.role}`))));
      queueMicrotask(() => chart(box, (width, at) => wiring(at, width, part.circuit, { label: part.role })));
    }
  });
}
