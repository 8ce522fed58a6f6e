// Parallel coordinates: an axis for each objective, a line for each circuit; better is further up.
import { chosen, clipped, data, padded } from "./tools.js";
import { marked, shown, walked } from "./front.js";

function parallelAxes() {
  const of = (o, k) => ({ text: o.name === "score" ? "held out" : o.name.replaceAll("_", " "), more: o.more, get: o.name === "score" ? (m) => m.held_out : (m) => m.objectives[k] });
  const axes = data.objectives.map(of);
  return axes.length > 1 ? axes : [...axes, { text: "neurons", more: false, get: (m) => m.e + m.i }];
}

export function parallel(width, host) {
  const list = parallelAxes(), members = data.members.filter((m) => list.every((a) => Number.isFinite(a.get(m))));
  const height = Math.max(260, Math.min(400, width * 0.72)), top = 34, bottom = 26, left = 40, right = 40;
  const svg = d3.select(host).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height).attr("class", "parallel").attr("aria-label", "The front: every line a circuit. Arrow keys choose.");
  const x = d3.scalePoint(d3.range(list.length), [left, width - right]);
  const y = list.map((a) => {
    const [low, high] = padded(d3.extent(members, a.get), 0.02);
    return d3.scaleLinear(a.more ? [low, high] : [high, low], [height - bottom, top]);
  });
  const passing = new Set(shown.passing), at = (m, k) => y[k](list[k].get(m));
  const line = (m) => d3.line()(list.map((_, k) => [x(k), at(m, k)]));
  const paths = svg.selectAll("path").data(members).join("path").attr("data-rank", (m) => m.rank).attr("d", line)
    .attr("class", (m) => `way${passing.has(m) ? "" : " out"}`);
  shown.mark = () => marked(paths, data.members[chosen.rank]);
  shown.mark();
  list.forEach((a, k) => {
    const anchor = k === 0 ? "start" : k === list.length - 1 ? "end" : "middle", edge = k === 0 ? -left : k === list.length - 1 ? right : 0;
    svg.append("g").attr("class", "axis").attr("transform", `translate(${x(k)},0)`).call(d3.axisLeft(y[k]).ticks(5).tickSize(3).tickPadding(4));
    svg.append("text").attr("class", "label").attr("x", x(k) + edge).attr("y", 14).attr("text-anchor", anchor).text(clipped(a.text, Math.max(6, Math.floor(width / list.length / 7))));
  });
  const nearest = (event) => {
    const [mx, my] = d3.pointer(event, svg.node()), step = x.step() || 1, k = Math.max(0, Math.min(list.length - 2, Math.floor((mx - left) / step))), t = (mx - x(k)) / step;
    const off = (m) => Math.abs(at(m, k) * (1 - t) + at(m, k + 1) * t - my), best = d3.least(shown.passing.filter((m) => members.includes(m)), off);
    return best && t >= -0.1 && t <= 1.1 && off(best) < 16 ? best : null;
  };
  walked(svg, nearest, (m) => paths.classed("pointed", (d) => d === m));
}
