"""Sampled inputs: how signals come onto the grid, and how they drive neurons."""

import numpy as np
import pytest
from pydantic import ValidationError

import circuits
from circuits.edit.lesion import lesion
from circuits.edit.variants import Variants, lesioned
from circuits.errors import UserError
from circuits.motif_file import Motif, dumps, loads
from circuits.neurons import MODELS
from circuits.simulation.drive import drive_of, lanes, resampled, sampled
from circuits.simulation.packed import from_circuit, from_matrices
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from tests.circuits.simulation.driven import DT_MS, STEPS, driven_circuit, wave
from tests.products import some_of

TRIALS = 70


def given():
    spikes = np.random.default_rng(0).random((TRIALS, STEPS, 3)) < 0.02
    spikes[:, :, 1:] = False
    return spikes


@pytest.mark.parametrize(
    ("sample_ms", "dt_ms", "values", "expected"),
    [
        (1.0, 1.0, [3.0, 1.0, 2.0], [3.0, 1.0, 2.0]),
        (0.5, 1.0, [3.0, 1.0, 2.0, 4.0, 0.0, 1.0], [2.0, 3.0, 0.5]),
        (2.0, 1.0, [3.0, 1.0], [3.0, 3.0, 1.0]),
        (1.5, 1.0, [3.0, 0.0], [3.0, 1.5, 0.0]),
        (1.0, 1.0, [3.0, 1.0], [3.0, 1.0, 1.0]),
    ],
)
def test_a_sample_stands_until_the_next_one_and_a_step_gets_the_mean_over_its_length(sample_ms, dt_ms, values, expected):
    np.testing.assert_allclose(resampled(values, sample_ms, dt_ms, 3), expected, atol=1e-12)


def test_a_signal_that_is_too_short_or_not_finite_is_one_line():
    with pytest.raises(UserError, match="sound: ends at 4 ms, 10 ms are needed"):
        resampled(np.zeros(4), 1.0, 1.0, 10, "sound")
    with pytest.raises(UserError, match="has values that are not finite"):
        resampled([np.nan, 1.0], 1.0, 1.0, 2)


def test_a_current_is_filtered_by_the_excitatory_time_constant_of_the_neuron():
    """The equation, solved here: a step is the one that NEST's iaf_psc_exp takes at its second port."""
    circuit, spikes = driven_circuit(), given()
    raster = circuits.simulate(circuit, spikes, signals={"x": (0.25, wave(TRIALS))}, record="all")
    x = (wave(TRIALS)[0].reshape(STEPS, 2).mean(axis=1) - 1) / 2
    keep, current = np.exp(-DT_MS / 3.0), 0.0
    expected = []
    for k in range(STEPS):
        current = keep * current + (1 - keep) * 24 * (x[k - 4] if k >= 4 else 0.0)
        current += 10 if k >= 2 and spikes[0, k - 2, 0] else 0
        expected.append(current)
    np.testing.assert_allclose(raster.traces.i_e_mv[0, :, 0], expected, atol=1e-9)
    assert raster.counts().sum() > TRIALS


def test_a_lasting_signal_drives_by_its_gain():
    far = {"v_th_mv": 900.0}
    circuit = circuits.Circuit(
        dt_ms=0.1,
        neurons=[{"id": "E0", "sign": "E", **far}],
        inputs=[
            {"name": "x", "signal": {"of": "x", "scale": 4.0}, "synapses": [{"post": "E0", "weight_mv": 7.0, "delay_ms": 1.0}]}
        ],
    )
    raster = circuits.simulate(circuit, np.zeros((1, 3000, 1), bool), signals={"x": (300.0, [8.0])}, record=["E0"])
    assert raster.traces.i_e_mv[0, -1, 0] == pytest.approx(2 * 7.0, abs=1e-6)
    assert raster.traces.v_mv[0, -1, 0] == pytest.approx(-70 + 2 * 7.0 * (1 - 0.1 / (2 * 2.0)), abs=0.01)


@pytest.mark.parametrize("model", some_of(["lif_psc_exp", "aeif_psc_exp", "alif_psc_exp", "izhikevich"], few=["lif_psc_exp"]))
def test_a_population_does_in_float32_what_its_circuits_do_alone(model):
    circuit, spikes = driven_circuit(model), given()
    drive = drive_of(sampled(circuit), {"x": (0.25, wave(TRIALS))}, DT_MS, TRIALS, STEPS)
    alone = circuits.simulate(circuit, spikes, signals=drive, dtype="float32").outputs.spikes()
    found = simulate_population(from_circuit(circuit, np.float32), pack(spikes), TRIALS, signals=lanes(drive))
    bits = found.outputs[0].view("u1").reshape(2, STEPS, 1, 8)
    lanes_of = np.unpackbits(bits, axis=-1, bitorder="little").reshape(2, STEPS, 64).astype(bool)
    assert np.array_equal(np.moveaxis(lanes_of, 2, 1).reshape(128, STEPS)[:TRIALS], alone[..., 0])
    assert alone.any()
    some = circuits.simulate(circuit, spikes[40:], signals=drive[40:], dtype="float32").outputs.spikes()
    assert np.array_equal(some, alone[40:])


