"""Tasks of the user's own: they run, their text is kept, and what goes wrong in them is one line."""

import signal
import warnings
from itertools import product

import pytest

import evo
from circuits.errors import UserError
from fitness.sandbox.code import gather
from tests.evo.tiny import OWN_TASK, cli, forget_own_code, one_line_of, own_task_spec, stops_after, stored

pytestmark = pytest.mark.long
ANALYSED = 1


def test_a_task_of_ones_own_runs_and_its_text_is_kept_with_the_run(tmp_path):
    run = evo.run(own_task_spec(tmp_path), tmp_path / "run", workers=0)
    assert run.state == "finished"
    assert (run.folder / "agree.py").read_text() == (tmp_path / "agree.py").read_text()
    assert run.spec.task["name"] == "agree.py:Agree"
    (tmp_path / "agree.py").unlink()
    assert evo.resume(run.folder, workers=0).archive_sha256 == run.archive_sha256


def test_opening_a_run_does_not_execute_its_task_file(tmp_path):
    folder = evo.run(own_task_spec(tmp_path), tmp_path / "run", workers=0).folder
    trap = tmp_path / "trap"
    (folder / "agree.py").write_text(f"open({str(trap)!r}, 'w')\n" + OWN_TASK)
    run = evo.open_run(folder)
    assert len(run.front) > 0
    assert run.motif().outputs[0].name == "yes"
    assert not trap.exists()
    assert "was changed since the run began" in one_line_of(lambda: evo.resume(folder, workers=0))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("return spikes, labels", "return spikes", ["make must return (spikes, labels)"]),
        ("return spikes, labels", "return spikes.astype(float), labels", ["spikes as bool [16, 50, 2]", "float64"]),
        ("return spikes, labels", "return spikes[:, :-1], labels", ["[trials, steps, channels]", "[16, 49, 2]"]),
        ("return spikes, labels", "return spikes, labels[1:]", ["one label per trial [16]", "[15]"]),
        ("return spikes, labels", "return spikes, undefined", ["fails in agree.py, line 17", "NameError", "undefined"]),
        (
            "return fired == trials.labels",
            "return fired[..., :3]",
            ["trial_scores must return an array", "[..., trials]", "3]"],
        ),
        ("return fired == trials.labels", "return fired.mean()", ["trial_scores must return an array"]),
        ("return fired == trials.labels", "return 1 / 0", ["fails in agree.py, line 21", "ZeroDivisionError"]),
        (
            "return fired == trials.labels",
            "return np.where(np.arange(16) == 5, np.nan, fired)",
            ["trial_scores is not finite in trial 5"],
        ),
        ("return fired == trials.labels", "return np.where(fired, 'yes', 'no')", ["trial_scores must return numbers"]),
        (
            "labels = np.arange(count) % 2",
            "labels = np.random.default_rng().permutation(count) % 2",
            ["make gives other", "the second time", "trial", "use only rng"],
        ),
        (
            "return fired == trials.labels",
            "return fired * np.random.default_rng().random()",
            ["trial_scores gives other values the second time", "trial"],
        ),
    ],
)
def test_a_task_of_ones_own_that_goes_wrong_is_named_in_one_line(tmp_path, old, new, named):
    code = OWN_TASK.replace(old, new)
    assert code != OWN_TASK
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code), tmp_path / "run", workers=0))
    for part in ("task Agree", *named):
        assert part in message


LOOPS = "while True: pass", "while True:\n            try: time.sleep(9)\n            except Exception: pass"


@pytest.mark.parametrize(("where", "loop"), [*product(["make", "trial_scores"], LOOPS), ("file", LOOPS[0])])
def test_a_task_of_ones_own_that_never_returns_is_given_up_by_name(tmp_path, where, loop):
    lines = {
        "make": "labels = np.arange(count) % 2",
        "trial_scores": "fired = raster.counts()[..., 0] > 0",
        "file": "import fitness",
    }
    code = OWN_TASK.replace(lines[where], f"{loop}\n")
    path = own_task_spec(tmp_path, "import time\n" + code, task_seconds=0.3)
    message = one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))
    for part in ("task", {"file": "its file"}.get(where, where), "did not return within 0.3 s", "search.task_seconds"):
        assert part in message
    assert not (tmp_path / "run").exists()


