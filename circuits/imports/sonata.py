"""Import SONATA networks of point neurons, as NEST and BMTK's PointNet run them: a folder or its configuration."""

from pathlib import Path
from typing import Any

from circuits.errors import UserError
from circuits.export.features import approximate, dropped, exact
from circuits.imports.draft import Draft, Link, assembled, check_size
from circuits.imports.report import Report, listed
from circuits.imports.sonata_files import Folder, Population
from circuits.motif_file import Motif, load

DT_MS, DELAY_MS = 0.1, 1.0  # NEST's defaults
SHORT_MS = 0.01  # a synaptic time constant short enough to be none
# NEST's defaults of iaf_psc_exp and iaf_psc_delta, in its units: ms, mV, pF, pA.
DEFAULTS = {
    **{"C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "I_e": 0.0},
    **{"tau_syn_ex": 2.0, "tau_syn_in": 2.0},
}
DELTA = {"tau_syn_ex": SHORT_MS, "tau_syn_in": SHORT_MS}
MODELS = {"iaf_psc_exp": DEFAULTS, "iaf_psc_delta": DEFAULTS | DELTA}
STATIC, SHORT_TERM = "static_synapse", "tsodyks2_synapse"
POINT = ("point_neuron", "point_process")
KNOWN = {
    *("node_type_id", "node_id", "model_type", "model_template", "dynamics_params", "ei", "name", "type", "pop_name"),
    *("edge_type_id", "source_node_id", "target_node_id", "source_query", "target_query", "syn_weight", "delay", "nsyns"),
    "weight_function",
}


def read(path: Path, report: Report, dt_ms: float | None, split: bool) -> Motif:
    """Read the motif in a SONATA network.

    dt_ms  the time step [default: run.dt of the configuration, or 0.1 ms]
    """
    folder = Folder(path)
    draft = Draft(dt_ms=_time_step(folder, report, dt_ms))
    numbers: dict[tuple[str, int], int] = {}  # of neurons, and -1 - that of input channels
    scales: list[tuple[float, bool]] = []  # of each neuron: mV per pA, and whether spikes move V at once
    nodes = folder.populations("nodes")
    check_size(report, sum(population.size for population in nodes), 0)
    several = sum(any(kind != "virtual" for kind in population.column("model_type")) for population in nodes) > 1
    for population in nodes:
        _nodes(folder, population, draft, report, numbers, scales, several)
    edges = folder.populations("edges")
    check_size(report, 0, sum(population.size for population in edges))
    for population in edges:
        _edges(folder, population, draft, report, numbers, scales)
    _ports(folder, nodes, draft, report, numbers)
    own = _own_motif(folder)
    if own is not None:
        if _numbered(assembled(draft, Report(report.location), split)) == _numbered(own):
            report.forget()
            return own
        report.say("provenance", dropped("the motif.json beside the network differs from it: the network is imported"))
    return assembled(draft, report, split)


def _own_motif(folder) -> Motif | None:
    """The motif file that `evo export` wrote beside the network."""
    try:
        path = folder.inside("motif.json")
        return load(path) if path.is_file() else None
    except UserError:
        return None


def _numbered(motif):
    """The circuit with neurons by number and delays in steps, to compare two."""
    index = motif.index
    data = motif.circuit.model_dump()
    for neuron in data["neurons"]:
        neuron["id"] = index[neuron["id"]]
    for synapse in [*data["synapses"], *(s for channel in data["inputs"] for s in channel["synapses"])]:
        synapse |= {end: index[synapse[end]] for end in ("pre", "post") if end in synapse}
        synapse["delay_ms"] = round(synapse["delay_ms"] / motif.dt_ms)
    for port in data["outputs"]:
        port["neurons"] = [index[name] for name in port["neurons"]]
    return data


def _time_step(folder, report, dt_ms):
    if dt_ms is not None:
        return dt_ms
    run = folder.config.get("run")
    dt = run.get("dt") if isinstance(run, dict) else None
    if isinstance(dt, int | float) and not isinstance(dt, bool) and 0 < dt <= 100:
        return float(dt)
    report.say("time step", approximate(f"{DT_MS} ms: the configuration has no run.dt; --dt chooses another"))
    return DT_MS


def _nodes(folder, population: Population, draft, report, numbers, scales, several):
    kinds = population.column("model_type")
    ids = population.column("node_id")
    names = _names(population, several)
    for k in range(population.size):
        location = f"node {ids[k]} of {population.name!r}"
        if (population.name, ids[k]) in numbers:
            report.refuse(location, "it occurs twice")
        if kinds[k] == "virtual":
            numbers[population.name, ids[k]] = -1 - len(draft.inputs)
            draft.inputs.append(str(names[k]))
            continue
        if kinds[k] not in POINT:
            report.refuse(location, f"its model_type is {kinds[k]!r}; motifs have {POINT[0]} and virtual ones")
        numbers[population.name, ids[k]] = len(draft.neurons)
        neuron, scale = _neuron(folder, population, k, location, report)
        draft.neurons.append({"id": names[k], **neuron})
        scales.append(scale)
    _ignored(population, report, "nodes")


def _names(population, several):
    """The ids of the motif's neurons or names of its channels: the attribute `name` where it is unique, else the node's number;
    prefixed by the population where there are several."""
    names = population.column("name")
    named = all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names) and names
    if not named:
        names = [str(number) for number in population.column("node_id")]
    virtual = all(kind == "virtual" for kind in population.column("model_type"))
    return [f"{population.name}.{name}" for name in names] if several or (virtual and not named) else names


