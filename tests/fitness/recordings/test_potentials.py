"""Membrane potentials: a sampled signal with the name of an output is what the search compares with the circuit's own."""

import numpy as np
import pytest

from circuits import Circuit, InputChannel, InputSynapse, Neuron, OutputPort, Synapse, simulate
from circuits.errors import UserError
from circuits.simulation.packed import from_circuit
from fitness.evaluation.evaluate import evaluate
from fitness.recordings import Recording, Signal
from fitness.recordings.read import read
from tests.fitness.recordings import files
from tests.fitness.recordings.test_task import made

DT, SECONDS = 0.5, 6.0


def circuit(weight_mv=60.0):
    """a -> E0, which is read, and a hidden neuron between b and E0."""
    return Circuit(
        dt_ms=DT,
        neurons=(Neuron(id="E0", sign="E", tau_m_ms=12.0), Neuron(id="I0", sign="I")),
        inputs=(
            InputChannel(name="a", synapses=(InputSynapse(post="E0", weight_mv=weight_mv, delay_ms=2.0),)),
            InputChannel(name="b", synapses=(InputSynapse(post="I0", weight_mv=150.0, delay_ms=1.0),)),
        ),
        synapses=(Synapse(pre="I0", post="E0", weight_mv=20.0, delay_ms=1.5),),
        outputs=(OutputPort(name="cell", neurons=("E0",)),),
    )


def recorded(factor=1.0, offset_mv=0.0, unit="mV"):
    """What it does with Poisson inputs, spikes and potential, as `Recording.of` takes it."""
    spikes = np.random.default_rng(2).random((1, round(1000 * SECONDS / DT), 2)) < 0.03
    raster = simulate(circuit(), spikes, record=["E0"])
    given = {name: (np.flatnonzero(column) + 1) * DT for name, column in zip("ab", spikes[0].T, strict=True)}
    v_mv = np.concatenate([[-70.0], raster.traces.v_mv[0, :-1, 0]])  # row k is the time (k + 1) dt
    signal = Signal(DT, factor * (v_mv + offset_mv), unit)
    return [("0", 1000 * SECONDS, given, {"cell": raster.outputs.times(0)[0]}, {"cell": signal})]


def task_over(trials, **settings):
    return made(files.as_npz(trials), file="cell.npz", window_ms=200, lead_in_ms=100, teacher_forcing=True, **settings)


def unexplained(task, of):
    trials = task.trials_of("search", 1, 12)
    measured = evaluate(task, trials, from_circuit(of, np.float32)).scored
    return measured.measured[0, :, -1], float(measured.case_scores.mean())


def test_a_signal_with_the_name_of_an_output_is_its_potential_and_drives_nothing():
    found = read("cell.npz", files.as_npz(recorded()), ())
    assert found.potentials == ("cell",)
    assert found.signals == ()
    assert found == read("cell.csv", files.as_csv(recorded(), f"# duration_ms = {1000 * SECONDS}\n"), ())
    assert task_over(recorded()).inputs == ("a", "b")
    assert found.select(inputs=("b",)).potentials == ("cell",)


def test_the_circuit_that_was_recorded_explains_its_potential_and_others_less():
    task = task_over(recorded())
    share, mark = unexplained(task, circuit())
    assert share.max() < 1e-3
    worse, lower = unexplained(task, circuit(45.0))
    assert worse.min() > 0.01
    assert lower < mark


@pytest.mark.parametrize(("factor", "offset_mv", "unit"), [(1.0, 12.5, "mV"), (1e-3, 0.0, "V"), (1e3, -3.0, "uV")])
def test_neither_an_offset_nor_the_unit_matters(factor, offset_mv, unit):
    share, mark = unexplained(task_over(recorded(factor, offset_mv, unit)), circuit())
    assert share.max() < 1e-3
    assert mark == pytest.approx(unexplained(task_over(recorded()), circuit())[1], abs=1e-4)


def test_a_potential_in_another_unit_is_one_line():
    with pytest.raises(UserError, match="signal cell: has the name of an output, whose potential it is, in mV, V"):
        task_over(recorded(unit="pA")).prepared  # noqa: B018


def test_without_a_teacher_the_potential_is_not_looked_at():
    with_it, without = (
        made(files.as_npz(trials), file="cell.npz", window_ms=200, lead_in_ms=100)
        for trials in (recorded(), [one[:4] for one in recorded()])
    )
    both = [evaluate(t, t.trials_of("search", 1, 12), from_circuit(circuit(45.0), np.float32)) for t in (with_it, without)]
    np.testing.assert_array_equal(both[0].case_scores, both[1].case_scores)


def test_nwb_has_the_potential_of_a_unit_in_its_acquisition(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    from datetime import UTC, datetime

    ((_, duration, given, measured, signals),) = recorded()
    nwb = pynwb.NWBFile("recorded", "one", datetime(2026, 1, 1, tzinfo=UTC))
    nwb.add_trial(start_time=0.0, stop_time=duration / 1000)
    nwb.add_unit_column("unit_name", "of the train")
    nwb.add_unit_column("role", "input or output")
    for role, trains in (("input", given), ("output", measured)):
        for name, times in trains.items():
            nwb.add_unit(spike_times=times / 1000, unit_name=name, role=role)
    series = {"data": signals["cell"].values / 1000, "unit": "volts", "rate": 1000 / DT, "description": "patched"}
    nwb.add_acquisition(pynwb.TimeSeries(name="cell", **series))
    with pynwb.NWBHDF5IO(tmp_path / "cell.nwb", "w") as file:
        file.write(nwb)
    found = read("cell.nwb", (tmp_path / "cell.nwb").read_bytes(), ())
    assert found.potentials == ("cell",)
    assert Recording.of(recorded()).potentials == found.potentials
    values = found.potential_mv(found.trials[0], "cell").values
    np.testing.assert_allclose(values, signals["cell"].values, atol=1e-6)
