// In a page that was saved: what was asked then is all that can be answered.
import { way } from "./asking.js";

const SAVED = "This page was saved from evo lab: it shows what was there, and computes nothing anew.";

way.ask = async (question, { edits = null } = {}) => {
  const found = window.evoAnswers.find((one) => one.question === question && JSON.stringify(one.edits ?? null) === JSON.stringify(edits));
  if (!found) throw new Error(SAVED);
  return found.answer;
};
way.framed = way.saved = true;
document.body.classList.add("saved");
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (link && !link.getAttribute("href").startsWith("#") && !link.download) event.preventDefault();
}, true);