def _neuron(folder, population: Population, k, location, report) -> tuple[dict[str, Any], tuple[float, bool]]:
    """The parameters of a point neuron, and the scale of its weights: mV per pA, or per mV of a delta synapse."""
    template = population.column("model_template")[k]
    model = str(template).removeprefix("nest:")
    if model not in MODELS:
        report.refuse(f"{location}: {template}", f"motifs have the neurons of nest:{' and nest:'.join(MODELS)}")
    parameters = folder.parameters("point_neuron_models_dir", population.column("dynamics_params")[k])
    parameters = parameters | {
        key.partition(".")[2]: column[k]
        for key, column in population.columns.items()
        if key.startswith("dynamics_params.") and column[k] is not None
    }
    p = MODELS[model] | {key: value for key, value in parameters.items() if key in (*DEFAULTS, "V_m")}
    for key, value in p.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            report.refuse(f"{location}: {key}", f"it must be a number, not {value!r}")
    if p["C_m"] <= 0 or p["tau_m"] <= 0:
        report.refuse(f"{location}: C_m and tau_m", "they must be above 0")
    other = sorted(set(parameters) - {*DEFAULTS, "V_m", "tau_minus", "refractory_input"})
    if other:
        report.say(f"parameters {listed(other)}", dropped(f"motifs have no such parameter of {model}"))
    if p.get("V_m", p["E_L"]) != p["E_L"]:
        report.say("start at rest", approximate("V starts at E_L, not at V_m"))
    delta = model == "iaf_psc_delta"
    if delta:
        p |= DELTA
        report.say("synaptic time constants", approximate(f"iaf_psc_delta: a decay of {SHORT_MS} ms, the same charge"))
    report.say("lif_psc_exp neurons", exact(f"nest:{model}") if not delta else approximate("nest:iaf_psc_delta"))
    resistance = p["tau_m"] / p["C_m"]
    ei = population.column("ei")[k]
    sign = {"e": "E", "i": "I"}.get(str(ei).lower()[:1]) if ei is not None else None
    cell_type = population.column("type")[k] or population.column("pop_name")[k] or ""
    neuron = {
        "sign": sign,
        "type": str(cell_type),
        "tau_m_ms": float(p["tau_m"]),
        "tau_syn_e_ms": float(p["tau_syn_ex"]),
        "tau_syn_i_ms": float(p["tau_syn_in"]),
        "v_rest_mv": float(p["E_L"]),
        "v_th_mv": float(p["V_th"]),
        "v_reset_mv": float(p["V_reset"]),
        "t_ref_ms": float(p["t_ref"]),
        "bias_mv": float(p["I_e"] * resistance),
    }
    return neuron, (p["tau_m"] / SHORT_MS if delta else resistance, delta)


