// Saving files and figures.
import { $, drawAll, el } from "../page/tools.js";
import { request, transport } from "./asking.js";

export function saved(content, name, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = el("a", { href: address, download: name.replace(/[^\w.-]+/g, "_") });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    $("said").textContent = "copied";
  } catch {
    $("said").textContent = "the browser lets nothing be copied: select the text";
  }
}

// Save the view as one file that needs no lab. page() returns { title, text }, or { title, view, answers }: the view with the
// parameters of its address, and its answers, each { question, edits, answer }.
export async function keep(page) {
  const contents = await page();
  if (!contents) return;
  const file = contents.text ? contents : await request("page", { view: contents.view, answers: contents.answers });
  if (file) saved(file.text, `${contents.title}.html`, "text/html");
}

// -- figures

const INHERITED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-family", "font-weight", "text-anchor", "visibility", "paint-order"];
const WIDTHS = { "one column, 85 mm": 85, "1.5 columns, 114 mm": 114, "two columns, 174 mm": 174 };

// A drawing as SVG without style sheet, `mm` wide, in the light theme.
function flat(svg, mm) {
  const root = document.documentElement, theme = root.dataset.theme;
  root.dataset.theme = "light";
  const copy = svg.cloneNode(true), from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")], hidden = [];
  from.forEach((element, k) => {
    const style = getComputedStyle(element);
    for (const key of INHERITED) to[k].setAttribute(key, style.getPropertyValue(key));
    for (const key of ["class", "tabindex", "role", "style"]) to[k].removeAttribute(key);
    if (style.display === "none" || style.visibility === "hidden" || style.stroke === "rgba(0, 0, 0, 0)") hidden.push(to[k]);
  });
  hidden.forEach((element) => element.remove());
  root.dataset.theme = theme;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", `${mm}mm`);
  copy.setAttribute("height", `${((mm * height) / width).toFixed(2)}mm`);
  return new XMLSerializer().serializeToString(copy);
}

async function figure(svg, name, mm, kind) {
  const drawing = flat(svg, mm);
  if (kind === "svg") return saved(drawing, `${name}.svg`, "image/svg+xml");
  const answer = await request("figure/pdf", { svg: drawing, mm });
  if (answer) saved(Uint8Array.from(atob(answer.pdf), (c) => c.charCodeAt(0)), `${name}.pdf`, "application/pdf");
}

// A dialog with all figures of the view, to save one of them.
export function choose() {
  drawAll();
  const figures = [...document.querySelectorAll("main svg[viewBox]")].filter((svg) => svg.clientWidth && !svg.closest("[hidden], .lane"));
  const section = (svg) => svg.closest("section")?.querySelector("h2").firstChild.textContent ?? "";
  const name = (svg) => [section(svg), svg.closest("div:has(> h3), figure")?.querySelector("h3, figcaption")?.firstChild.textContent ?? svg.getAttribute("aria-label")].filter(Boolean).join(": ");
  const names = figures.map(name), box = $("drawings");
  const which = el("select", { id: "which", "aria-label": "Figure" }, ...names.map((text, k) => el("option", { value: k }, names.indexOf(text) < k ? `${text} (${names.slice(0, k).filter((t) => t === text).length + 1})` : text)));
  const mm = el("select", { id: "width", "aria-label": "Width" }, ...Object.entries(WIDTHS).map(([text, value]) => el("option", { value }, text)));
  const act = (kind) => el("button", { type: "button", id: kind, onclick: () => figure(figures[which.value], which.selectedOptions[0].textContent, Number(mm.value), kind) }, kind.toUpperCase());
  box.replaceChildren(el("h2", { id: "drawings-title" }, "Save a figure"),
    ...(figures.length ? [el("div", { class: "controls" }, which, mm), el("div", { class: "controls" }, ...(transport.saved ? ["svg"] : ["svg", "pdf"]).map(act))] : [el("p", {}, "There is no figure in sight.")]),
    el("div", { class: "controls" }, el("button", { type: "button", onclick: () => box.close() }, "Close")));
  box.showModal();
}
