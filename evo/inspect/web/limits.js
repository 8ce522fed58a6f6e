// The sliders of the front. A browser rounds the value of a slider to its grid of steps; positions are whole numbers, which it
// leaves as they are, and position p stands for p / parts. A slider at its own end bounds nothing.
export function limitsOf(members) {
  const share = (m) => m.e / (m.e + m.i), size = (m) => m.e + m.i;
  return [
    limit("score", "score from", members, (m) => m.held_out, 100, "least"),
    limit("size", "neurons to", members, size, 1, "most"),
    limit("least", "E share from", members, share, 20, "least"),
    limit("most", "to", members, share, 20, "most"),
  ];
}

function limit(name, text, members, get, parts, end) {
  const values = members.map(get).filter(Number.isFinite), digits = parts === 1 ? 0 : 2;
  const min = values.length ? Math.floor(parts * values.reduce((a, b) => Math.min(a, b))) : 0;
  const max = values.length ? Math.ceil(parts * values.reduce((a, b) => Math.max(a, b))) : 0;
  const start = end === "least" ? min : max, within = end === "least" ? (v, bound) => v >= bound : (v, bound) => v <= bound;
  const passes = (m, position) => position === start || (Number.isFinite(get(m)) && within(get(m), position / parts));
  return { name, text, min, max, start, passes, show: (position) => (position / parts).toFixed(digits).replace("-", "−") };
}
