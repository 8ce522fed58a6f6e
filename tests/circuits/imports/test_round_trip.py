"""What an export writes, `circuits.load` reads back as the same circuit."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import circuits
from circuits.export import export
from circuits.imports import read
from circuits.neurons import MODELS
from tests.products import examples
from tests.reference import random_circuit

SEEDS = st.integers(0, 2**32 - 1)


def some_motif(seed, **what):
    circuit = random_circuit(np.random.default_rng(seed), **{"neurons": 1 + seed % 7, **what})
    return circuits.Motif.of(circuit, run=f"run {seed}", seed=seed, scores={"held_out": 0.5})


def exported(motif, target, folder):
    """The export, without the check in the tool itself."""
    with patch(f"circuits.export.{target}.run_here", lambda *_: "not checked"):
        return export(motif, target, folder / str(len(list(folder.iterdir()))))


@given(SEEDS, st.sampled_from(sorted(MODELS)), st.sampled_from([None, "short_term", "stdp", "both"]))
def test_a_graphml_file_is_read_back_as_the_same_motif(tmp_path_factory, seed, model, plastic):
    pytest.importorskip("networkx")
    motif = some_motif(seed, neuron_model=model, plastic=plastic)
    path = export(motif, "graphml", tmp_path_factory.mktemp("graphml") / "m.graphml")
    found = read(path)
    assert found.motif == motif
    assert {kept.status for kept in found.table.values()} == {"exact"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.mark.long
@examples(0.24)
@given(seed=SEEDS)
def test_a_nir_graph_is_read_back_as_the_same_motif(folder, seed):
    pytest.importorskip("nir")
    motif = some_motif(seed, dt_ms=1.0)
    assume(any(channel.synapses for channel in motif.inputs))  # others are refused
    found = read(exported(motif, "nir", folder) / "motif.nir")
    assert found.motif == motif
    assert {kept.status for kept in found.table.values()} == {"exact"}


@pytest.mark.long
@examples(0.32)
@given(seed=SEEDS, plastic=st.sampled_from([None, "short_term"]))
def test_a_sonata_network_is_read_back_as_the_same_motif(folder, seed, plastic):
    pytest.importorskip("h5py")
    motif = some_motif(seed, plastic=plastic)
    there = exported(motif, "sonata", folder)
    found = read(there)
    assert found.motif == motif
    assert {kept.status for kept in found.table.values()} == {"exact"}

    (there / "motif.json").unlink()
    alone = read(there / "config.json").motif
    assert [n.id for n in alone.neurons] == [str(n.id) for n in motif.neurons]
    assert np.array_equal(alone.parameters, motif.parameters)
    assert wired(alone) == wired(motif)


@pytest.mark.long
@examples(0.24)
@given(seed=SEEDS)
def test_a_nir_graph_without_its_metadata_has_the_same_spikes(folder, seed):
    nir = pytest.importorskip("nir")
    from circuits.export import nir_graphs

    circuit = random_circuit(np.random.default_rng(seed), neurons=4, dt_ms=0.1)
    assume(any(channel.synapses for channel in circuit.inputs))  # others are refused
    calm = [n.model_copy(update={"bias_mv": 0.0, "t_ref_ms": 0.0}) for n in circuit.neurons]
    motif = circuits.Motif.of(circuit.model_copy(update={"neurons": tuple(calm)}))
    graph = nir_graphs.continuous(nir, motif)
    graph.metadata = {}
    graph.nodes["neurons"].metadata = {}
    nir.write(folder / "bare.nir", graph)
    found = read(folder / "bare.nir", dt_ms=0.1)
    assert found.table["weights"] == ("exact", "a spike is a Dirac pulse")
    assert len(found.motif.neurons) == 4
    inputs = np.random.default_rng(1).random((2, 1000, len(motif.inputs))) < 0.02
    here, there = (circuits.simulate(one.circuit, inputs, dtype="float64").spikes() for one in (motif, found.motif))
    assert (here != there).sum() <= 0.01 * here.sum()  # V counts from elsewhere: the last bit of a threshold may decide


def test_a_graph_that_was_changed_beside_its_motif_counts(folder):
    nir = pytest.importorskip("nir")
    motif = some_motif(5, neurons=3, dt_ms=1.0)
    path = exported(motif, "nir", folder) / "motif.nir"
    graph = nir.read(path)
    for name in ("excitatory_weights", "inhibitory_weights", "input_weights"):
        if name in graph.nodes:
            graph.nodes[name].weight = graph.nodes[name].weight * 2
    nir.write(path, graph)
    found = read(path)
    assert found.table["provenance"].status == "dropped"
    weights = [s.weight_mv for s in found.motif.synapses]
    assert sum(weights) == pytest.approx(2 * sum(s.weight_mv for s in motif.synapses))


def wired(motif):
    """The synapses by place, with whole steps."""
    place = {n.id: k for k, n in enumerate(motif.neurons)}
    channels = [(-1 - c, s) for c, channel in enumerate(motif.inputs) for s in channel.synapses]
    every = [*channels, *((place[s.pre], s) for s in motif.synapses)]
    return [(pre, place[s.post], s.weight_mv, round(s.delay_ms / motif.dt_ms), s.short_term) for pre, s in every]
