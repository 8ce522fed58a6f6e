"""A task of the user's own whose score is one figure over all trials goes wrong in one line, as others do."""

import pytest

import evo
from tests.evo.tiny import OWN_TASK, one_line_of, own_task_spec

MEASURED = (
    OWN_TASK[: OWN_TASK.index("    def credit")].replace("fitness.Task", "fitness.Measured")
    + """
    def measure(self, raster, trials):
        return raster.counts()

    def overall(self, measured, trials):
        fired = measured[..., 0] > 0
        return (fired == trials.labels).mean(axis=-1) * 2 - 1

    def mark(self, measured, trials):
        return (measured[..., 0] > 0) == trials.labels
"""
)


def test_it_runs(tmp_path):
    run = evo.run(own_task_spec(tmp_path, MEASURED), tmp_path / "run", workers=0)
    assert run.state == "finished"
    assert all(m.low <= m.held_out <= m.high for m in run.front)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("return raster.counts()", "return raster.counts()[..., 0]", "measure must return an array [4, 16, 'any']"),
        ("return raster.counts()", "return 1 / 0", "fails in agree.py, line"),
        (".mean(axis=-1) * 2 - 1", "", "overall must return an array [4]"),
        ("(axis=-1) * 2 - 1", "(axis=-1) * np.nan", "overall is not finite"),
        (
            "return (measured[..., 0] > 0) ==",
            "return np.where(np.arange(16) == 3, np.inf, 0) + measured[..., 0] +",
            "mark is not finite in trial 3",
        ),
        ("* 2 - 1", "* np.random.default_rng().random()", "the score of the same raster is another one"),
        ("def mark", "def marks", "has no method mark(self, measured, trials)"),
        ("fired = measured[..., 0] > 0", "while True: pass", "overall did not return within 0.5 s"),
    ],
)
def test_what_goes_wrong_is_named(tmp_path, old, new, named):
    assert MEASURED.count(old) == 1
    path = own_task_spec(tmp_path, MEASURED.replace(old, new), task_seconds=0.5)
    assert named in one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))
