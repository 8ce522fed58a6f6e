"""evo.Evolver: asks for circuits, is told how they did, and searches as any run does."""

import re
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import circuits
import evo
from circuits.errors import MachineError
from evo.algorithms import ALGORITHMS
from evo.engine.epochs import run_epoch
from evo.engine.problem import problem
from evo.spec.run_spec import parse
from fitness.judges import judged
from tests.evo.running.test_judge import judged_spec
from tests.evo.tiny import ROOT, SPEC, cli, one_line_of, spec_file
from tests.products import some_of

SMALL = {"inputs": ["a", "b"], "outputs": ["x"], "circuit": {"neurons": [3, 6], "in_degree": 4}}
SEARCH = {"population": 12, "epoch": 2, "seed": 3}


def score(circuit):
    return -abs(circuit.synapse_count - 9) / (1 + len(circuit.neurons))


def all_of_it(circuit):
    off = abs(circuit.synapse_count - 9)
    return {"score": -float(off), "cost": sum(s.weight_mv for s in circuit.synapses), "cases": [-off, len(circuit.neurons)]}


def tells(evolver, times, judge=score):
    for _ in range(times):
        evolver.tell([judge(circuit) for circuit in evolver.ask()])
    return evolver


def seen(evolver):
    """All that can be seen of it."""
    return [(m.score, m.objectives, m.judgements, m.circuit) for m in evolver.front], evolver.ask(), evolver.evaluations


def test_a_search_in_a_notebook_needs_three_lines():
    evolver = evo.Evolver(**SMALL, **SEARCH)
    assert [evolver.generation, evolver.front] == [-1, []]
    assert all(isinstance(circuit, circuits.Circuit) for circuit in evolver.ask())
    assert evolver.ask() == evolver.ask()
    tells(evolver, 7)
    assert (evolver.generation, evolver.over) == (6, False)
    assert evolver.best.score == max(member.score for member in evolver.front) == score(evolver.best.circuit)
    assert repr(evolver) == f"<Evolver: generation 6, {evolver.evaluations} judgements, best score {evolver.best.score:.4g}>"
    assert "<table>" in evolver._repr_html_()
    assert evolver.motif().circuit == evolver.front[0].circuit
    assert evolver.motif().provenance.task["judge"] == "told"


@pytest.mark.long
@pytest.mark.parametrize("algorithm", some_of(list(ALGORITHMS), few=list(ALGORITHMS)[::3]))
def test_told_what_a_judge_says_it_ends_in_the_archive_of_evo_run(tmp_path, algorithm):
    spec = judged_spec(tmp_path, algorithm=f'"{algorithm}"', generations=5)
    run = evo.run(spec, tmp_path / "run", workers=0)
    evolver = evo.Evolver(spec, folder=tmp_path / "told")
    while not evolver.over:
        tells(evolver, 1, all_of_it)
    told = evo.open_run(tmp_path / "told")
    assert told.archive_sha256 == run.archive_sha256
    assert [(m.circuit, m.objectives) for m in told.front] == [(m.circuit, m.objectives) for m in run.front]
    assert evolver.ask() == []


def test_told_what_a_task_says_its_populations_are_those_of_the_task():
    spec = parse(SPEC, islands=1, generations=2)
    here = problem(spec.model_dump_json(), None)
    state = run_epoch(here, 0, 0, None, None)
    evolver = evo.Evolver(spec)
    while not evolver.over:
        evolver.tell(judged(here.judge, here.candidates(evolver._islands.genomes)))
    (told,) = evolver._islands.states
    for name in ("genome", "losses", "score", "spikes", "line"):
        assert told.population[name].tobytes() == state.population[name].tobytes()
    assert told.grades.tobytes() == state.grades.tobytes()
    assert told.pedigree.tobytes() == state.pedigree.tobytes()


@pytest.mark.parametrize("search", [{}, {"noisy": True}, {"islands": 3}, {"algorithm": "cma"}])
@pytest.mark.parametrize("times", some_of([0, 1, 4, 5], few=[1, 4]))
def test_saved_and_loaded_it_goes_on_bit_for_bit(tmp_path, search, times):
    random = {"noisy": lambda circuit: score(circuit) + len(circuit.inputs[0].synapses) / 7}
    judge = random.get("noisy") if search.get("noisy") else score
    evolver = tells(evo.Evolver(**SMALL, **SEARCH, **search), times, judge)
    path = evolver.save(tmp_path / "state")
    loaded = evo.Evolver.load(path)
    assert seen(loaded) == seen(evolver)
    tells(evolver, 4, judge)
    assert seen(tells(loaded, 4, judge)) == seen(evolver)


