// Light or dark: as the system says until the button is pressed, which holds for the window; paper is light.
import { $, tell } from "./tools.js";

export function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let asked = kept("theme");
  const apply = () => { document.documentElement.dataset.theme = asked ?? (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", apply);
  $("theme").addEventListener("click", () => {
    asked = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    kept("theme", asked);
    apply();
  });
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; document.querySelectorAll("#parts details").forEach((d) => (d.open = true)); tell("print", true); });
  addEventListener("afterprint", () => { apply(); tell("print", false); });
  apply();
}

// A browser may keep nothing for files, or at all.
function kept(key, value) {
  try {
    if (value !== undefined) sessionStorage.setItem(key, value);
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}
