// Assembly: the motif of each role of the selected circuit, the number of its copies, and their inputs.
import { $, chart, chosen, data, el, on, section, titled } from "./tools.js";
import { wiring } from "./wiring.js";

export function drawAssembly() {
  on("circuit", () => {
    const parts = chosen.circuit.parts ?? [], container = $("assembly");
    container.hidden = !parts.length;
    if (!parts.length) return;
    const body = section("assembly"), host = el("div", { class: "halves" });
    body.replaceChildren(el("p", {}, "The circuit is an assembly: copies of several kinds of motif, which evolved side by side. A channel “from” a role carries the spikes of that role's outputs; from its own role, those of both neighbours."), host);
    for (const part of parts) {
      const box = el("div"), others = part.hears.filter((name) => name !== part.role);
      const words = [`${part.copies} ${part.copies === 1 ? "copy" : "copies"}`, ...(others.length ? [`hears ${others.join(" and ")}`] : []), ...(part.copies > 1 && part.hears.includes(part.role) ? ["lateral wiring"] : [])];
      host.append(titled(part.role, words.join(", "), box, el("p", { class: "note" }, "Export: ", el("code", {}, `evo export ${data.folder} --to motif --rank ${chosen.rank} --role ${part.role}`))));
      queueMicrotask(() => chart(box, (width, at) => wiring(at, width, part.circuit, { label: part.role })));
    }
  });
}
