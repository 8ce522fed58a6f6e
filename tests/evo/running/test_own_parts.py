"""Objectives and algorithms of the user's own, and DEAP's selections, named in a spec."""

import random

import numpy as np
import pytest
from deap import tools

import evo
from evo.selection.deaps import SELECTIONS, selection
from tests.evo.tiny import SPEC, cli, one_line_of, spec_file, stops_after

pytestmark = pytest.mark.long

MINE = """
import numpy as np

from evo.algorithms import Algorithm


def spikes(evaluation):
    return evaluation.spikes


def neurons(evaluation):
    return evaluation.neurons


class Mine(Algorithm):
    name, text = "mine", "random parents, the best survive"

    def parents(self, count):
        return (self.rng.random(count) * len(self.population.outcomes)).astype(int)

    def survivors(self, outcomes, case_scores):
        return self.best_first(outcomes)[: self.count]
"""


def own_spec(folder, code=MINE, **changes):
    (folder / "mine.py").write_text(code)
    return spec_file(folder, SPEC, **changes)


OBJECTIVES = '["score", "mine.py:spikes", "max:mine.py:neurons"]'


def test_objectives_and_an_algorithm_of_ones_own_run_and_resume(tmp_path):
    spec = own_spec(tmp_path, objectives=OBJECTIVES, algorithm='"mine.py:Mine"')
    run = evo.run(spec, tmp_path / "run", workers=0)
    best = run.front[0]
    assert best.objectives["mine.py:spikes"] == best.spikes
    assert best.objectives["max:mine.py:neurons"] == len(best.circuit.neurons)
    assert (run.folder / "mine.py").read_text() == MINE
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec, tmp_path / "stopped", workers=0, observe=stops_after(4))
    (tmp_path / "mine.py").unlink()
    assert evo.resume(tmp_path / "stopped", workers=0).archive_sha256 == run.archive_sha256
    for command in (["inspect", "run", "--html"], ["inspect", "run", "--json"], ["compare", "run"]):
        assert cli(tmp_path, *command).returncode == 0
    (run.folder / "mine.py").write_text("raise SystemExit")
    assert "mine.py: was changed" in one_line_of(lambda: evo.resume(run.folder, workers=0, generations=9))


def test_code_in_several_files_and_a_task_of_ones_own_lie_together_in_the_run(tmp_path):
    from tests.evo.tiny import OWN_TASK

    (tmp_path / "agree.py").write_text(OWN_TASK)
    text = SPEC.replace('name = "gate"\nvolleys = 1', 'name = "agree.py:Agree"').replace("[0.5, 10.0]", "[1.0, 20.0]")
    (tmp_path / "mine.py").write_text(MINE)
    spec = spec_file(tmp_path, text, objectives='["score", "mine.py:spikes"]', generations=2)
    run = evo.run(spec, tmp_path / "run", workers=0)
    assert sorted(path.name for path in (run.folder / "task").iterdir()) == ["agree.py", "mine.py"]
    assert run.spec.task["name"] == "task/agree.py:Agree"
    assert run.spec.search.objectives == ("score", "task/mine.py:spikes")
    assert evo.resume(run.folder, workers=0, generations=4).generation == 4


WRONG = {
    ("objectives", '["score", "mine.py:nothing"]'): ["search.objectives: mine.py:nothing", "defines no nothing"],
    ("objectives", '["score", "other.py:f"]'): ["search.objectives: other.py:f", "cannot be read"],
    ("objectives", '["score", "min:cost"]'): ["search.objectives: min:cost: task gate has no such objective"],
    ("algorithm", '"mine.py:spikes"'): ["must be a class derived from evo.algorithms.Algorithm"],
    ("algorithm", '"lexicas"'): ["search.algorithm: there is no algorithm 'lexicas'; did you mean lexicase?"],
    ("parents", '"selBetter"'): ["search.parents: must be one of selNSGA2"],
    ("survivors", '"selNSGA2"\nalgorithm = "map-elites"'): ["search.survivors: the algorithm map-elites selects none"],
    ("parents", '"selNSGA2"\nalgorithm = "cma"'): ["search.parents: the algorithm cma selects none"],
    ("noisy", "true"): ["search.noisy: is for judges"],
}


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_name_is_one_line(tmp_path, key, value):
    message = one_line_of(lambda: evo.run(own_spec(tmp_path, **{key: value}), tmp_path / "run", workers=0))
    for part in WRONG[key, value]:
        assert part in message


