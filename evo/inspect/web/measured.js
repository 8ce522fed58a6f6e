// Measured: recorded spikes beside those of the circuit, in held-out windows.
import { chart, chosen, data, el, frame, on, padded, plain, section, titled } from "./tools.js";

export function drawMeasured() {
  const body = section("measured"), host = el("div");
  const equallyGood = data.equally_good;
  if (equallyGood) body.append(el("p", { id: "equally-good" }, equallyGood.text));
  body.append(host);
  on("circuit", () => {
    const measured = chosen.circuit.measured;
    host.replaceChildren(...(measured ? measured.outputs.map(measuredOutput) : [el("p", { class: "note" }, "Not computed for this circuit.")]));
  });
}

function measuredOutput(output) {
  const rasters = el("div"), rates = el("div"), intervals = el("div");
  const key = (who) => el("span", { class: `key ${who}` });
  const figure = titled(output.name, "in held-out windows, one repeat and one run each", rasters,
    el("p", { class: "note" }, key("measured"), "measured   ", key("circuit"), "the circuit"), el("div", { class: "halves gap" }, rates, intervals));
  chart(rasters, (width, host) => measuredTrains(width, host, output));
  chart(rates, (width, host) => measuredResidual(width, host, output));
  chart(intervals, (width, host) => measuredIntervals(width, host, output));
  return figure;
}

function measuredTrains(width, host, output) {
  const row = 14, left = 118, x = d3.scaleLinear([0, d3.max(output.windows, (w) => w.length)], [0, 1]);
  const { plot } = frame(host, { width, height: output.windows.length * 3 * row + 50, left, x, y: d3.scaleLinear([0, 1], [0, 1]), yTicks: 0, xLabel: "ms from the start of the window", alt: `Spikes of ${output.name} in held-out windows, measured and of the circuit` });
  output.windows.forEach((w, k) => ["measured", "circuit"].forEach((who, below) => {
    const top = 10 + (3 * k + below) * row;
    plot.append("text").attr("x", left - 8).attr("y", top + row - 5).attr("text-anchor", "end").text(below ? "the circuit" : `${plain(w.start)} ms, measured`);
    plot.append("path").attr("class", `line ${who}`).attr("d", w[who].map((t) => `M${x(t)},${top}v${row - 4}`).join(""));
  }));
}

function measuredResidual(width, host, output) {
  const { measured, circuit, bin_ms } = output.residual, rest = circuit.map((v, k) => v - measured[k]);
  const x = d3.scaleLinear([0, Math.max(rest.length, 1) * bin_ms], [0, 1]), y = d3.scaleLinear(padded(d3.extent([0, ...rest])), [0, 1]);
  const { plot } = frame(host, { width, height: 190, x, y, xLabel: "ms of held-out time", yLabel: "residual, Hz", alt: `Rate of the circuit less that measured, in bins of ${bin_ms} ms, of ${output.name}` });
  plot.append("path").attr("class", "line circuit").attr("d", d3.line((v, k) => x((k + 0.5) * bin_ms), y)(rest));
}

function measuredIntervals(width, host, output) {
  const { edges, measured, circuit } = output.isi;
  const x = d3.scaleLinear([0, edges.at(-1)], [0, 1]), y = d3.scaleLinear([0, d3.max([...measured, ...circuit]) || 1], [0, 1]);
  const { plot } = frame(host, { width, height: 190, x, y, xLabel: "interspike interval, ms", yLabel: "share", alt: `Interspike intervals of ${output.name}, measured and of the circuit` });
  const steps = d3.line((v, k) => x(edges[k]), y).curve(d3.curveStepAfter);
  for (const [who, shares] of [["measured", measured], ["circuit", circuit]]) plot.append("path").attr("class", `line ${who}`).attr("d", steps([...shares, 0]));
}
