// Common parts of all views of the lab: the bar, the theme, the title, and saving.
import { $ } from "../page/tools.js";
import { theme } from "../page/theme.js";
import { transport } from "./asking.js";
import { choose, keep } from "./sharing.js";

// page: makes the contents of a saved page of the view, see `keep`;  figures: has the view any?
export function begin(view, title, { page = null, figures = false } = {}) {
  theme();
  for (const link of $("views").children) if (link.getAttribute("href").replace("./", "") === view) link.setAttribute("aria-current", "page");
  named(title);
  $("figures").hidden = !figures;
  $("figures").addEventListener("click", choose);
  $("keep").hidden = !page || transport.saved;
  $("keep").addEventListener("click", () => keep(page));
}

export function named(title) {
  $("title").textContent = title;
  document.title = `${title} – evo lab`;
}
