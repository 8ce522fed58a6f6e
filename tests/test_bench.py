"""Rivals of the benchmark answer by the protocol; those that are absent or simulate something else are skipped by name."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.bench.contest import SCRIPTS, Entry, contest, expected_spikes, one_core
from tests.bench.report import quickest

pytestmark = pytest.mark.long

RIVAL = """
import sys
sys.path.insert(0, {scripts!r})
from protocol import serve

def prepare(job, *more):
    print("a banner")
    {first}
    return lambda: (0.25, {spikes}), {{"version": "1.0", "leaves_out": list(more)}}

serve(prepare)
"""


@pytest.fixture
def job():
    """Two neurons of which the first excites the second, driven in every other step of 40."""
    spikes = np.zeros((40, 1, 64), bool)
    spikes[::2] = True
    return SimpleNamespace(
        neurons=2,
        channels=1,
        dt=1.0,
        tau_m=np.array([10.0, 12.0]),
        tau_e=5.0,
        tau_i=8.0,
        t_ref=2.0,
        excitatory=np.array([True, True]),
        synapses=np.rec.fromarrays([[0], [1], [4.0], [3]], names="pre,post,weight,delay"),
        inputs=np.rec.fromarrays([[0], [0], [2.0]], names="channel,post,weight"),
        spikes=spikes,
    )


@pytest.fixture
def entry(tmp_path):
    """A rival of this environment with a script of its own: what it does first, and the spikes that it answers."""

    def make(name, first="pass", spikes="job.spikes.sum((0, 2))", more=()):
        script = tmp_path / f"{name}.py"
        script.write_text(RIVAL.format(scripts=str(SCRIPTS), first=first, spikes=spikes))
        return Entry(name, str(script), sys.prefix, more)

    return make


def test_a_rival_with_our_spikes_is_asked_for_its_seconds(job, entry, capsys):
    ours = expected_spikes(job).tolist()
    with contest(job, [entry("Twin", spikes=ours)]) as rivals:
        assert [rival.name for rival in rivals] == ["Twin 1.0"]
        assert quickest(rivals[0].go, seconds=0, rounds=3) == [0.25]
    assert f"ours: {sum(ours)}, each neuron's" in capsys.readouterr().out


def test_a_rival_with_other_spikes_is_skipped_by_name(job, entry, capsys):
    with contest(job, [entry("Stranger", spikes=[1, 1])]) as rivals:
        assert rivals == []
    out = capsys.readouterr().out
    assert "Stranger 1.0" in out
    assert "skipped: it does not simulate this job" in out


def test_other_equations_are_named_and_not_held_to_our_spikes(job, entry):
    with contest(job, [entry("Simple", spikes=[1, 1], more=("delays", "refractory period"))]) as rivals:
        assert [rival.name for rival in rivals] == ["Simple 1.0, without delays, simpler equations"]


@pytest.mark.parametrize(
    ("first", "reason"),
    [("import no_such_package", "No module named 'no_such_package'"), ("raise ValueError('no threads')", "no threads")],
)
def test_a_rival_that_cannot_start_is_skipped_by_name(job, entry, capsys, first, reason):
    with contest(job, [entry("Broken", first), entry("Twin", spikes=expected_spikes(job).tolist())]) as rivals:
        assert len(rivals) == 1
    out = capsys.readouterr().out
    assert "Broken" in out
    assert reason in out


def test_a_rival_without_its_environment_is_skipped_by_name(job, capsys):
    with contest(job, [Entry("Absent", "nest_iaf.py", ".venv-of-nobody")]) as rivals:
        assert rivals == []
    assert "skipped: there is no .venv-of-nobody (make rivals)" in capsys.readouterr().out


def test_without_delays_every_delay_is_one_step(job):
    before = expected_spikes(job)
    job.synapses.delay[:] = 1
    assert (expected_spikes(job) == expected_spikes(job, delays=False)).all()
    assert before[1] > 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot")
def test_one_core_ends_with_all_cores_again():
    before = os.sched_getaffinity(0)
    with one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
