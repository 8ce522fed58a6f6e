// In a notebook: questions go to the frame's parent, which asks Python.
import { way } from "./asking.js";

const waiting = new Map();
let number = 0;

addEventListener("message", ({ data }) => {
  const asked = waiting.get(data?.number);
  if (!asked) return;
  waiting.delete(data.number);
  data.error === undefined ? asked.done(data.answer) : asked.failed(Object.assign(new Error(data.error), { place: data.place }));
});

way.ask = (question, said) => new Promise((done, failed) => {
  waiting.set(++number, { done, failed });
  parent.postMessage({ number, question, said }, "*");
});
way.framed = true;
