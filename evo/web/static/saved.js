// In a saved page: questions are answered from the answers saved with it.
import { transport } from "./asking.js";

const SAVED = "This page was saved from evo lab: it shows what was there, and computes nothing anew.";

transport.ask = async (question, { edits = null } = {}) => {
  const saved = window.evoAnswers.find((entry) => entry.question === question && JSON.stringify(entry.edits ?? null) === JSON.stringify(edits));
  if (!saved) throw new Error(SAVED);
  return saved.answer;
};
transport.framed = transport.saved = true;
document.body.classList.add("saved");
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (link && !link.getAttribute("href").startsWith("#") && !link.download) event.preventDefault();
}, true);
