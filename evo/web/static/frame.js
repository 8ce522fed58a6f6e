// What all views of the lab share: the bar, light or dark, where one is, and what can be taken along.
import { $ } from "../page/tools.js";
import { theme } from "../page/theme.js";
import { way } from "./asking.js";
import { choose, keep } from "./sharing.js";

// page: what a saved page of the view is made of, where there is one: see `keep`;  figures: has the view any?
export function begin(view, title, { page = null, figures = false } = {}) {
  theme();
  for (const link of $("views").children) if (link.getAttribute("href").replace("./", "") === view) link.setAttribute("aria-current", "page");
  named(title);
  $("figures").hidden = !figures;
  $("figures").addEventListener("click", choose);
  $("keep").hidden = !page || way.saved;
  $("keep").addEventListener("click", () => keep(page));
}

export function named(title) {
  $("title").textContent = title;
  document.title = `${title} – evo lab`;
}
