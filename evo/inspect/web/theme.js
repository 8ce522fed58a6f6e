// Light or dark: as the system says until the button is pressed; paper is light.
import { $, tell } from "./tools.js";

export function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let asked = null;
  const apply = () => { document.documentElement.dataset.theme = asked ?? (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", apply);
  $("theme").addEventListener("click", () => {
    asked = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    apply();
  });
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; document.querySelectorAll("#parts details").forEach((d) => (d.open = true)); tell("print", true); });
  addEventListener("afterprint", () => { apply(); tell("print", false); });
  apply();
}