def test_with_a_folder_it_writes_an_ordinary_run_and_goes_on_from_there(tmp_path):
    evolver = tells(evo.Evolver(**SMALL, **SEARCH, islands=2, folder=tmp_path / "run", generations=6), 4)
    run = evo.open_run(tmp_path / "run")
    assert (run.state, run.generation, run.spec.judged_by) == ("stopped", 2, "told")
    assert len(run.lineage(0)) > 0
    tells(evolver, 1)
    loaded = evo.Evolver.load(tmp_path / "run")
    assert seen(loaded) == seen(evolver)
    loaded.tell([score(circuit) for circuit in loaded.ask()])
    with pytest.raises(MachineError, match=r"another process has continued it; load it by evo\.Evolver\.load"):
        tells(evolver, 2)
    while not loaded.over:
        tells(loaded, 1)
    whole = evo.Evolver(**SMALL, **SEARCH, islands=2, generations=6)
    while not whole.over:
        tells(whole, 1)
    assert seen(loaded)[0] == seen(whole)[0]
    assert evo.open_run(tmp_path / "run").state == "finished"
    for command in (["inspect", "run", "--html"], ["export", "run", "--to", "motif"], ["motifs", "run"], ["status", "run"]):
        assert cli(tmp_path, *command).returncode == 0
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["motifs", "report.html", "run.db", "run.toml"]


def test_others_do_not_go_on_with_a_run_that_is_told(tmp_path):
    tells(evo.Evolver(**SMALL, **SEARCH, folder=tmp_path / "run"), 4)
    said = "its scores come from outside: continue it by evo.Evolver.load"
    assert said in one_line_of(lambda: evo.resume(tmp_path / "run"))
    assert said in one_line_of(lambda: evo.run(tmp_path / "run" / "run.toml", tmp_path / "other", workers=0))
    refused = cli(tmp_path, "resume", "run")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert said in refused.stderr
    assert "already holds a run" in one_line_of(lambda: evo.Evolver(**SMALL, folder=tmp_path / "run"))
    evo.run(spec_file(tmp_path, generations=1), tmp_path / "task", workers=0)
    assert "go on with it by evo resume" in one_line_of(lambda: evo.Evolver.load(tmp_path / "task"))


def test_noisy_survivors_come_up_again_and_a_lower_bound_counts():
    rng, counts = np.random.default_rng(0), {}
    evolver = evo.Evolver(**SMALL, **SEARCH, noisy=True)
    attempts = 0
    for _ in range(12):
        scores = [score(circuit) + rng.normal() for circuit in evolver.ask()]
        attempts = max(attempts, evolver.attempts.max())
        for circuit in evolver.ask():
            counts[circuit] = counts.get(circuit, 0) + 1
        evolver.tell(scores)
    assert attempts > 3
    assert all(member.judgements > 1 for member in evolver.front)
    assert evolver.best.score < evolver.best.mean_score
    assert evolver.best.judgements <= counts[evolver.best.circuit] <= 16


@pytest.mark.long
def test_noisy_scores_lead_to_better_circuits_when_they_are_judged_again():
    def gap(noisy, seed):
        """How much better the best seems than it is."""
        rng = np.random.default_rng(seed)
        evolver = evo.Evolver(**SMALL, population=20, epoch=2, seed=seed, noisy=noisy)
        tells(evolver, 10, lambda circuit: score(circuit) + rng.normal())
        return evolver.best.score - score(evolver.best.circuit)

    assert np.mean([gap(True, seed) for seed in range(3)]) < 0.5 * np.mean([gap(False, seed) for seed in range(3)])


def test_several_objectives_and_cases_are_told_in_any_of_four_ways():
    objectives = ["score", "min:cost", "size"]

    def told(say):
        evolver = evo.Evolver(**SMALL, **SEARCH, objectives=objectives)
        for _ in range(3):
            evolver.tell(*say([all_of_it(circuit) for circuit in evolver.ask()]))
        return seen(evolver)

    as_dicts = told(lambda every: [every])
    columns = told(lambda every: [{name: np.array([one[name] for one in every]) for name in every[0]}])
    rows = told(lambda every: [[(one["score"], one["cost"]) for one in every], [one["cases"] for one in every]])
    cases = told(
        lambda every: [[{k: one[k] for k in ("score", "cost")} for one in every], np.array([one["cases"] for one in every])]
    )
    assert as_dicts == columns == rows == cases
    front = as_dicts[0]
    assert len({objectives["min:cost"] for _, objectives, *_ in front}) > 1
    assert all(objectives["size"] == len(circuit.neurons) for _, objectives, _, circuit in front)


