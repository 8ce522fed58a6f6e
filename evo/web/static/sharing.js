// Files and figures that leave the browser.
import { $, el } from "../page/tools.js";

export function saved(text, name, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
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

const INHERITED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-family", "font-weight", "text-anchor", "visibility", "paint-order"];

// A picture as a file of its own, so many mm wide (journals: 85 for a column, 174 for two), as it looks on white paper.
export function figure(svg, name, mm) {
  if (!svg) return;
  const root = document.documentElement, theme = root.dataset.theme;
  root.dataset.theme = "light";
  const copy = svg.cloneNode(true), from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((one, k) => {
    const style = getComputedStyle(one);
    for (const key of INHERITED) to[k].setAttribute(key, style.getPropertyValue(key));
    for (const key of ["class", "tabindex", "role", "style"]) to[k].removeAttribute(key);
  });
  copy.querySelectorAll('[stroke="rgba(0, 0, 0, 0)"]').forEach((one) => one.remove());
  root.dataset.theme = theme;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", `${mm}mm`);
  copy.setAttribute("height", `${((mm * height) / width).toFixed(2)}mm`);
  saved(new XMLSerializer().serializeToString(copy), `${name}.svg`, "image/svg+xml");
}