def _edges(folder, population: Population, draft, report: Report, numbers, scales):
    columns = {name: population.column(name) for name in ("syn_weight", "delay", "nsyns", "model_template", "dynamics_params")}
    if any(value is not None for value in population.column("weight_function")) and None in columns["syn_weight"]:
        report.refuse("weights", f"edges {population.name!r} have a weight_function, which is code: write syn_weight")
    sources, targets = population.column("source_node_id"), population.column("target_node_id")
    for k in range(population.size):
        location = f"edge {k} of {population.name!r}"
        ends = (population.source, int(sources[k])), (population.target, int(targets[k]))
        for name, number in ends:
            if (name, number) not in numbers:
                report.refuse(location, f"there is no node {number} in a population {name!r}")
        source, target = (numbers[end] for end in ends)
        if target < 0:
            report.refuse(location, "it ends at a virtual node")
        weight = _number(columns["syn_weight"][k], f"{location}: syn_weight", report)
        if weight is None:
            report.refuse(location, "it has no syn_weight")
        synapses_per_edge = _number(columns["nsyns"][k], f"{location}: nsyns", report)
        delay = _number(columns["delay"][k], f"{location}: delay", report)
        if delay is None:
            delay = DELAY_MS
            report.say("delays", approximate(f"{DELAY_MS:g} ms, NEST's default, where an edge has none"))
        if synapses_per_edge is not None:
            weight *= synapses_per_edge
            report.say("weights", exact("syn_weight times nsyns"))
        sections = _sections(folder, columns, k, location, report)
        draft.links.append(Link(source, target, weight * scales[target][0], delay, sections))
    _ignored(population, report, "edges")


def _number(value, location, report: Report) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        report.refuse(location, f"it must be a number, not {value!r}")


def _sections(folder, columns, k, location, report):
    """The plasticity section of a synapse."""
    template = columns["model_template"][k]
    model = STATIC if template is None else str(template).removeprefix("nest:")
    parameters = folder.parameters("synaptic_models_dir", columns["dynamics_params"][k])
    if model == STATIC:
        if set(parameters) - {"receptor_type"}:
            report.say(f"parameters {listed(sorted(parameters))}", dropped("static synapses have a weight and a delay"))
        return {}
    if model != SHORT_TERM:
        report.refuse(f"{location}: {template}", f"motifs have nest:{STATIC} and nest:{SHORT_TERM}")
    p = {"U": 0.5, "u": parameters.get("U", 0.5), "x": 1.0, "tau_rec": 800.0, "tau_fac": 0.0} | parameters
    for key in ("U", "u", "x", "tau_rec", "tau_fac"):
        if isinstance(p[key], bool) or not isinstance(p[key], int | float):
            report.refuse(f"{location}: {key}", f"it must be a number, not {p[key]!r}")
    if p["u"] != p["U"] or p["x"] != 1:
        report.say("short_term synapses", approximate("they start at rest, u = U and x = 1"))
    return {"short_term": {"use": float(p["U"]), "tau_rec_ms": float(p["tau_rec"]), "tau_fac_ms": float(p["tau_fac"])}}


def _ports(folder, nodes, draft, report, numbers):
    """Make an output port of each node set that lists neurons."""
    populations = {each.name for each in nodes}
    ignored = []
    for name, rule in folder.node_sets().items():
        members = rule.get("node_id") if isinstance(rule, dict) else None
        population = rule.get("population") if isinstance(rule, dict) else None
        population = population[0] if isinstance(population, list) and len(population) == 1 else population
        if population is None and len(populations) == 1:
            (population,) = populations
        if not isinstance(members, list) or set(rule) - {"node_id", "population"} or not isinstance(population, str):
            members = []
        neurons = [numbers.get((population, member), -1) if isinstance(member, int) else -1 for member in members]
        if min(neurons, default=-1) < 0:
            ignored.append(name)
        else:
            draft.ports.append((name, neurons))
    if ignored:
        report.say(f"node sets {listed(ignored)}", dropped("a node set that lists node_id of neurons becomes an output port"))
    if not draft.ports:
        report.say("output ports", dropped("no node set lists neurons; --outputs names some"))


def _ignored(population, report, parts):
    other = sorted(key for key in population.columns if key.partition(".")[0] not in KNOWN)
    if other:
        report.say(f"{parts}' {listed(other)}", dropped("simulations of point neurons do not use it"))
