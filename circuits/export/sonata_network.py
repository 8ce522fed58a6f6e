"""The files of a SONATA network: nodes, edges and input spikes in HDF5, types in CSV, parameters and configuration in JSON.

https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from circuits.motif_file import Motif

MANIFEST = {"$DIR": "."}
SPIKES = {"input_type": "spikes", "input_file": "$DIR/inputs.h5"}


def write_network(h5py: Any, motif: Motif, folder: Path) -> None:
    """Write config.json and the files that it names into a folder that already has an example.npz.

    Readers differ. All open config.json: NEST and BMTK use its files, libsonata its populations. libsonata refuses an unknown
    simulator, and NEST any but NEST: only NEST reads nest.json, which names it. simulation_config.json is the trial in the form
    of libsonata's SimulationConfig.
    """
    steps = _inputs(h5py, motif, folder)
    _nodes(h5py, motif, folder)
    _edges(h5py, motif, folder)
    _json(folder / "node_sets.json", _node_sets(motif))
    _json(folder / "config.json", _config(motif, steps))
    _json(folder / "nest.json", {"manifest": MANIFEST, "target_simulator": "NEST"})
    _json(folder / "simulation_config.json", _simulation(motif, steps))


def _config(motif, steps):
    edges = [name for name, synapses in _populations(motif).items() if synapses]
    kinds = {"motif": "point_neuron"} | ({"inputs": "virtual"} if motif.inputs else {})
    return {
        "manifest": MANIFEST,
        "run": {"dt": motif.dt_ms, "tstop": steps * motif.dt_ms},
        "components": {"point_neuron_models_dir": "$DIR/neurons", "synaptic_models_dir": "$DIR/synapses"},
        "networks": {
            "nodes": [_files("node", name, {name: {"type": kind}}) for name, kind in kinds.items()],
            "edges": [_files("edge", name, {f"{name}_to_motif": {"type": "chemical"}}) for name in edges],
        },
        "inputs": {"trial": SPIKES | {"module": "h5", "node_set": "inputs"}} if motif.inputs else {},
        "node_sets_file": "$DIR/node_sets.json",
    }


def _files(part, name, populations):
    files = {f"{part}s_file": f"$DIR/{name}_{part}s.h5", f"{part}_types_file": f"$DIR/{name}_{part}_types.csv"}
    return files | {"populations": populations}


def _simulation(motif, steps):
    duration = steps * motif.dt_ms
    replay = {"module": "synapse_replay", "spike_file": "$DIR/inputs.h5", "delay": 0.0, "duration": duration}
    return {
        "manifest": MANIFEST,
        "network": "$DIR/config.json",
        "run": {"dt": motif.dt_ms, "tstop": duration, "random_seed": 0},
        "output": {"output_dir": "$DIR/output", "spikes_file": "spikes.h5"},
        "inputs": {"trial": SPIKES | replay | {"node_set": "inputs"}} if motif.inputs else {},
        "node_sets_file": "$DIR/node_sets.json",
    }


def _node_sets(motif):
    index = motif.index
    return {port.name: {"population": "motif", "node_id": [index[n] for n in port.neurons]} for port in motif.outputs}


def _nodes(h5py, motif, folder):
    """Neurons with the same parameters share a node type; type ids are unique in all files, as BMTK requires."""
    text = h5py.string_dtype()
    parameters = [_neuron(n) for n in motif.neurons]
    types = list({json.dumps(p): None for p in parameters})
    (folder / "neurons").mkdir()
    rows = ["node_type_id model_type model_template dynamics_params"]
    for k, kind in enumerate(types):
        _json(folder / "neurons" / f"{k}.json", json.loads(kind))
        rows.append(f"{k} point_neuron nest:iaf_psc_exp {k}.json")
    (folder / "motif_node_types.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with h5py.File(folder / "motif_nodes.h5", "w") as file:
        group = _population(file, "nodes/motif", [types.index(json.dumps(p)) for p in parameters], "node")
        group["0/name"] = np.array([str(n.id) for n in motif.neurons], text)
        group["0/ei"] = np.array([n.sign.lower() for n in motif.neurons], text)
        group["0/type"] = np.array([n.type for n in motif.neurons], text)
    if motif.inputs:
        virtual = len(types)
        (folder / "inputs_node_types.csv").write_text(f"node_type_id model_type\n{virtual} virtual\n", encoding="utf-8")
        with h5py.File(folder / "inputs_nodes.h5", "w") as file:
            group = _population(file, "nodes/inputs", [virtual] * len(motif.inputs), "node")
            group["0/name"] = np.array([channel.name for channel in motif.inputs], text)


def _neuron(n):
    """Parameters of iaf_psc_exp: with a leak of 1 nS 1 pA is 1 mV, and the capacity in pF is the time constant in ms."""
    potentials = {"E_L": n.v_rest_mv, "V_m": n.v_rest_mv, "V_th": n.v_th_mv, "V_reset": n.v_reset_mv}
    times = {"tau_m": n.tau_m_ms, "tau_syn_ex": n.tau_syn_e_ms, "tau_syn_in": n.tau_syn_i_ms, "t_ref": n.t_ref_ms}
    return potentials | times | {"C_m": n.tau_m_ms, "I_e": n.bias_mv}


def _populations(motif):
    """The synapses by source population: (number of the source, sign, synapse)."""
    index = motif.index
    return {
        "inputs": [(c, 1, s) for c, channel in enumerate(motif.inputs) for s in channel.synapses],
        "motif": [(index[s.pre], -1 if motif.neurons[index[s.pre]].sign == "I" else 1, s) for s in motif.synapses],
    }


def _edges(h5py, motif, folder):
    """Static synapses share an edge type, others one for each set of parameters."""
    index = motif.index
    (folder / "synapses").mkdir()
    first = 0
    for source, rows in _populations(motif).items():
        if not rows:
            continue
        sections = [s.short_term.model_dump_json() if s.short_term else "" for *_, s in rows]
        kinds = list(dict.fromkeys(sections))
        table = ["edge_type_id model_template dynamics_params"]
        for k, kind in enumerate(kinds, first):
            model, parameters = ("tsodyks2_synapse", _short_term(**json.loads(kind))) if kind else ("static_synapse", {})
            _json(folder / "synapses" / f"{source}_{k}.json", parameters)
            table.append(f"{k} {model} {source}_{k}.json")
        (folder / f"{source}_edge_types.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
        with h5py.File(folder / f"{source}_edges.h5", "w") as file:
            group = _population(
                file, f"edges/{source}_to_motif", [first + kinds.index(section) for section in sections], "edge"
            )
            group["source_node_id"] = np.array([pre for pre, *_ in rows], "u8")
            group["target_node_id"] = np.array([index[s.post] for *_, s in rows], "u8")
            group["source_node_id"].attrs["node_population"] = source
            group["target_node_id"].attrs["node_population"] = "motif"
            group["0/syn_weight"] = np.array([sign * s.weight_mv for _, sign, s in rows])
            group["0/delay"] = np.array([round(s.delay_ms / motif.dt_ms) * motif.dt_ms for *_, s in rows])
            sources = len(motif.inputs) if source == "inputs" else len(motif.neurons)
            _index(group, "source_to_target", group["source_node_id"][:], sources)
            _index(group, "target_to_source", group["target_node_id"][:], len(motif.neurons))
        first += len(kinds)


def _index(group, name, nodes, count):
    """Index the edges of each of `count` nodes: ranges of ranges of edges. BMTK has another name for the first table."""
    starts = np.flatnonzero(np.append(True, nodes[1:] != nodes[:-1]))
    ends = np.append(starts[1:], len(nodes))
    order = np.argsort(nodes[starts], kind="stable")
    last = np.searchsorted(nodes[starts][order], np.arange(count), side="right")
    index = group.create_group(f"indices/{name}")
    index["node_id_to_ranges"] = np.stack([np.append(0, last[:-1]), last], axis=1).astype("u8")
    index["node_id_to_range"] = index["node_id_to_ranges"]  # the same table: a link
    index["range_to_edge_id"] = np.stack([starts[order], ends[order]], axis=1).astype("u8")


def _short_term(use, tau_rec_ms, tau_fac_ms):
    """NEST's u is the value after the jump at the next spike."""
    return {"U": use, "u": use, "x": 1.0, "tau_rec": tau_rec_ms, "tau_fac": tau_fac_ms}


