// Files and figures that leave the browser.
import { $, drawAll, el } from "../page/tools.js";
import { tried, way } from "./asking.js";

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

// The view as one file that needs no lab. page() gives { text }, or { title, view, answers }: the view with what its address says, and
// what it has been answered, each { question, edits, answer }.
export async function keep(page) {
  const made = await page();
  if (!made) return;
  const found = made.text ? made : await tried("page", { view: made.view, answers: made.answers });
  if (found) saved(found.text, `${made.title}.html`, "text/html");
}

// -- figures

const INHERITED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-family", "font-weight", "text-anchor", "visibility", "paint-order"];
const WIDTHS = { "one column, 85 mm": 85, "1.5 columns, 114 mm": 114, "two columns, 174 mm": 174 };

// A drawing as SVG that needs no style sheet, so many mm wide, as it looks on white paper.
function flat(svg, mm) {
  const root = document.documentElement, theme = root.dataset.theme;
  root.dataset.theme = "light";
  const copy = svg.cloneNode(true), from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")], gone = [];
  from.forEach((one, k) => {
    const style = getComputedStyle(one);
    for (const key of INHERITED) to[k].setAttribute(key, style.getPropertyValue(key));
    for (const key of ["class", "tabindex", "role", "style"]) to[k].removeAttribute(key);
    if (style.display === "none" || style.visibility === "hidden" || style.stroke === "rgba(0, 0, 0, 0)") gone.push(to[k]);
  });
  gone.forEach((one) => one.remove());
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
  const found = await tried("figure/pdf", { svg: drawing, mm });
  if (found) saved(Uint8Array.from(atob(found.pdf), (c) => c.charCodeAt(0)), `${name}.pdf`, "application/pdf");
}

// All figures of the view, to save one of them.
export function choose() {
  drawAll();
  const every = [...document.querySelectorAll("main svg[viewBox]")].filter((svg) => svg.clientWidth && !svg.closest("[hidden], .lane"));
  const section = (svg) => svg.closest("section")?.querySelector("h2").firstChild.textContent ?? "";
  const name = (svg) => [section(svg), svg.closest("div:has(> h3), figure")?.querySelector("h3, figcaption")?.firstChild.textContent ?? svg.getAttribute("aria-label")].filter(Boolean).join(": ");
  const names = every.map(name), box = $("drawings");
  const which = el("select", { id: "which", "aria-label": "Figure" }, ...names.map((text, k) => el("option", { value: k }, names.indexOf(text) < k ? `${text} (${names.slice(0, k).filter((t) => t === text).length + 1})` : text)));
  const mm = el("select", { id: "width", "aria-label": "Width" }, ...Object.entries(WIDTHS).map(([text, value]) => el("option", { value }, text)));
  const act = (kind) => el("button", { type: "button", id: kind, onclick: () => figure(every[which.value], which.selectedOptions[0].textContent, Number(mm.value), kind) }, kind.toUpperCase());
  box.replaceChildren(el("h2", { id: "drawings-title" }, "Save a figure"),
    ...(every.length ? [el("div", { class: "controls" }, which, mm), el("div", { class: "controls" }, ...(way.saved ? ["svg"] : ["svg", "pdf"]).map(act))] : [el("p", {}, "There is no figure in sight.")]),
    el("div", { class: "controls" }, el("button", { type: "button", onclick: () => box.close() }, "Close")));
  box.showModal();
}
