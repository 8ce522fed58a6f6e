// What all views of the lab share: the bar, light or dark, and where one is.
import { $ } from "../page/tools.js";
import { theme } from "../page/theme.js";

export function begin(view, title) {
  theme();
  for (const link of $("views").children) if (link.getAttribute("href").replace("./", "") === view) link.setAttribute("aria-current", "page");
  named(title);
}

export function named(title) {
  $("title").textContent = title;
  document.title = `${title} – evo lab`;
}
