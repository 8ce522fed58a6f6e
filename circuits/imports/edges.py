"""Edges, as edge lists and graphs give them: sources and targets by name, with a sign, a weight and a delay each."""

import math
from typing import Any

from circuits.export.features import approximate, dropped
from circuits.imports.draft import Draft, Link
from circuits.imports.report import Report, listed

DT_MS, DELAY_MS, WEIGHT_MV = 0.1, 1.0, 10.0  # what a file does not say
SIGNS = {
    **dict.fromkeys(("e", "exc", "excitatory", "+", "+1", "1", "1.0", "+1.0"), "E"),
    **dict.fromkeys(("i", "inh", "inhibitory", "-", "-1", "-1.0", "\N{MINUS SIGN}", "\N{MINUS SIGN}1"), "I"),
}
INPUT = "input"


def sign_of(text: Any, place: str, report: Report) -> str | None:
    """E, I or `INPUT`, of a channel; None where the file leaves it open."""
    word = str(text if text is not None else "").strip().lower()
    if not word:
        return None
    if word == INPUT:
        return INPUT
    if word not in SIGNS:
        report.refuse(place, f"must be E or I (+1 or -1), or {INPUT}, not {text!r}")
    return SIGNS[word]


def number(text: Any, place: str, report: Report) -> float | None:
    """A number; None where the file has none."""
    if text is None or not str(text).strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        report.refuse(place, f"must be a number, not {text!r}")
    return value


class Edges:
    """Collects edges into a `Draft`. names: what neurons and channels are called, in the order of their numbers."""

    def __init__(self, report: Report, dt_ms: float | None, inputs: tuple[str, ...], outputs: tuple[str, ...]):
        self.report, self.inputs, self.outputs = report, inputs, outputs
        self.draft = Draft(dt_ms=DT_MS if dt_ms is None else dt_ms)
        if dt_ms is None:
            report.say("time step", approximate(f"{DT_MS} ms: the file has none; --dt chooses another"))
        self.rows: list[tuple[str, str, str | None, float | None, float | None, str]] = []
        self.names: dict[str, None] = {}

    def add(self, source: str, target: str, sign: str | None, weight: float | None, delay: float | None, place: str) -> None:
        """An edge; place: where it stands in the file, for messages."""
        self.names |= {source: None, target: None}
        self.rows.append((source, target, sign, weight, delay, place))

    def finished(self, signs: dict[str, str | None] | None = None) -> Draft:
        """The draft; signs: of neurons, where the file tells them apart from edges."""
        signs = dict(signs or {})
        for name in (*self.inputs, *self.outputs):
            if name not in self.names:
                self.report.refuse("names", f"there is no node {name!r}; there are {listed(self.names)}")
        given = {row[0] for row in self.rows if row[2] == INPUT} | {n for n, s in signs.items() if s == INPUT}
        channels = [name for name in self.names if name in self.inputs or name in given]
        draft = self.draft
        draft.inputs = channels
        neurons = [name for name in self.names if name not in channels]
        number_of = {name: k for k, name in enumerate(neurons)} | {name: -1 - k for k, name in enumerate(channels)}
        told = [signs.get(name) for name in neurons]
        draft.neurons = [{"id": name, "sign": sign} for name, sign in zip(neurons, told, strict=True)]
        missing = {"weights": 0, "delays": 0}
        for source, target, sign, weight, delay, place in self.rows:
            if number_of[target] < 0:
                self.report.refuse(place, f"it ends at the input channel {target!r}")
            missing["weights"] += weight is None
            missing["delays"] += delay is None
            weight = WEIGHT_MV if weight is None else weight
            its = sign if sign in ("E", "I") else None if number_of[source] < 0 else signs.get(source)
            if its == "E" and weight < 0:
                self.report.refuse(place, f"its sign is E and its weight {weight:g}")
            signed = -abs(weight) if its == "I" else weight
            link = Link(number_of[source], number_of[target], signed, DELAY_MS if delay is None else delay)
            draft.links.append(link)
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
