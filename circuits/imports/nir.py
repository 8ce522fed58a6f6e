"""Import NIR graphs (https://github.com/neuromorphs/NIR; Pedersen et al., Nat. Commun. 15, 2024): files .nir.

NIR describes neurons by differential equations, in seconds, without a time step. An incoming spike is a pulse of some area: a
Dirac pulse, of area 1, in the equations; 1 for one step, of area dt, in the frameworks that integrate them. The constants of a
file mostly tell which (`pulse`).
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.export import nir_graphs
from circuits.export.features import Translation, approximate, dropped, exact
from circuits.imports.draft import Draft, Link, assembled, check_size
from circuits.imports.hdf5 import opened
from circuits.imports.nir_file import DEFAULTS, Graph, Node, graph
from circuits.imports.nir_lines import SPIKING, Lines, Wiring, per_line
from circuits.imports.report import Report, listed
from circuits.motif_file import Motif, loads

INSTALL = "pip install 'evocircuits[nir]'"
DT = 1e-4  # s, the step of the frameworks
SHORT_MS = 0.01  # a synaptic time constant short enough to be none
SLOW_MS = 10_000.0  # a membrane time constant long enough for no leak
EXCITES, INHIBITS = "tau_syn_e_ms", "tau_syn_i_ms"


def read(path: Path, report: Report, dt_ms: float | None, split: bool, spikes: str = "auto") -> Motif:
    """Read the motif in a .nir file.

    dt_ms   the time step [default: that of the metadata, or that by which the constants are scaled, or 0.1 ms]
    spikes  pulses (of area 1), steps (1 for a step) or auto
    """
    with opened(path, INSTALL) as root:
        nir_graph = graph(root)
    own = _own_motif(nir_graph, report)
    if own is not None and dt_ms in (None, own.dt_ms):
        return own
    area, unit = pulse(nir_graph)
    dt = dt_ms / 1000 if dt_ms is not None else nir_graph.metadata.get("dt") or (area if area not in (None, 1.0) else DT)
    if dt_ms is None and "dt" not in nir_graph.metadata:
        report.say("time step", approximate(f"{dt * 1000:g} ms: NIR has none; --dt chooses another"))
    if spikes != "auto":
        area, unit = (1.0 if spikes == "pulses" else dt), exact()
    if area is None:
        area, unit = dt, approximate(f"a spike is 1 for a step of {dt * 1000:g} ms: the file does not tell; see --spikes")
    report.say("weights", unit)
    return assembled(_draft(nir_graph, report, dt, area), report, split)


def pulse(nir_graph: Graph) -> tuple[float | None, Translation]:
    """The area of a spike, s, by which the constants of a graph are scaled: 1 where a pulse of area 1 makes the synaptic
    current jump by its weight; dt where one step does. None where the constants are unscaled or inconsistent."""
    areas: set[float] = set()
    for node in nir_graph.nodes.values():
        f = node.fields
        gain, tau = {"LI": ("r", "tau"), "LIF": ("r", "tau"), "CubaLIF": ("w_in", "tau_syn")}.get(node.kind, ("", ""))
        if not gain or np.allclose(f[gain], 1):
            continue
        with np.errstate(all="ignore"):
            ratio = np.unique(np.round(f[tau] / f[gain], 9))
        if ratio.size and np.isfinite(ratio).all() and np.allclose(ratio, ratio[0], rtol=1e-3):
            areas.add(float(f"{ratio[0]:.3g}"))
    (area,) = areas if len(areas) == 1 else (None,)
    if area == 1:
        return 1.0, exact("a spike is a Dirac pulse")
    if area is not None and 1e-6 <= area <= 0.02:
        return area, exact(f"a spike is 1 for a step of {area * 1000:g} ms, by which the constants are scaled")
    return None, exact()


def _own_motif(nir_graph, report) -> Motif | None:
    """The motif in the metadata, if the graph is still its export: other tools may have changed the graph alone."""
    if "motif" not in nir_graph.metadata:
        return None
    try:
        motif = loads(nir_graph.metadata["motif"], report.location)
        if motif.neuron_model == "lif_psc_exp" and _same(nir_graphs.continuous(_Recorder(), motif), nir_graph):
            return motif
    except UserError:
        pass
    report.say("provenance", dropped("the motif file in the metadata differs from the graph: the graph is imported"))
    return None


class _Recorder:
    """Replaces the package nir to build a graph for comparison only."""

    @staticmethod
    def NIRGraph(nodes, edges):  # noqa: N802
        return SimpleNamespace(nodes=nodes, edges=edges, metadata={})

    def __getattr__(self, kind):
        def node(*positional, **fields):
            first = {"Linear": "weight", "Delay": "delay", "Input": "shape", "Output": "shape"}
            values = dict(zip([first.get(kind, "")], positional, strict=False)) | fields
            arrays = {k: np.asarray(next(iter(v.values())) if isinstance(v, dict) else v, "f8") for k, v in values.items()}
            return SimpleNamespace(kind=kind, fields=arrays, metadata={})

        return node


def _same(exported, nir_graph):
    def alike(a, b):
        names = set(a.fields) | set(b.fields)
        pairs = [[x.fields.get(name, np.asarray(DEFAULTS.get(name, np.nan))) for x in (a, b)] for name in names]
        return a.kind == b.kind and all(np.array_equal(*pair) for pair in pairs)

    t_ref = exported.nodes["neurons"].metadata["t_ref"]
    return (
        sorted(exported.edges) == sorted(nir_graph.edges)
        and exported.nodes.keys() == nir_graph.nodes.keys()
        and all(alike(exported.nodes[name], node) for name, node in nir_graph.nodes.items())
        and np.array_equal(t_ref, nir_graph.t_ref.get("neurons", np.zeros_like(t_ref)))
        and exported.metadata["dt"] == nir_graph.metadata.get("dt")
    )


def _draft(nir_graph, report, dt, area):
    """The draft of a graph; dt and area in s."""
    wiring = Wiring(nir_graph, report)
    widths = {name: wiring.width[name] for name in nir_graph.nodes}
    names = {name: [name] if width == 1 else [f"{name}.{k}" for k in range(width)] for name, width in widths.items()}
    draft = Draft(dt_ms=round(dt * 1000, 9))
    for name, node in nir_graph.nodes.items():
        if node.kind == "Input":
            draft.inputs += names[name]
        elif node.kind in SPIKING:
            for k, parameters in enumerate(_neurons(node, wiring.width[name])):
                t_ref = nir_graph.t_ref.get(name)
                t_ref_ms = 0.0 if t_ref is None or t_ref.size <= k else round(float(t_ref.ravel()[k]) * 1000, 9)
                draft.neurons.append({"id": names[name][k], "t_ref_ms": t_ref_ms, **parameters})
    check_size(report, max(len(draft.neurons), len(draft.inputs)), 0)
    for name, node in nir_graph.nodes.items():
        if node.kind in SPIKING:
            _synapses(draft, report, node, wiring.first[name], wiring.input_to(name), area)
        elif node.kind == "Output":
            _port(draft, report, name, wiring.input_to(name))
    kinds = {node.kind for node in nir_graph.nodes.values()}
    model = "lif_psc_exp neurons"
    if "IF" in kinds:
        report.say(model, approximate(f"IF neurons with a leak of {SLOW_MS / 1000:g} s"))
    report.say(model, exact(f"{listed(sorted(kinds & set(SPIKING)))} nodes, solved exactly"))
    leaks = any(node.fields["v_leak"].any() for node in nir_graph.nodes.values() if node.kind in ("LIF", "CubaLIF"))
    report.say("start at rest", approximate("V starts at v_leak: NIR does not say where") if leaks else exact("at 0"))
    report.say("thresholds", exact("the next larger number: NIR's V > threshold is V >= it here"))
    if not draft.ports:
        report.say("output ports", dropped("no Output node reads a neuron"))
    return draft


def _neurons(node: Node, width):
    """Parameters of each neuron of a node, without the synaptic time constants and the drive, which depend on its inputs."""
    f = {key: per_line(value, width) for key, value in node.fields.items()}
    v_rest = f.get("v_leak", np.zeros(width))
    tau_m = np.full(width, SLOW_MS) if node.kind == "IF" else f["tau" if node.kind == "LIF" else "tau_mem"] * 1000
    for k in range(width):
        yield {
            "tau_m_ms": _tidy(tau_m[k]),
            "v_rest_mv": float(v_rest[k]),
            "v_th_mv": float(np.nextafter(f["v_threshold"][k], np.inf)),
            "v_reset_mv": float(f["v_reset"][k]),
        }


def _tidy(value):
    """A time without the rounding errors of the conversion from seconds."""
    return float(f"{value:.12g}")


def _synapses(draft, report, node, first, lines: Lines, area):
    """The synapses onto the neurons of a node, their time constants, and the constant drive."""
    f, width = node.fields, lines.width
    gain = per_line(f["r"], width)
    if node.kind == "IF":
        gain = gain * SLOW_MS / 1000
    filtered = ~np.isnan(lines.tau)
    if node.kind == "CubaLIF":
        if filtered.any():
            report.refuse("synaptic time constants", "an LI node before a CubaLIF node filters twice; motifs have one decay")
        w_in, tau = (per_line(f[key], width) for key in ("w_in", "tau_syn"))
        tau_ms, onto = tau[lines.line] * 1000, gain[lines.line] * (w_in / tau)[lines.line]
        drive = gain * w_in * lines.constant
        if lines.constant.any():
            report.say("bias", approximate("constant from the start; NIR lets the synaptic current rise first"))
    else:
        tau_ms = np.where(filtered, lines.tau * 1000, SHORT_MS)
        onto = gain[lines.line] / np.where(filtered, 1.0, SHORT_MS / 1000)
        drive = gain * lines.constant
        if (~filtered).any():
            how = f"{node.kind} nodes without synapses, where a spike moves V at once: a decay of {SHORT_MS} ms, same charge"
            report.say("synaptic time constants", approximate(how))
    weights = lines.weight * onto * area
    for k in range(width):
        neuron, mine = draft.neurons[first + k], lines.line == k
        neuron["bias_mv"] = float(drive[k])
        for key, selected in ((EXCITES, mine & (weights > 0)), (INHIBITS, mine & (weights < 0))):
            taus = np.unique([_tidy(tau) for tau in tau_ms[selected]])
            if len(taus) > 1:
                sign = "excitatory" if key == EXCITES else "inhibitory"
                values = listed(f"{tau:g} ms" for tau in taus)
                how = f"the {sign} synapses onto {neuron['id']!r} have {values}; a motif's neuron has one for each sign"
                report.refuse("synaptic time constants", how)
            if len(taus):
                neuron[key] = float(taus[0])
    for path in np.flatnonzero(weights):
        delay_ms = _tidy(lines.delay[path] * 1000)
        draft.links.append(Link(int(lines.source[path]), first + int(lines.line[path]), float(weights[path]), delay_ms))


def _port(draft, report, name, lines: Lines):
    """Add the port of an Output node: the neurons that it reads, in the order of its lines."""
    order = np.lexsort((lines.source, lines.line))
    read = [k for k in order if lines.source[k] >= 0]
    if any(lines.source[k] < 0 for k in order):
        report.say("output ports", approximate(f"{name!r} without its input channels"))
    per_line: dict[int, list[Any]] = {}
    for k in read:
        per_line.setdefault(int(lines.line[k]), []).append(k)
    plain = all(len(own) == 1 and lines.weight[own[0]] == 1 and np.isnan(lines.tau[own[0]]) for own in per_line.values())
    if not plain or lines.delay[read].any() or lines.constant.any():
        members = list(dict.fromkeys(int(lines.source[k]) for k in read))
        report.say("output ports", approximate(f"{name!r} has the neurons of the readout, without its weights"))
    else:
        members = [int(lines.source[k]) for k in read]
    if members:
        draft.ports.append((name, members))