def test_a_task_that_keeps_its_time_is_not_disturbed_and_no_alarm_is_left(tmp_path):
    run = evo.run(own_task_spec(tmp_path, task_seconds=30), tmp_path / "run", workers=0)
    assert run.state == "finished"
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


# -- scores over all trials together

MEASURED = (
    OWN_TASK[: OWN_TASK.index("    def trial_scores")].replace("fitness.Task", "fitness.Measured")
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


def test_one_with_a_score_over_all_trials_runs(tmp_path):
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
        ("* 2 - 1", "* np.random.default_rng().random()", "the same raster has another score"),
        ("def mark", "def marks", "has no method mark(self, measured, trials)"),
        ("fired = measured[..., 0] > 0", "while True: pass", "overall did not return within 0.5 s"),
    ],
)
def test_what_goes_wrong_in_it_is_named_in_one_line(tmp_path, old, new, named):
    assert MEASURED.count(old) == 1
    path = own_task_spec(tmp_path, MEASURED.replace(old, new), task_seconds=0.5)
    assert named in one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))


# -- circuits for which it fails

PICKY = OWN_TASK.replace(
    "        return fired == trials.labels",
    """        picked = raster.counts()[..., 0].sum(axis=-1) == 16
        FAILS
        return fired == trials.labels""",
)
RAISES = "if picked.any(): raise ValueError('a spike each')"
IS_NAN = "return np.where(picked[..., None], np.nan, fired == trials.labels)"


@pytest.mark.parametrize(
    ("fails", "said"), [(RAISES, "ValueError: a spike each"), (IS_NAN, "trial_scores is not finite in trial 0")]
)
def test_a_circuit_for_which_it_fails_is_the_worst_and_does_not_sink_the_others(tmp_path, fails, said):
    path = own_task_spec(tmp_path, PICKY.replace("FAILS", fails), population=40, generations=4)
    run = evo.run(path, tmp_path / "run", workers=0)
    count, fault = run.failed
    assert count == sum(row["failed"] for epoch in run.epochs for row in epoch["log"]) > 0
    assert said in fault
    assert max(member.score for member in run.front) > 0
    assert all(abs(loss) < 1e6 for member in run.front for loss in member.objectives.values())
    again = evo.run(path, tmp_path / "again", workers=0)
    assert again.archive_sha256 == run.archive_sha256
    assert again.failed == run.failed


def test_that_it_fails_for_a_circuit_is_said_once_and_in_the_status(tmp_path):
    own_task_spec(tmp_path, PICKY.replace("FAILS", RAISES))
    done = cli(tmp_path, "run", "tiny.toml", "--out", "run", "--workers", "0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ValueError: a spike each; such circuits get the worst score") == 1
    count = evo.open_run(tmp_path / "run").failed[0]
    status = cli(tmp_path, "status", "run").stdout
    assert f"{count} times a circuit got the worst score because of: task Agree: fails in agree.py, line" in status


def test_one_that_fails_from_some_moment_on_ends_the_run_in_one_line_and_nothing_is_lost(tmp_path):
    broken = tmp_path / "broken"
    breaks = f"if open({str(tmp_path / 'state')!r}).read(): raise OSError('no such file')"
    path = own_task_spec(tmp_path, OWN_TASK.replace("        return fired", f"        {breaks}\n        return fired"))
    (tmp_path / "state").write_text("")
    whole = evo.run(path, tmp_path / "whole", workers=0)
    said = one_line_of(
        lambda: evo.run(path, broken, workers=0, observe=lambda result: (tmp_path / "state").write_text("broken"))
    )
    assert "task Agree: fails in agree.py, line" in said
    assert "no such file" in said
    assert len(evo.open_run(broken).epochs) == 1
    (tmp_path / "state").write_text("")
    assert evo.resume(broken, workers=0).archive_sha256 == whole.archive_sha256


# -- what it must not do to the run

CREDIT = "fired = raster.counts()[..., 0] > 0"
SWALLOWS = """
        while True:
            try:
                while True:
                    try: time.sleep(9)
                    except: pass
            except BaseException: pass
"""


