// Sources for the bench: a circuit of the zoo, a file, or a task alone.
import { $, el } from "../page/tools.js";
import { address, ask, setAddress, trouble } from "./asking.js";
import { open } from "./bench.js";

export async function drawSources() {
  const zoo = el("select", { id: "zoo", "aria-label": "A circuit of the zoo", onchange: () => zoo.value && location.assign(address("bench", { zoo: zoo.value })) }, el("option", { value: "" }, "zoo…"));
  const blank = el("select", { id: "blank", "aria-label": "A new circuit for a task", onchange: () => blank.value && location.assign(address("bench", { blank: blank.value })) }, el("option", { value: "" }, "from nothing, for…"));
  const file = el("input", { type: "file", id: "file", "aria-label": "A motif file, or a circuit of another tool", onchange: () => { const [picked] = file.files; file.value = ""; if (picked) dropped(picked); } });
  const box = el("div", { class: "controls", id: "sources" }, el("span", {}, "Put on the bench:"), zoo, blank, file, el("span", { class: "note" }, "or drop a file anywhere"));
  $("title").parentElement.before(box);
  addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => { event.preventDefault(); document.body.classList.remove("dropping"); if (event.dataTransfer.files[0]) dropped(event.dataTransfer.files[0]); });
  try {
    const { motifs, tasks } = await ask("circuits");
    zoo.append(...motifs.map((m) => el("option", { value: m.name }, `${m.name}: ${m.e} E, ${m.i} I, ${m.score.toFixed(2)}`)));
    blank.append(...tasks.map((t) => el("option", { value: t.name, title: t.text }, t.name)));
  } catch (error) {
    trouble(error);
  }
}

async function dropped(file) {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
    const { motif } = await ask("import", { name: file.name, content: btoa(text) });
    setAddress("bench");
    await open({ motif, name: file.name });
  } catch (error) {
    trouble(error);
  }
}
