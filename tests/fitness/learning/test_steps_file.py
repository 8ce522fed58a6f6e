"""Trials from a file with a target at every step, and what makes such files of NeuroGym's tasks."""

import importlib.util
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import evo
from fitness.learning.data import Data
from fitness.learning.steps_file import read_steps
from tests.evo.tiny import one_line_of
from tests.fitness.learning.tiny import spec

SCRIPT = Path(__file__).parents[3] / "runs" / "examples" / "neurogym_trials.py"


def made(count=30, **more):
    rng = np.random.default_rng(0)
    targets = rng.integers(-1, 3, (count, 20))
    return {"x": rng.random((count, 20, 4)) < 0.2, "targets": targets, "dt_ms": 2.0} | more


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def rows(x):
    return {row.tobytes() for row in x}


def test_a_file_with_targets_at_every_step_is_learned_from_and_judged_on_trials_apart():
    data = Data("mine.npz", {}, examples=100, judged=100, seed=1, content=packed(**made()))
    search, validation, held_out = (data.sets(part) for part in ("search", "validation", "held_out"))
    assert search.train.every_step
    assert data.dt_ms == 2.0
    assert (search.train.classes, search.judged.classes, held_out.judged.classes) == (3, 3, 3)
    mine = rows(search.train.x) | rows(search.judged.x)
    assert len(search.train.x) + len(search.judged.x) == 18
    assert rows(validation.train.x) == mine
    assert not rows(search.train.x) & rows(search.judged.x)
    assert len(rows(validation.judged.x) | rows(held_out.judged.x) | mine) == 30


def test_trials_are_for_what_the_file_says():
    parts = np.array(["search"] * 20 + ["validation"] * 4 + ["held_out"] * 6)
    arrays = made(parts=parts)
    data = Data("mine.npz", {}, examples=100, judged=100, seed=1, content=packed(**arrays))
    assert rows(data.sets("held_out").judged.x) == rows(arrays["x"][24:])
    assert rows(data.sets("validation").judged.x) == rows(arrays["x"][20:24])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets": np.zeros((29, 20), int)}, "x must be [trials, steps, channels]"),
        ({"dt_ms": 0.0}, "dt_ms must be a number above 0"),
        ({"parts": np.array(["search"] * 30)}, "needs two trials"),
        ({"parts": np.array(["a"] * 30)}, "part must be one of"),
        ({"parts": np.array(["a"] * 3)}, "parts must be [trials], 30"),
        ({"x": np.zeros(3)}, "x must be [trials, steps, channels]"),
    ],
)
def test_a_file_that_does_not_fit_itself_is_refused_by_name(change, said):
    assert said in one_line_of(lambda: read_steps("mine.npz", packed(**made() | change)))


def test_what_is_no_file_of_trials_is_refused_and_nothing_in_it_is_executed():
    assert "lacks x beside targets" in one_line_of(lambda: read_steps("mine.npz", packed(targets=np.zeros((3, 2)))))
    assert "not read" in one_line_of(lambda: read_steps("mine.npz", packed(x=np.array([{}], object), targets=np.zeros(1))))
    assert read_steps("mine.npz", packed(spikes=np.zeros((2, 3, 1), bool))) is None
    assert "unknown key 'bits'" in one_line_of(lambda: Data("mine.npz", {"bits": 1}, 4, 4, 1, content=packed(**made())))


class Made:
    """What NeuroGym's environments have, with trials of several lengths."""

    dt = 20

    def seed(self, seed):
        self.rng = np.random.default_rng(seed)

    def new_trial(self):
        steps = int(self.rng.integers(3, 6))
        self.gt = np.r_[np.zeros(steps - 1, int), self.rng.integers(1, 3)]
        self.ob = np.column_stack([np.where(self.gt == 2, 1.0, -1.0), np.zeros(steps)])


@pytest.mark.long
def test_trials_of_neurogym_become_a_file_from_which_a_search_learns(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    loaded = importlib.util.spec_from_file_location("neurogym_trials", SCRIPT)
    script = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(script)
    monkeypatch.setitem(sys.modules, "neurogym", SimpleNamespace(make=lambda name: SimpleNamespace(unwrapped=Made())))
    script.main(["Made-v0", str(tmp_path / "made.npz"), "--trials", "20"])
    assert "20 trials of 50 steps, 16 channels, 3 actions" in capsys.readouterr().out
    found = read_steps("made.npz", (tmp_path / "made.npz").read_bytes())
    assert found.dt_ms == 2.0
    ends = [int(np.flatnonzero(one >= 0)[-1]) + 1 for one in found.targets]
    assert set(ends) == {30, 40, 50}
    assert not found.x[0, ends[0] :].any()
    assert ((found.targets == 0).sum(axis=1) == (found.targets > 0).sum(axis=1)).all()
    assert found.x[found.targets == 2][:, :4].mean() == pytest.approx(0.4, abs=0.03)
    assert not found.x[found.targets == 2][:, 8:12].any()
    assert found.x[found.targets == 0][:, 8:12].mean() == pytest.approx(0.4, abs=0.03)
    run = evo.run(spec(data=f"{tmp_path}/made.npz", settings={}, steps=2), out=tmp_path / "run", workers=0, generations=1)
    assert run.spec.task["data"] == "data/made.npz"
    (tmp_path / "made.npz").unlink()
    assert evo.resume(tmp_path / "run", workers=0, generations=2).state == "finished"
