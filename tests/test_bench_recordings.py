"""The benchmark on recordings: what is timed is what a search does, and the model is right."""

import numpy as np
import pytest

from circuits.simulation.packed import from_circuit
from fitness.evaluation.evaluate import evaluate
from tests.bench import bench_recordings
from tests.bench.bench_recordings import copies, driven, fitted, recorded
from tests.bench.yardstick_job import circuit_of


@pytest.mark.long
def test_every_copy_of_the_true_circuit_explains_the_whole_recording(capsys):
    job = driven()
    task, trials = recorded(job)
    assert len(trials) == 64
    assert task.prepared.target.counts.sum(axis=0).min() > 500
    found = evaluate(task, trials, copies(from_circuit(circuit_of(job), np.float32), 3))
    np.testing.assert_allclose(found.score, 1)
    bench_recordings.main(entries=(), seconds=0.0, fit_seconds=0.01)
    said = capsys.readouterr().out
    assert "a minute" in said
    assert "score after 0.01 s" in said


def test_a_fit_of_the_weights_rises_and_is_the_same_again():
    job = driven()
    task, trials = recorded(job)
    one = from_circuit(circuit_of(job), np.float32)
    found = fitted(task, trials, one, 150)
    assert len(found) == 150
    assert (np.diff(found) >= 0).all()
    assert found[-1] > found[0]
    np.testing.assert_array_equal(fitted(task, trials, one, 40), found[:40])
