"""Circuits read as state machines: those that are known come out, and what synapses hold is what the simulator says."""

import numpy as np
import pytest

import fitness
from circuits.errors import UserError
from circuits.simulation.packed import order_of_summation
from circuits.simulation.simulate import simulate
from fitness.analysis.state_machine import Feature, _gain, _releases, _split, _weights, machine, sequence_of
from fitness.base.trials import Symbols
from tests import reference

SEQUENCES = "toggle", "recall", "sequence", "mismatch", "association"


def case(name, count=128):
    task = fitness.task(name)
    return task, task.trials(5, count), fitness.reference(name).circuit


def follows(found, state, symbol):
    """The state that a symbol leads to, where it always does."""
    after = found.transitions[state, found.symbols.index(symbol)]
    assert np.count_nonzero(after) == 1
    return int(after.argmax())


def test_a_toggle_has_two_states():
    found = machine(*case("toggle"))
    assert found.symbols == ("set", "reset")
    assert len(found.conditions) == 2
    off, on = found.start, 1 - found.start
    assert [follows(found, s, symbol) for s in (off, on) for symbol in found.symbols] == [on, off, on, off]
    assert [str(c) for c in found.conditions[on]] == ["fires"]
    assert [str(c) for c in found.conditions[off]] == ["silent"]
    assert found.explained == 1
    np.testing.assert_array_equal(found.answers[off, :, 0], [1, 0])


def test_recall_holds_which_cue_there_was():
    found = machine(*case("recall"))
    nothing, a, b = found.start, *(follows(found, found.start, f"cue_{x}") for x in "ab")
    assert len({nothing, a, b}) == len(found.conditions) == 3
    probe = found.answers[:, found.symbols.index("probe")]
    np.testing.assert_array_equal(probe[[nothing, a, b]], [[0, 0], [1, 0], [0, 1]])


def test_what_tells_of_a_b_is_what_makes_c_answered():
    found = machine(*case("sequence", 256))
    c = found.answers[:, found.symbols.index("c"), 0]
    assert np.nanmax(c) > 0.9
    assert c[found.start] < 0.1
    likely = found.transitions.argmax(axis=2)
    after_a = likely[found.start, found.symbols.index("a")]
    after_ab = likely[after_a, found.symbols.index("b")]
    assert c[after_ab] > 0.8
    assert c[after_a] < 0.2


def test_an_oddball_is_held_in_depressed_synapses():
    found = machine(*case("mismatch"))
    a, b = (found.symbols.index(x) for x in "ab")
    standard = int(found.transitions[:, a].sum(axis=1).argmax())  # where most a come is where a is the standard
    assert found.answers[standard, a, 0] < 0.05
    assert found.answers[standard, b, 0] > 0.95
    assert {(c.part, c.what) for c in found.conditions[standard]} == {("A", "release"), ("B", "release")}


def test_what_was_learnt_is_held_in_weights():
    found = machine(*case("association"))
    cue = found.symbols.index("cue")
    answered = found.answers[:, cue, 0]
    learnt = int(np.nanargmax(answered))
    assert answered[learnt] == 1
    assert [(c.part, c.what, c.above) for c in found.conditions[learnt]] == [("C>out", "weight", True)]
    assert answered[found.start] == 0


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_machine_is_all_moments_and_transitions(name):
    task, trials, circuit = case(name)
    found, symbols = machine(task, trials, circuit), task.as_sequence(trials)
    assert found.share.sum() == pytest.approx(1)
    assert found.transitions.sum() == (symbols.which >= 0).sum()
    assert (np.diff(found.share) <= 0).all()
    assert len(found.conditions) <= 8
    there = found.transitions.sum(axis=2) > 0
    assert np.isfinite(found.answers[there]).all()
    assert np.isnan(found.answers[~there]).all()
    again = machine(task, trials, circuit)
    np.testing.assert_array_equal(again.transitions, found.transitions)


def test_tasks_without_symbols_have_no_machine():
    assert machine(*case("gate")) is None


def test_noise_is_no_state():
    """What comes next depends on nothing that is seen: there is one state."""
    rng = np.random.default_rng(1)
    features = [Feature(f"n{k}", "potential", rng.normal(size=(200, 5))) for k in range(20)]
    state, conditions = _split(features, rng.integers(0, 3, (200, 4)), rng.integers(0, 2, (200, 4)))
    assert conditions == ((),)
    assert not state.any()


