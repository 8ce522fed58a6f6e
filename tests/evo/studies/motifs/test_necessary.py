"""What cuts of a motif's connections cost beside those of others."""

import numpy as np
import pytest

from circuits.graph.named_motifs import occurrences
from evo import genome
from evo.spec.run_spec import parse
from evo.studies.motifs.necessary import Cuts, compared
from tests.evo.tiny import SPEC

pytestmark = pytest.mark.long

MOTIF = "feedforward excitation chain"


def circuits_with(loss_of, count=60):
    """Random circuits, and the losses that a function (is it a connection of the motif, a random number) gives their cuts."""
    spec, rng = parse(SPEC), np.random.default_rng(5)
    form = spec.encoding(spec.make_task().interface)
    made = []
    for record in genome.founders(form.bounds, count, rng):
        circuit = genome.to_circuit(record, form, ("a", "b", "control"), ("out",))
        sign = {n.id: n.sign for n in circuit.neurons}
        ends = [(("input", c.name), s.post, "in") for c in circuit.inputs for s in c.synapses]
        ends += [(("neuron", s.pre), s.post, sign[s.pre]) for s in circuit.synapses]
        connections = [(source, ("neuron", post)) for source, post, _ in ends]
        kinds = [f"{kind}>{sign[post]}" for _, post, kind in ends]
        used = frozenset().union(*next((sets for motif, sets in occurrences(circuit).items() if motif.name == MOTIF), ()))
        losses = np.array([loss_of(c in used, rng.random()) for c in connections])
        made.append(Cuts(circuit, connections, kinds, losses))
    return made


def test_a_motif_whose_cuts_cost_more_is_found():
    rows = {row.name: row for row in compared(circuits_with(lambda used, noise: 0.3 * used + noise))}
    assert rows[MOTIF].corrected < 0.05
    assert rows[MOTIF].loss - rows[MOTIF].others == pytest.approx(0.3, abs=0.15)
    assert 0 < rows[MOTIF].circuits <= 60


def test_cuts_that_cost_the_same_are_not_found():
    small = [min(row.p for row in compared(circuits_with(lambda used, noise: noise, 12), seed)) for seed in range(3)]
    assert np.mean(small) > 0.01
    rows = compared(circuits_with(lambda used, noise: 0.5, 12))
    assert {row.p for row in rows} == {1.0}


def test_kinds_are_compared_with_their_own():
    """Of connections onto inhibitory neurons every cut costs much, the motif's and others' alike: that is no finding."""
    made = circuits_with(lambda used, noise: noise)
    strong = [one._replace(losses=one.losses + 5.0 * np.array([kind == "E>I" for kind in one.kinds])) for one in made]
    assert [row.p for row in compared(strong)] == [row.p for row in compared(made)]
