import numpy as np
import pytest

from circuits.circuit import Circuit
from circuits.graph.named_motifs import NAMED, OCCURRENCES
from circuits.graph.subgraphs import census
from circuits.graph.wiring import Wiring
from evo import genome
from evo.genome.wiring import wiring_of
from evo.spec.run_spec import parse
from evo.studies.motifs.neutral import PEERS, Operators, drift, held, peers
from evo.studies.motifs.overrepresented import overrepresented
from tests.evo.genome.test_unsigned import UNSIGNED
from tests.evo.tiny import SPEC

pytestmark = pytest.mark.long

SIZE = np.array([3, 2, 5, 5])


@pytest.fixture(scope="module")
def operators():
    spec = parse(SPEC)
    return Operators(spec.encoding(spec.make_task().interface).bounds, 0.5, 0.5)


def test_what_drifts_stays_valid_and_changes(operators):
    founders, grown = drift(operators, 200, [0, 15], np.random.default_rng(1))
    assert not any(genome.faults(g, operators.bounds) for g in grown)
    assert (grown["weight"] != founders["weight"]).any((1, 2)).mean() > 0.95
    assert len({g.tobytes() for g in grown}) == 200


@pytest.mark.parametrize("text", [SPEC, UNSIGNED], ids=["Dale's law", "without"])
def test_the_wiring_of_genomes_is_that_of_their_circuits(text):
    spec = parse(text)
    interface = spec.make_task().interface
    form = spec.encoding(interface)
    (grown,) = drift(Operators(form.bounds, 0.5, 0.5), 30, [5], np.random.default_rng(2))
    made: list[Circuit] = [genome.to_circuit(g, form, interface.inputs, interface.outputs) for g in grown]
    direct, through = wiring_of(grown), Wiring.of(made)
    assert (direct.size == through.size).all()
    assert (direct.live().size == through.live().size).all()
    assert (census(direct) == census(through)).all()


def test_genomes_are_held_to_a_size_and_stay_valid(operators):
    rng = np.random.default_rng(3)
    (grown,) = drift(operators, 200, [10], rng)
    before = grown.copy()
    large = held(operators, grown, SIZE, rng)
    assert (wiring_of(grown).size == SIZE).all(1).mean() < 0.1
    assert (wiring_of(large).size == SIZE).all()
    assert not any(genome.faults(g, operators.bounds) for g in large)
    assert (grown == before).all()


def test_peers_are_as_old_and_as_large_as_the_circuits(operators):
    sizes = np.array([SIZE, [2, 1, 3, 2]])
    found = peers(operators, sizes, [4, 30], np.random.default_rng(4))
    assert [p.exact for p in found] == [1.0, 1.0]
    for p, size in zip(found, sizes, strict=True):
        assert (p.as_large.size == size).all()
        assert len(p.as_old.sign) == len(p.as_large.sign) == PEERS
    (at_4,) = drift(operators, 2000, [4], np.random.default_rng(5))
    assert np.allclose(found[0].as_old.size.mean(0), wiring_of(at_4).size.mean(0), rtol=0.1)


@pytest.mark.slow
def test_genomes_held_to_a_size_have_the_motifs_of_those_that_drifted_there_by_themselves(operators):
    (many,) = drift(operators, 40_000, [10], np.random.default_rng(10))
    sizes, which, count = np.unique(wiring_of(many).size, axis=0, return_inverse=True, return_counts=True)
    commonest = int(count.argmax())
    drifted, there = census(wiring_of(many)) @ OCCURRENCES, which.reshape(-1) == commonest
    elsewhere = many[~there][:1_500]
    brought = census(wiring_of(held(operators, elsewhere, sizes[commonest], np.random.default_rng(11)))) @ OCCURRENCES

    def apart(a, b):
        """Standard errors between the means."""
        return np.abs(a.mean(0) - b.mean(0)) / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b) + 1e-9)

    assert there.sum() > 150
    assert apart(brought, drifted[there]).max() < 4
    assert apart(drifted[~there], drifted[there]).max() > 8


def neutral_winners(operators, count, seed):
    rng = np.random.default_rng(seed)
    (grown,) = drift(operators, count, [20], rng)
    return wiring_of(held(operators, grown, SIZE, rng))


@pytest.mark.slow  # a rate, over 180 winners
def test_neutral_genomes_are_not_found_to_be_special(operators):
    (same,) = peers(operators, np.array([SIZE]), [20], np.random.default_rng(6))
    winners = neutral_winners(operators, 180, seed=7)
    p, false = [], 0
    for group in range(30):
        named, subgraphs = overrepresented(winners.take(slice(6 * group, 6 * group + 6)), [same] * 6)
        p += [f.of_size.p for f in named + subgraphs if f.of_size.mean > 0.2]
        false += any(f.of_size.corrected < 0.05 for f in named + subgraphs)
    assert len(p) > 500
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.06  # counts are whole numbers: a bit below 0.05
    assert false <= 6


def test_planted_feedforward_inhibition_is_found_and_named(operators):
    winners = neutral_winners(operators, 8, seed=8)
    for sign, synapse in zip(winners.sign, winners.synapse, strict=True):
        e, i, channels = np.flatnonzero(sign > 0)[0], np.flatnonzero(sign < 0)[0], winners.channels
        synapse[:channels] = False
        synapse[:2, e] = synapse[:2, i] = synapse[channels + i, e] = True
    found = peers(operators, winners.size, [20] * 8, np.random.default_rng(9))
    named, subgraphs = overrepresented(winners, found)
    first = named[0]
    assert first.name == "feedforward inhibition"
    assert first.pattern == next(m.pattern for m in NAMED if m.name == first.name)
    assert first.mean >= 2
    assert first.share == 1.0
    assert first.of_size.corrected < 0.01
    assert first.of_size.ratio > 2
    assert any(f.name == first.name and f.of_size.corrected < 0.05 for f in subgraphs)
    assert str(overrepresented(winners, found)) == str((named, subgraphs))
