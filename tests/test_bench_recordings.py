"""The benchmark on recordings: what is timed is what a search does, and the model is right."""

import numpy as np

from circuits.simulation.packed import from_circuit
from fitness.evaluation.evaluate import evaluate
from tests.bench import bench_recordings
from tests.bench.bench_recordings import driven, recorded, several
from tests.bench.yardstick_job import circuit_of


def test_every_copy_of_the_true_circuit_explains_the_whole_recording(capsys):
    job = driven()
    task, trials = recorded(job)
    assert len(trials) == 64
    assert task.prepared.target.counts.sum(axis=0).min() > 500
    found = evaluate(task, trials, several(from_circuit(circuit_of(job), np.float32), 3))
    np.testing.assert_allclose(found.score, 1)
    bench_recordings.main(entries=(), seconds=0.0)
    assert "a minute" in capsys.readouterr().out