@pytest.mark.parametrize("where", ["make", "trial_scores"])
def test_one_that_catches_everything_ends_in_time_all_the_same(tmp_path, where):
    lines = {"make": "labels = np.arange(count) % 2", "trial_scores": CREDIT}
    code = "import time\n" + OWN_TASK.replace(lines[where], SWALLOWS)
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code, task_seconds=0.3), tmp_path / "run", workers=0))
    assert f"task Agree: {where} did not return within 0.3 s" in message


@pytest.mark.parametrize("then", ["pass", "raise ValueError"])
def test_one_that_answers_after_its_time_is_late(tmp_path, then):
    late = f"try: time.sleep(9)\n        except BaseException: {then}\n        "
    code = "import time\n" + OWN_TASK.replace(CREDIT, late + CREDIT)
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code, task_seconds=0.3), tmp_path / "run", workers=0))
    assert "trial_scores did not return within 0.3 s" in message


@pytest.mark.parametrize(
    ("ends", "named"),
    [
        ("raise SystemExit", "ends the process by sys.exit"),
        ("sys.exit(0)", "ends the process by sys.exit in agree.py, line"),
        ("os._exit(0)", "ends the process by os._exit in agree.py, line"),
        ("raise KeyboardInterrupt", "raises KeyboardInterrupt in agree.py, line"),
        ("raise GeneratorExit", "GeneratorExit"),
    ],
)
@pytest.mark.parametrize("where", ["file", "init", "inputs", "make", "trial_scores", "score", "environment"])
def test_one_that_would_end_the_process_ends_the_run_in_one_line(tmp_path, where, ends, named):
    code = {
        "file": lambda: f"{ends}\n" + OWN_TASK,
        "init": lambda: OWN_TASK + f"\n    def model_post_init(self, _):\n        {ends}\n",
        "inputs": lambda: (
            OWN_TASK.replace('inputs, outputs = ("a", "b"), ', "outputs = ")
            + f"\n    @property\n    def inputs(self):\n        {ends}\n"
        ),
        "make": lambda: OWN_TASK.replace("labels = np", f"{ends}\n        labels = np"),
        "trial_scores": lambda: OWN_TASK.replace(CREDIT, ends),
        "score": lambda: OWN_TASK + f"\n    def score(self, raster, trials):\n        {ends}\n",
        "environment": lambda: OWN_TASK + f"\n    def environment(self, trials):\n        {ends}\n",
    }[where]()
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, f"import os, sys\n{code}"), tmp_path / "run", workers=0))
    assert "Agree" in message
    assert ("SystemExit" if where == "file" and "by sys.exit" in named else named) in message


@pytest.mark.parametrize("caught", ["{}", "try: {}\n        except BaseException: pass"])
def test_ctrl_c_in_a_task_is_ctrl_c(tmp_path, caught):
    code = OWN_TASK.replace(CREDIT, caught.format("os.kill(os.getpid(), signal.SIGINT)") + "\n        " + CREDIT)
    with pytest.raises(KeyboardInterrupt):
        evo.run(own_task_spec(tmp_path, "import os, signal\n" + code), tmp_path / "run", workers=0)


def test_one_that_forks_leaves_one_driver_on_the_store(tmp_path):
    said = tmp_path / "said"
    forks = f"""CALLS.append(1)
        if len(CALLS) in (3, 6, 7, 8) and os.fork() == 0:
            open({str(said)!r}, "a").write("a child\\n")
            {{}}
        """
    small = {"generations": 1, "islands": 1, "population": 4}
    plain = evo.run(own_task_spec(tmp_path, **small), tmp_path / "plain", workers=0)
    for name, then in (("returns", "pass"), ("raises", "raise ValueError"), ("exits", "sys.exit()"), ("ends", "os._exit(0)")):
        code = "import os, sys\nCALLS = []\n" + OWN_TASK.replace(CREDIT, forks.format(then) + CREDIT)
        run = evo.run(own_task_spec(tmp_path, code, **small), tmp_path / name, workers=0)
        assert run.archive_sha256 == plain.archive_sha256
        assert stored(run.folder) == [(0, 0)]
    assert said.read_text().count("a child") >= 4 * 4


