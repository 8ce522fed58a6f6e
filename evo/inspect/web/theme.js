// Light or dark: the system's setting until the button is pressed, then that for the window; print is light.
import { $, tell } from "./tools.js";

export function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let selected = kept("theme");
  const apply = () => { document.documentElement.dataset.theme = selected ?? (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", apply);
  $("theme").addEventListener("click", () => {
    selected = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    kept("theme", selected);
    apply();
  });
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; document.querySelectorAll("#parts details").forEach((d) => (d.open = true)); tell("print", true); });
  addEventListener("afterprint", () => { apply(); tell("print", false); });
  apply();
}

// Browsers may refuse to store anything, in particular for files.
function kept(key, value) {
  try {
    if (value !== undefined) sessionStorage.setItem(key, value);
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}