def test_a_circuit_that_failed_is_told_as_none_and_gets_the_worst():
    evolver = evo.Evolver(**SMALL, **SEARCH)
    scores = [score(circuit) for circuit in evolver.ask()]
    best = int(np.argmax(scores))
    lost = evolver.ask()[best]
    evolver.tell([None if k == best else value for k, value in enumerate(scores)])
    tells(evolver, 2)
    assert lost not in [member.circuit for member in evolver.front]


def test_circuits_travel_to_other_processes():
    evolver = evo.Evolver(**SMALL, **SEARCH)
    with ProcessPoolExecutor(2) as pool:
        for _ in range(2):
            evolver.tell(list(pool.map(score, evolver.ask())))
    assert seen(evolver) == seen(tells(evo.Evolver(**SMALL, **SEARCH), 2))


N = 12
WRONG = [
    ([1.0] * (N - 1), None, "11 scores for the 12 circuits"),
    (1.0, None, "give one score for each of the 12 circuits"),
    ("good", None, "give one score for each"),
    ([float("nan")] * N, None, "circuit 0 gives nan for score: not a finite number; None says that it failed"),
    (np.full(N, np.inf), None, "not a finite number"),
    (["1"] * N, None, "circuit 0 gives str '1' for score"),
    ([{"speed": 1.0}] * N, None, 'circuit 0 gives speed, but no "score"'),
    ([{"score": 1.0, "speed": 2.0}] * N, None, "'speed' is none of the objectives score: name it there"),
    ([(1.0, 2.0)] * N, None, "circuit 0 has 2 numbers; the objectives to tell are score"),
    ({"score": [1.0] * 3}, None, "score: must be an array, one value for each of the 12 circuits"),
    ([1.0] * N, np.ones((N - 1, 2)), "case scores of 11 circuits for the 12"),
    ([1.0] * N, np.full((N, 2), np.nan), "a number for cases that is not finite"),
    ([{"score": 1.0, "cases": [1.0] * (1 + k % 2)} for k in range(N)], None, "gives 2 cases for one circuit and 1 for others"),
]


@pytest.mark.parametrize(("scores", "cases", "said"), WRONG)
def test_wrong_scores_are_one_line_and_nothing_is_lost(scores, cases, said):
    evolver = evo.Evolver(**SMALL, **SEARCH)
    asked = evolver.ask()
    message = one_line_of(lambda: evolver.tell(scores, cases))
    assert message.startswith("tell: ")
    assert said in message
    assert evolver.ask() == asked
    tells(evolver, 3)
    assert evolver.generation == 2


def test_another_number_of_cases_than_before_is_one_line():
    evolver = evo.Evolver(**SMALL, **SEARCH)
    for _ in range(3):
        evolver.tell([1.0] * len(evolver.ask()), np.ones((len(evolver.ask()), 3)))
    message = one_line_of(lambda: evolver.tell([1.0] * len(evolver.ask())))
    assert "gives 1 cases for one circuit and 3 for others" in message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, 'or the names of the outputs of circuits, such as outputs=["x"]'),
        ({"spec": "gate", "inputs": ["a"]}, "inputs, outputs and dt_ms are those of the spec"),
        (SMALL | {"populaton": 3}, "search.populaton: unknown key; did you mean population?"),
        (SMALL | {"objectives": ["score", "cost"]}, "'cost' is no objective"),
        (SMALL | {"circuit": {"neurons": [0, 3]}}, "circuit.neurons"),
        (SMALL | {"algorithm": "nsga3"}, "search.algorithm: there is no algorithm 'nsga3'; did you mean nsga2?"),
    ],
)
def test_a_search_that_cannot_be_is_one_line(settings, said):
    assert said in one_line_of(lambda: evo.Evolver(settings.pop("spec", None), **settings))


def test_a_damaged_file_is_one_line(tmp_path):
    path = tells(evo.Evolver(**SMALL, **SEARCH), 4).save(tmp_path / "state")
    whole = path.read_bytes()
    for broken in (b"", whole[: len(whole) // 2], whole[:-9] + b"x" * 9, b"nothing at all", b"PK\x03\x04"):
        path.write_bytes(broken)
        assert str(path) in one_line_of(lambda: evo.Evolver.load(path))
    assert "there is no such file" in one_line_of(lambda: evo.Evolver.load(tmp_path / "none"))


def test_the_page_about_it_runs(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "how-to" / "own-fitness.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for kind, text in re.findall(r"^```(python|toml)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        if file := re.match(r"# file: (\S+)\n", text):
            (tmp_path / file[1]).write_text(text)
        else:
            exec(compile(text, kind, "exec"), names)
    assert names["evolver"].generation == 2
    assert seen(evo.Evolver.load("search.evo"))[2] > 100
    run = evo.run("mine.toml", "run", workers=0, generations=2, population=8)
    assert run.spec.judged_by == "mine.py:score"