def _population(file, name, types, part):
    """A group of nodes or edges whose attributes are all in its subgroup 0."""
    file.attrs["magic"], file.attrs["version"] = np.uint32(0x0A7A), np.array([0, 1], "u4")
    group = file.create_group(name)
    group[f"{part}_type_id"] = np.array(types, "u8")
    group[f"{part}_group_id"] = np.zeros(len(types), "u8")
    group[f"{part}_group_index"] = np.arange(len(types), dtype="u8")
    if part == "node":
        group["node_id"] = np.arange(len(types), dtype="u8")
    group.create_group("0")
    return group


def _inputs(h5py, motif, folder):
    """Write the example's input spikes; returns its number of steps."""
    with np.load(folder / "example.npz", allow_pickle=False) as example:
        inputs = example["inputs"][0]
    step, channel = np.nonzero(inputs)
    if motif.inputs:
        with h5py.File(folder / "inputs.h5", "w") as file:
            file.attrs["magic"], file.attrs["version"] = np.uint32(0x0A7A), np.array([0, 1], "u4")
            group = file.create_group("spikes/inputs")
            sorting = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, "u1")
            group.attrs.create("sorting", 2, dtype=sorting)
            group["timestamps"] = (step + 1) * motif.dt_ms
            group["timestamps"].attrs["units"] = "ms"
            group["node_ids"] = channel.astype("u8")
    return len(inputs)


def _json(path, data):
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
