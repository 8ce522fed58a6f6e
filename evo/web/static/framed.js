// In a notebook: questions go to the frame's parent, which asks Python.
import { transport } from "./asking.js";

const waiting = new Map();
let number = 0;

addEventListener("message", ({ data }) => {
  const pending = waiting.get(data?.number);
  if (!pending) return;
  waiting.delete(data.number);
  data.error === undefined ? pending.done(data.answer) : pending.failed(Object.assign(new Error(data.error), { place: data.place }));
});

transport.ask = (question, args) => new Promise((done, failed) => {
  waiting.set(++number, { done, failed });
  parent.postMessage({ number, question, said: args }, "*");
});
transport.framed = true;
