"""Edges of edge lists and graphs: sources and targets by name, with a sign, a weight and a delay each."""

import math
from typing import Any

from circuits.export.features import approximate, dropped
from circuits.imports.draft import Draft, Link
from circuits.imports.report import Report, listed

DT_MS, DELAY_MS, WEIGHT_MV = 0.1, 1.0, 10.0  # defaults
SIGNS = {
    **dict.fromkeys(("e", "exc", "excitatory", "+", "+1", "1", "1.0", "+1.0"), "E"),
    **dict.fromkeys(("i", "inh", "inhibitory", "-", "-1", "-1.0", "\N{MINUS SIGN}", "\N{MINUS SIGN}1"), "I"),
}
INPUT = "input"


def sign_of(text: Any, location: str, report: Report) -> str | None:
    """The sign that a text names: E, I or `INPUT` (a channel); None for no text."""
    word = str(text if text is not None else "").strip().lower()
    if not word:
        return None
    if word == INPUT:
        return INPUT
    if word not in SIGNS:
        report.refuse(location, f"must be E or I (+1 or -1), or {INPUT}, not {text!r}")
    return SIGNS[word]


def number(text: Any, location: str, report: Report) -> float | None:
    """The finite number that a text holds; None for no text."""
    if text is None or not str(text).strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        report.refuse(location, f"must be a number, not {text!r}")
    return value


class Edges:
    """Collects edges into a `Draft`. names: of neurons and channels, in the order of their numbers."""

    def __init__(self, report: Report, dt_ms: float | None, inputs: tuple[str, ...], outputs: tuple[str, ...]):
        self.report, self.inputs, self.outputs = report, inputs, outputs
        self.draft = Draft(dt_ms=DT_MS if dt_ms is None else dt_ms)
        if dt_ms is None:
            report.say("time step", approximate(f"{DT_MS} ms: the file has none; --dt chooses another"))
        self.rows: list[tuple[str, str, str | None, float | None, float | None, str]] = []
        self.names: dict[str, None] = {}

    def add(self, source: str, target: str, sign: str | None, weight: float | None, delay: float | None, location: str) -> None:
        """Add an edge; location: its line or number in the file, for messages."""
        self.names |= {source: None, target: None}
        self.rows.append((source, target, sign, weight, delay, location))

    def finished(self, signs: dict[str, str | None] | None = None) -> Draft:
        """Make the draft. signs: of neurons by name, where the file has them."""
        signs = dict(signs or {})
        for name in (*self.inputs, *self.outputs):
            if name not in self.names:
                self.report.refuse("names", f"there is no node {name!r}; there are {listed(self.names)}")
        input_names = {row[0] for row in self.rows if row[2] == INPUT} | {n for n, s in signs.items() if s == INPUT}
        channels = [name for name in self.names if name in self.inputs or name in input_names]
        draft = self.draft
        draft.inputs = channels
        neurons = [name for name in self.names if name not in channels]
        number_of = {name: k for k, name in enumerate(neurons)} | {name: -1 - k for k, name in enumerate(channels)}
        draft.neurons = [{"id": name, "sign": signs.get(name)} for name in neurons]
        missing = {"weights": 0, "delays": 0}
        for source, target, sign, weight, delay, location in self.rows:
            if number_of[target] < 0:
                self.report.refuse(location, f"it ends at the input channel {target!r}")
            missing["weights"] += weight is None
            missing["delays"] += delay is None
            weight = WEIGHT_MV if weight is None else weight
            effective = sign if sign in ("E", "I") else None if number_of[source] < 0 else signs.get(source)
            if effective == "E" and weight < 0:
                self.report.refuse(location, f"its sign is E and its weight {weight:g}")
            signed = -abs(weight) if effective == "I" else weight
            delay = DELAY_MS if delay is None else delay
            draft.links.append(Link(number_of[source], number_of[target], signed, delay))
        for feature, count in missing.items():
            if count:
                value = f"{WEIGHT_MV:g} mV" if feature == "weights" else f"{DELAY_MS:g} ms"
                self.report.say(feature, approximate(f"{value} where the file has none ({count} edges)"))
        for name in self.outputs:
            if number_of[name] < 0:
                self.report.refuse("output ports", f"{name!r} is an input channel")
            draft.ports.append((name, [number_of[name]]))
        if not draft.ports:
            self.report.say("output ports", dropped("the file has none; --outputs names some"))
        self.report.say("lif_psc_exp neurons", approximate("the default parameters: an edge list has no neurons"))
        return draft