def test_a_state_is_found_that_only_matters_two_symbols_on():
    """A delayed answer: the first symbol is told by what the third is answered with."""
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 2, 300)
    value = np.stack([np.zeros(300), kind, kind, np.zeros(300)], axis=1) + rng.normal(0, 0.05, (300, 4))
    which = np.stack([kind, np.full(300, 2), np.full(300, 3)], axis=1)
    answer = np.stack([np.zeros(300), np.zeros(300), kind], axis=1).astype(int)
    state, conditions = _split([Feature("x", "current", value)], which, answer)
    assert len(conditions) == 2
    np.testing.assert_array_equal(state[:, 1], state[:, 2])
    assert len(set(zip(kind.tolist(), state[:, 1].tolist(), strict=True))) == 2


def test_a_split_that_says_nothing_new_costs():
    symbol, answer = np.zeros(100, int), np.arange(100) % 2
    holds = np.stack([answer == 1, np.arange(100) < 50])
    gain = _gain(holds, symbol, answer, np.zeros(100, int), 100)
    assert gain[0] == pytest.approx(100 * np.log(2) - 0.5 * np.log(100) - np.log(2))
    assert gain[1] < 0


# -- what plastic synapses hold


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_those_of_the_simulator(seed):
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, neurons=6, dt_ms=1.0, plastic="stdp", multapses=False)
    raster = simulate(circuit, reference.random_input(rng, circuit, 10, 200))
    found = {f.part: f.value[:, 0] for f in _weights(raster, circuit, np.full((10, 1), 200))}
    every = [(f"{c.name}>{s.post}", s) for c in circuit.inputs for s in c.synapses]
    every += [(f"{s.pre}>{s.post}", s) for s in circuit.synapses]
    learning = [every[k] for k in order_of_summation(circuit) if every[k][1].stdp]
    share = 100 * raster.weights_mv / [s.weight_mv for _, s in learning]
    np.testing.assert_allclose(np.stack([found[name] for name, _ in learning], axis=1), share, atol=0.51)
    assert (np.abs(share - 100) > 5).any()


def test_releases_are_those_of_the_synapse_model():
    """Beside the current that a spike brings: a neuron that never fires gets it all."""
    from circuits import Circuit

    section = {"use": 0.3, "tau_rec_ms": 100.0, "tau_fac_ms": 60.0}
    circuit = Circuit(
        dt_ms=1.0,
        neurons=[{"id": "n", "sign": "E", "tau_syn_e_ms": 0.01, "v_th_mv": 900.0}],
        inputs=[{"name": "in", "synapses": [{"post": "n", "weight_mv": 10.0, "delay_ms": 3.0, "short_term": section}]}],
        outputs=[{"name": "out", "neurons": ["n"]}],
    )
    times = [5, 10, 30, 31, 90]
    raster = simulate(circuit, [[[float(t) for t in times]]], duration_ms=100, record="all")
    brought = raster.traces.i_e_mv[0, :, 0]
    arrivals = np.flatnonzero(brought > 1e-3)
    np.testing.assert_array_equal(arrivals, np.add(times, 2))
    (found,) = _releases(raster, circuit, arrivals[None])
    np.testing.assert_allclose(found.value[0] / 100 * 0.3 * 10, brought[arrivals], atol=0.02)


# -- sequences of someone's own


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ("nonsense", "must return fitness.task.Symbols or None"),
        (Symbols(("a",), np.zeros((3, 2), int), np.ones((3, 2))), "must be arrays \\[4 trials, symbols\\]"),
        (Symbols(("a",), np.ones((4, 2), int), np.tile([1.0, 2.0], (4, 1))), "numbers of names, or -1"),
        (Symbols(("a",), np.zeros((4, 2), int), np.tile([2.0, 2.0], (4, 1))), "must ascend, within the trial"),
        (Symbols(("a",), np.zeros((4, 2), int), np.tile([2.0, 200.0], (4, 1))), "must ascend, within the trial"),
    ],
)
def test_sequences_that_are_none_are_refused(symbols, message):
    class Mine(fitness.Task):
        inputs, outputs = ("a",), ("b",)

        def as_sequence(self, trials):
            return symbols

    with pytest.raises(UserError, match=message):
        sequence_of(Mine(), fitness.Trials(np.zeros((4, 100, 1), bool), np.zeros(4, int)))