FAILS = {
    "return evaluation.spikes": {
        "return evaluation.spikes[:2]": "must return one number a circuit",
        "return 'few'": "must return one number a circuit",
        "return 1 / 0": "search.objectives: mine.py:spikes: fails: ZeroDivisionError: division by zero (mine.py, line 8)",
    },
    "return self.best_first(outcomes)[: self.count]": {
        "return 1 / 0": "search.algorithm: mine.py:Mine: fails: ZeroDivisionError",
        "return self.best_first(outcomes)": "after tell the population must be of 1 to 12 circuits",
        "return [0, 'x']": "survivors must return indices from 0 to 23",
        "return np.array([0, 24])": "survivors must return indices from 0 to 23",
    },
    "return (self.rng.random(count) * len(self.population.outcomes)).astype(int)": {
        "return np.full(count, 99)": "parents must return 12 indices from 0 to 11",
        "return np.zeros(count + 1, int)": "parents must return 12 indices from 0 to 11",
    },
}


@pytest.mark.parametrize(("right", "wrong"), [(right, wrong) for right, several in FAILS.items() for wrong in several])
def test_what_fails_in_code_of_ones_own_is_one_line(tmp_path, right, wrong):
    code = MINE.replace(right, wrong)
    assert code != MINE
    spec = own_spec(tmp_path, code, objectives='["score", "mine.py:spikes"]', algorithm='"mine.py:Mine"')
    assert FAILS[right][wrong] in one_line_of(lambda: evo.run(spec, tmp_path / "run", workers=0))


@pytest.mark.parametrize("name", SELECTIONS)
def test_deaps_selections_leave_the_global_random_state_alone_and_repeat(name):
    rng = np.random.default_rng(1)
    losses, cases = rng.random((30, 3)), rng.random((30, 5))
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()
    first, again = (selection(name)(losses, cases, 10, np.random.default_rng(2)) for _ in range(2))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    np.testing.assert_array_equal(first, again)
    assert first.shape == (10,)
    assert ((first >= 0) & (first < 30)).all()
    assert len(selection(name)(losses, cases, 0, rng)) == 0


def test_deaps_nsga2_keeps_the_pareto_front():
    losses = np.array([[0.0, 3.0], [1.0, 1.0], [3.0, 0.0], [4.0, 4.0], [2.0, 2.0]])
    assert set(selection("selNSGA2")(losses, losses, 3, np.random.default_rng(0))) == {0, 1, 2}
    assert selection("selBest")(losses, losses, 1, np.random.default_rng(0)).tolist() == [0]


@pytest.mark.parametrize(
    "changes", [{"parents": "selTournament"}, {"survivors": "selNSGA3"}, {"parents": "selLexicase", "survivors": "selSPEA2"}]
)
def test_a_search_with_deaps_selections_resumes_bit_for_bit(tmp_path, changes):
    spec = spec_file(tmp_path, SPEC, generations=4, **{key: f'"{value}"' for key, value in changes.items()})
    whole = evo.run(spec, tmp_path / "whole", workers=0)
    random.seed(8)
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec, tmp_path / "run", workers=0, observe=stops_after(3))
    assert evo.resume(tmp_path / "run", workers=0).archive_sha256 == whole.archive_sha256
    usual = evo.run(spec_file(tmp_path, SPEC, generations=4), tmp_path / "usual", workers=0)
    assert usual.archive_sha256 != whole.archive_sha256


def test_every_selection_of_deap_without_further_arguments_is_there():
    left_out = {"selNSGA3WithMemory", "selDoubleTournament", "selTournamentDCD", "selection"}
    assert {name for name in dir(tools) if name.startswith("sel")} - left_out == set(SELECTIONS)
