"""Runs whose circuits a function of the user's own judges: they run as any other, and what cannot be shown of them is said."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

import evo
import fitness.judges
from evo.inspect import page
from evo.inspect.page import page_data
from evo.inspect.terminal import table
from evo.storage.store import Store
from evo.studies.motifs import motifs
from evo.studies.study import design
from fitness.base.trials import Interface
from fitness.judges import Fresh, Judge, Results
from tests.evo.tiny import cli, one_line_of, spec_file, stops_after

MINE = """
import numpy as np


def score(circuit, seed, target=9):
    off = abs(circuit.synapse_count - target)
    return {"score": -float(off), "cost": sum(s.weight_mv for s in circuit.synapses), "cases": [-off, len(circuit.neurons)]}


def plain(circuit, seed):
    return -abs(circuit.synapse_count - 9) / (1 + len(circuit.neurons))


def noisy(circuit, seed):
    return plain(circuit, seed) + 0.3 * np.random.default_rng((seed, circuit.synapse_count)).normal()
"""

SPEC = """
[task]
judge = "mine.py:score"
inputs = ["a", "b"]
outputs = ["x"]

[circuit]
neurons = [3, 6]
in_degree = 4

[circuit.parameters]
tau_m_ms = [5.0, 30.0]

[search]
seed = 3
generations = 6
islands = 2
population = 12
epoch = 2
objectives = ["score", "min:cost", "size"]
"""


def judged_spec(folder, code=MINE, text=SPEC, **changes):
    (folder / "mine.py").write_text(code)
    return spec_file(folder, text, **changes)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judge")
    return evo.run(judged_spec(folder), folder / "run", workers=0)


def test_it_runs_resumes_and_ends_in_the_same_archive(done, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        evo.run(judged_spec(tmp_path), tmp_path / "run", workers=0, observe=stops_after(4))
    (tmp_path / "mine.py").unlink()  # the run keeps a copy
    assert evo.resume(tmp_path / "run", workers=0).archive_sha256 == done.archive_sha256
    assert done.front[0].score == 0.0
    assert list(done.front[0].objectives) == ["score", "min:cost", "size"]
    assert done.front[0].objectives["size"] == len(done.front[0].circuit.neurons)
    assert (done.folder / "mine.py").read_text() == MINE


def test_two_workers_on_ray_end_in_the_same_archive(done, tmp_path, on_ray):
    assert on_ray("run", judged_spec(tmp_path), tmp_path / "run") == done.archive_sha256


@pytest.mark.long
@pytest.mark.parametrize("function", ["plain", "noisy"])
def test_a_number_alone_is_a_score(tmp_path, function):
    changes = {"judge": f'"mine.py:{function}"', "objectives": '["score"]', "noisy": str(function == "noisy").lower()}
    spec = judged_spec(tmp_path, **changes)
    run = evo.run(spec, tmp_path / "run", workers=0)
    assert run.front[0].objectives == {"score": run.front[0].score}
    again = evo.run(spec, tmp_path / "again", workers=0)
    assert again.archive_sha256 == run.archive_sha256
    if function == "noisy":
        assert min(member.judgements for member in run.front) > 1
        assert run.front[0].score <= run.front[0].mean_score


def test_changed_code_is_not_executed(tmp_path):
    run = evo.run(judged_spec(tmp_path, generations=1), tmp_path / "run", workers=0)
    (run.folder / "mine.py").write_text("raise SystemExit")
    assert "mine.py: was changed since the run began" in one_line_of(lambda: evo.resume(run.folder, workers=0, generations=4))
    assert len(evo.open_run(run.folder).front) > 0


def test_commands_show_it_or_say_in_a_line_what_they_cannot(done):
    place = done.folder.parent
    shown = cli(place, "inspect", "run", "--html")
    assert shown.returncode == 0, shown.stderr
    assert "run: judge mine.py:score, finished" in shown.stdout
    assert "energy" not in shown.stdout
    page = (done.folder / "report.html").read_text()
    assert "circuits are judged by ${data.task.judge}" in page
    assert '"judge":"mine.py:score"' in page
    assert json.loads(cli(place, "status", "run", "--json").stdout)["archive_sha256"] == done.archive_sha256
    assert json.loads(cli(place, "inspect", "run", "--json").stdout)["front"][0]["spikes"] is None
    assert cli(place, "export", "run", "--to", "motif").returncode == 0
    assert cli(place, "compare", "run").returncode == 0
    assert cli(place, "motifs", "run").returncode == 0
    pruned = cli(place, "prune", "run")
    assert pruned.returncode == 2
    assert pruned.stderr.splitlines() == [
        "evo: run: its circuits are judged by mine.py:score, which is no task: its core is not defined"
    ]


def test_a_fork_goes_on_from_its_circuits(done):
    fork = evo.fork(
        done.folder, {"search.algorithm": "nsga2", "search.generations": "2"}, done.folder.parent / "fork", workers=0
    )
    assert fork.parent["archive_sha256"] == done.archive_sha256
    assert fork.front[0].score == 0.0


def test_what_is_said_and_not_asked_for_is_said_before_the_run(tmp_path, caplog):
    evo.run(judged_spec(tmp_path, objectives='["score"]', generations=1), tmp_path / "run", workers=0)
    (record,) = [record for record in caplog.records if record.name == "evo"]
    assert record.getMessage() == (
        "judge mine.py:score: also gives cost, which search.objectives does not name: for an objective write "
        '"min:cost" or "max:cost"'
    )


WRONG = {
    ("judge", '"mine.py"'): ["task.judge: name the file and the function"],
    ("judge", '"other.py:score"'): ["judge other.py:score", "cannot be read"],
    ("judge", '"mine.py:nothing"'): ["judge mine.py:nothing: mine.py defines no nothing"],
    ("outputs", "[]"): ["task.outputs"],
    ("outputs", '["x", "x"]'): ["task.outputs: must be different names"],
    ("dt_ms", "0"): ["task.dt_ms"],
    ("objectives", '["score", "cost"]'): ["search.objectives: 'cost' is no objective", "min:NAME"],
    ("objectives", '["min:cost"]'): ["search.objectives: must hold score"],
    ("objectives", '["score", "max:speed"]'): ["gives score, cost", "search.objectives asks for max:speed"],
    ("objectives", '["score", "energy"]'): ["search.objectives asks for energy"],
    ("objectives", '["score", "mine.py:plain"]'): ["is for simulated tasks"],
    ("descriptors", '["rate"]'): ["search.descriptors: rate"],
    ("target", '"high"'): ["search.target"],
    ("bonus", "3"): ["judge mine.py:score: fails: TypeError", "bonus"],
}


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_spec_is_one_line(tmp_path, key, value):
    text = SPEC if key not in ("dt_ms", "bonus") else SPEC.replace("[circuit]\n", f"{key} = {value}\n\n[circuit]\n")
    spec = judged_spec(tmp_path, text=text, **({} if key in ("dt_ms", "bonus") else {key: value}))
    message = one_line_of(lambda: evo.run(spec, tmp_path / "run", workers=0))
    for part in WRONG[key, value]:
        assert part in message
    assert not (tmp_path / "run").exists()


def test_a_store_without_examples_is_damaged_where_a_task_judges(tmp_path):
    run = evo.run(spec_file(tmp_path, generations=1), tmp_path / "run", workers=0)
    with Store.open(run.folder / "run.db", write=True) as store:
        store._db.execute("DELETE FROM run WHERE key = 'examples'")
    assert "is damaged" in one_line_of(lambda: evo.open_run(run.folder))


class Synapses(Judge):
    """Circuits should have a certain number of synapses."""

    unit_score, analysed, defaults = True, 2, {"objectives": ["score", "size"], "trials": 2}
    analyses = {"learning": lambda text, where: json.loads(text) | {"from": where}}

    def __init__(self, section, setup, objectives, source=None, folder=None):
        super().__init__(section, setup, objectives)
        self.title, self.interface = "synapses", Interface("synapses", ("a", "b"), ("x",), 0.5, 0.0)
        self.wanted, self.cases = section["wanted"], 3

    @classmethod
    def docstring(cls, section):
        return cls.__doc__

    @classmethod
    def neurons_read(cls, section):
        return "outputs"

    def evaluate(self, candidates, attempts=None):
        tables = candidates.tables()
        score = 1 / (1 + abs(tables.synapses - self.wanted))
        cases = np.stack([score, score, tables.neurons], axis=1).astype("f4")
        return Results.unmeasured(np.stack([-score, tables.neurons], axis=1).astype("f8"), score, cases)

    def validate(self, candidates, bounds=True):
        return Fresh.as_searched(self.evaluate(candidates).score)

    def analyse(self, motif, name):
        return {"synapses": motif.synapse_count, "name": name}


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """A spec judged by a class of which nothing but its name in `fitness.judges` is known."""
    monkeypatch.setitem(fitness.judges.BY_NAME, "synapses", Synapses)
    _, circuit, rest = SPEC.partition("[circuit]")
    return spec_file(tmp_path, f'[task]\nname = "synapses"\nwanted = 9\n{circuit}{rest}', objectives='["score", "size"]')


def test_another_judge_is_one_class_whose_answers_are_all_that_search_store_and_page_know(counted, tmp_path):
    run = evo.run(counted, tmp_path / "run", workers=0)
    with pytest.raises(KeyboardInterrupt):
        evo.run(counted, tmp_path / "part", workers=0, observe=stops_after(4))
    assert evo.resume(tmp_path / "part", workers=0).archive_sha256 == run.archive_sha256
    best = run.front[0]
    assert best.unit_score
    assert best.held_out == best.score == 1.0
    assert run.analysis(best) is None
    found = {"synapses": best.circuit.synapse_count, "name": "run, rank 0", "from": str(run.folder / "run.db")}
    assert run.learning(best) == found
    assert sum(run.learning(member) is not None for member in run.front) == min(Synapses.analysed, len(run.front))
    data = page_data.of_run(run)
    assert (data["task"]["name"], data["task"]["text"], data["task"]["own"]) == ("synapses", Synapses.__doc__, False)
    assert (data["trials"]["labels"], data["equally_good"]) == ([], None)
    assert page.write(run, tmp_path / "page.html").stat().st_size > 100_000
    shown = Console(file=io.StringIO(), width=120)
    table.show(run, shown)
    assert "task synapses, finished" in shown.file.getvalue()
    assert "energy" not in shown.file.getvalue()
    assert all(run.recurrence(member.rank).circuits > 0 for member in run.front)
    fork = evo.fork(run.folder, {"search.seed": "4"}, tmp_path / "fork", workers=0)
    assert len(motifs([run, fork]).winners) == 2


def test_the_target_of_a_study_has_the_bounds_of_the_score_of_its_judge(counted, monkeypatch):
    arms = design.arms([counted], {})
    assert "--target 2: must be above 0" in one_line_of(lambda: design.check_reachable(arms, target=2.0))
    monkeypatch.setattr(Synapses, "unit_score", False)
    design.check_reachable(arms, target=2.0)


def test_where_circuits_are_simulated_a_case_is_a_trial_and_examples_are_kept(counted, tmp_path, monkeypatch):
    run = evo.run(counted, tmp_path / "run", workers=0, generations=1)
    assert run.states[0].grades.shape[1] == 3 != run.spec.search.trials
    monkeypatch.setattr(Synapses, "simulates", True)
    assert "grades" in one_line_of(lambda: evo.open_run(run.folder))