# -- randomness that shows late

LATE = {
    "trial_scores": (
        CREDIT,
        "CALLS.append(1)\n        fired = (raster.counts()[..., 0] > 0) ^ (len(CALLS) > 30 and rng() < 0.5)",
    ),
    "make": ("np.where(labels, 9,", "CALLS.append(1) or np.where(labels, 9 + (len(CALLS) > 8),"),
}


@pytest.mark.parametrize("where", LATE)
def test_randomness_that_shows_late_ends_the_run_in_one_line(tmp_path, where):
    code = OWN_TASK.replace(*LATE[where]).replace(
        "class Agree", "CALLS, rng = [], np.random.default_rng().random\n\n\nclass Agree"
    )
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code, generations=8), tmp_path / "run", workers=0))
    assert {"trial_scores": "judges the same circuit differently", "make": "make gives other trials"}[where] in message
    assert "all that is random must come from the rng of make" in message


def test_what_another_process_found_is_found_again_or_the_run_ends(tmp_path):
    code = OWN_TASK.replace("labels = np.arange(count) % 2", "labels = np.arange(count) // SIZE % 2").replace(
        "class Agree", f"SIZE = int(open({str(tmp_path / 'size')!r}).read())\n\n\nclass Agree"
    )
    (tmp_path / "size").write_text("1")
    path = own_task_spec(tmp_path, code)
    with pytest.raises(KeyboardInterrupt):
        evo.run(path, tmp_path / "run", workers=0, observe=stops_after(6))
    (tmp_path / "size").write_text("2")
    forget_own_code()
    assert "than before" in one_line_of(lambda: evo.resume(tmp_path / "run", workers=0))


@pytest.mark.parametrize("after", range(94, 110, 4))
def test_an_analysis_of_a_task_that_is_random_by_then_is_left_out(tmp_path, after):
    code = OWN_TASK.replace(CREDIT, LATE["trial_scores"][1].replace("30", str(after))).replace(
        "class Agree", "CALLS, rng = [], np.random.default_rng().random\n\n\nclass Agree"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            evo.run(own_task_spec(tmp_path, code), tmp_path / "run", workers=0)
        except UserError as error:
            said = str(error)
        else:
            said = "all that is random"
    assert "all that is random" in said


# -- what is held out is


def test_a_run_whose_parts_share_stimuli_warns_in_one_line_and_goes_on(tmp_path, caplog):
    run = evo.run(own_task_spec(tmp_path), tmp_path / "run", workers=0)  # two stimuli in all
    (said,) = [record.getMessage() for record in caplog.records if record.name == "evo"]
    assert said.startswith("task Agree: all 16 held-out trials (2 different stimuli) are also among the search trials: ")
    assert "\n" not in said
    assert run.state == "finished"
    caplog.clear()
    evo.resume(run.folder, workers=0)
    assert not caplog.records


FINITE = """
import numpy as np

import fitness


class Heard(fitness.FiniteData):
    inputs, outputs = ("a", "b"), ("second",)
    dt_ms, duration_ms, chance = 1.0, 50.0, 0.5

    def data(self):
        rng = np.random.default_rng(0)
        kind = np.arange(120) % 2
        spikes = rng.random((120, 50, 2)) < np.where(kind == 1, 0.3, 0.1)[:, None, None]
        return fitness.Data(spikes, kind, groups=np.arange(120) // 10)

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 5) == (trials.labels == 1)
"""


def test_a_task_over_finite_data_keeps_them_apart_in_a_run(tmp_path, caplog):
    from evo.engine.problem import Problem

    path = own_task_spec(tmp_path, FINITE)
    path.write_text(path.read_text().replace("agree.py:Agree", "agree.py:Heard"))
    run = evo.run(path, tmp_path / "run", workers=0)
    assert run.state == "finished"
    assert not caplog.records
    judge = Problem.of(run.spec, gather(run.spec.task["name"], run.folder)).judge
    apart = [set(part.facts["group"]) for part in (judge.search, judge.validation, judge.held_out)]
    assert not apart[0] & apart[1] | apart[0] & apart[2] | apart[1] & apart[2]
    assert run.analysis(run.front[0]) is not None