def test_matrices_and_circuits_make_the_same_tables():
    circuit = driven_circuit(first="sampled")
    order = [c.name for c in circuit.inputs]
    weight, delay = np.zeros((1, 5, 2), "f4"), np.zeros((1, 5, 2), "u2")
    ids = [n.id for n in circuit.neurons]
    for c, channel in enumerate(circuit.inputs):
        for s in channel.synapses:
            weight[0, c, ids.index(s.post)], delay[0, c, ids.index(s.post)] = s.weight_mv, round(s.delay_ms / DT_MS)
    for s in circuit.synapses:
        row = len(order) + ids.index(s.pre)
        weight[0, row, ids.index(s.post)], delay[0, row, ids.index(s.post)] = s.weight_mv, round(s.delay_ms / DT_MS)
    parameters = circuit.parameters[None].astype("f4")
    made = from_matrices(circuit.model, np.array([[1, -1]], "i1"), parameters, weight, delay, np.array([[0]]), DT_MS, sampled=2)
    expected = from_circuit(circuit, np.float32)
    for name in ("bounds", "weight", "offset", "fan_out"):
        assert np.array_equal(getattr(made, name), getattr(expected, name)), name
    for name in ("bounds", "weight", "offset"):
        assert np.array_equal(getattr(made.drive, name), getattr(expected.drive, name)), name
    assert made.delay_steps.tolist() == expected.delay_steps.tolist() == [4 + 1 + 4 + 2 + 2]


def test_versions_of_a_circuit_are_the_circuits():
    circuit, spikes = driven_circuit(), given()
    drive = drive_of(sampled(circuit), {"x": (0.25, wave(TRIALS))}, DT_MS, TRIALS, STEPS)
    cuts = [((), [("x", "E0")]), (("I0",), ()), ((), [("-x", "I0"), ("a", "E0")])]
    for versions, expected in (
        (lesioned(circuit, cuts), [lesion(circuit, neurons=n, connections=c) for n, c in cuts]),
        (Variants.of(circuit, 1), [circuit]),
    ):
        found = simulate_population(versions.tables(circuit), pack(spikes), TRIALS, signals=lanes(drive)).outputs
        for one, other in zip(found, expected, strict=True):
            alone = simulate_population(from_circuit(other, np.float32), pack(spikes), TRIALS, signals=lanes(drive)).outputs[0]
            assert np.array_equal(one, alone)


def test_a_sampled_channel_is_kept_in_the_motif_file_and_left_out_where_there_is_none():
    circuit = driven_circuit()
    text = dumps(Motif.of(circuit))
    assert '"signal": {\n    "of": "x"' in text
    assert loads(text).circuit == circuit
    assert '"signal"' not in dumps(Motif.of(circuits.zoo["gate-3"].circuit))


def test_what_cannot_be_driven_is_refused_by_name():
    with pytest.raises(ValidationError, match="lif_cond_exp neurons have conductances, which no signal can drive"):
        driven_circuit("lif_cond_exp")
    data = driven_circuit().model_dump()
    data["inputs"][1]["synapses"][0]["stdp"] = {}
    with pytest.raises(ValidationError, match="a connection of a sampled channel cannot be plastic"):
        circuits.Circuit(**data)
    with pytest.raises(ValidationError, match="scale: 0 must not be 0"):
        circuits.Sampled(of="x", scale=0)


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        (None, "the circuit is driven by 'x', not by none"),
        ({"y": (1.0, [0.0])}, "the circuit is driven by 'x', not by 'y'"),
        ({"x": (1.0, np.zeros((3, 900)))}, r"must be \[samples\] or \[70 trials, samples\], not \[3, 900\]"),
        ({"x": (0.0, np.zeros(900))}, "is sampled every 0.0 ms"),
        ({"x": np.zeros(900)}, r"must be a pair \(sample_ms, values\)"),
        (np.zeros((2, 2, 2)), r"an array must be float \[trials, steps, sampled channels\] \[70, 400, 2\]"),
        (np.full((TRIALS, STEPS, 2), np.inf), "a drive is a number from -1e"),
    ],
)
def test_signals_that_are_missing_or_wrong_are_one_line(signals, said):
    with pytest.raises(UserError, match=said):
        circuits.simulate(driven_circuit(), given(), signals=signals)


def test_every_model_with_currents_can_be_driven():
    assert {name for name, model in MODELS.items() if not model.currents} == {"lif_cond_exp"}
