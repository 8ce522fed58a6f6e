"""Learning as a judge: what it promises, how circuits race, and a run from end to end."""

import numpy as np
import pytest

import evo
from circuits.motif_file import digest
from evo.engine import race
from evo.engine.evaluator import Request, driven
from evo.inspect.page import page_data
from evo.population import noise
from evo.population.individual import outcome
from evo.spec.run_spec import RunSpec, parse
from fitness.judges import Race, Results
from tests.evo.tiny import cli, one_line_of
from tests.fitness.learning.tiny import TASK, candidates, judge, spec

RACE = Race((1 / 16, 1 / 4, 1.0), 0.25)


def raced(scores, asked):
    """The results of a race in which circuit k has scores[rung][k]; asked takes what was asked of each rung."""

    def answer(request: Request):
        rung = 2 if request.rung is None else request.rung
        asked.append((rung, request.genomes.tolist()))
        score = np.array([scores[rung][k] for k in request.genomes], float)
        found = Results.unmeasured(-score[:, None], score, score[:, None].astype("f4"))
        return found._replace(share=np.full(len(score), RACE.shares[rung]))

    return driven(race.raced(np.arange(len(scores[0])), RACE), answer)


def test_the_best_quarter_is_trained_further_at_each_stage_of_a_race():
    asked = []
    early = np.arange(16.0)
    found = raced([early, 10 + early, 100 - early], asked)
    assert asked == [(0, list(range(16))), (1, [12, 13, 14, 15]), (2, [15])]
    assert found.score.tolist() == [*range(12), 22, 23, 24, 85]
    assert found.share.tolist() == [1 / 16] * 12 + [1 / 4] * 3 + [1]


def test_of_equals_the_first_goes_on_and_of_few_one():
    assert race.going_on(np.zeros(8), 0.25).tolist() == [0, 1]
    assert race.going_on(np.array([0.0, 1.0]), 0.25).tolist() == [1]


def test_a_race_buys_five_times_the_circuits_of_training_each_in_full():
    asked = []
    raced(np.random.default_rng(1).normal(size=(3, 64)), asked)
    before = dict(zip(range(3), (0, *RACE.shares), strict=False))
    work = sum(len(who) * (RACE.shares[rung] - before[rung]) for rung, who in asked)  # a training goes on where it stopped
    assert 64 / work > 5


def test_who_was_given_up_is_not_judged_again_and_of_the_others_the_best_are():
    outcomes = np.zeros(20, outcome(1, True))
    outcomes["count"][:6], outcomes["score"] = (1, 1, 1, 2, 16, 1), np.arange(20)
    assert race.due(outcomes, 32, RACE).tolist() == [3, 5]
    assert race.due(outcomes, 32, None).tolist() == [0, 1, 2, 3, 5, *range(6, 20)]


def test_who_was_given_up_says_nothing_of_the_noise():
    outcomes = np.zeros(3, outcome(1, True))
    noise.begin(outcomes, np.array([True, False, True]))
    assert outcomes["count"].tolist() == [1, 0, 1]
    noise.again(outcomes[:1], np.array([[0.0]]), np.array([2.0]))
    assert noise.deviation(outcomes)[-1] == pytest.approx(np.sqrt(2))
    noise.bound(outcomes, noise.deviation(outcomes))
    assert np.isfinite(outcomes["score"]).all()


@pytest.mark.long
def test_training_part_of_the_way_first_changes_no_bit():
    some, first, other = candidates(3), judge(), judge()
    early = first.early(some, 0)
    assert (early.share < 1).all()
    then, whole = first.evaluate(some), other.evaluate(some)
    for name in ("objectives", "score", "cases", "spikes", "events", "share"):
        assert np.array_equal(getattr(then, name), getattr(whole, name), equal_nan=True)


@pytest.mark.long
def test_circuits_are_judged_one_by_one_as_all_together():
    some, here = candidates(3), judge(rungs=1)
    together = here.evaluate(some).score
    assert together.tolist() == [judge(rungs=1).evaluate(some[k : k + 1]).score[0] for k in (2, 1, 0)][::-1]


@pytest.mark.long
def test_each_attempt_draws_anew_and_the_same_again():
    some, here = candidates(1), judge(rungs=1, steps=2)
    first, second, again = (here.evaluate(some, np.array([k])) for k in (0, 1, 0))
    assert not np.array_equal(first.spikes, second.spikes)
    assert np.array_equal(first.spikes, again.spikes)


@pytest.mark.long
def test_other_objectives_of_who_was_given_up_are_the_worst():
    found = judge({"objectives": ["score", "min:spikes", "wiring"]}).early(candidates(2), 0)
    assert (found.objectives[:, 1] == 1e9).all()
    assert (found.objectives[0, [0, 2]] < 1e3).all()


def test_a_circuit_that_no_input_reaches_gets_the_worst(monkeypatch):
    monkeypatch.setattr("fitness.judges.learning.essential", lambda *_: None)
    found = judge().evaluate(candidates(2))
    assert (found.score == -1e9).all()
    assert "none of 2 random circuits" in one_line_of(lambda: judge().check(candidates(2)))


@pytest.mark.long
def test_a_run_by_learning_resumes_to_the_same_archive_and_shows_its_curves(tmp_path):
    whole = evo.run(spec(), out=tmp_path / "whole", workers=0)
    evo.run(spec({"generations": 1}), out=tmp_path / "part", workers=0, page=False)
    part = evo.resume(tmp_path / "part", workers=0, generations=2)
    assert part.archive_sha256 == whole.archive_sha256
    best = whole.front[0]
    assert best.noisy
    curves = whole.learning(best)
    assert curves["search"]["steps"] == [0, 1, 2, 4]
    assert len(curves["held_out"]) == 1
    assert whole.analysis(best) is None
    page = page_data.of_run(whole)
    assert not page["task"]["own"]
    assert "flip-flop" in page["task"]["text"]


@pytest.mark.long
def test_data_of_the_users_own_are_kept_with_the_run(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\ndef trials(count, seed, lines=3):\n    rng = np.random.default_rng(seed)\n"
        "    return rng.random((count, 40, lines)) < 0.1, rng.integers(0, 2, count)\n"
    )
    text = spec(data=f"{tmp_path}/mine.py:trials", settings={"lines": 4}, steps=2)
    run = evo.run(text, out=tmp_path / "run", workers=0, page=False, generations=1)
    assert (tmp_path / "run" / "mine.py").is_file()
    assert run.spec.task["data"] == "mine.py:trials"
    (tmp_path / "mine.py").unlink()
    assert evo.resume(tmp_path / "run", workers=0, generations=2).state == "finished"
    assert digest(run.front[0].circuit)


def test_evo_new_writes_a_spec_for_learning(tmp_path):
    text = cli(tmp_path, "new", "learning").stdout
    assert parse(text).search.noisy
    assert parse(text).task["data"] == "flip-flop"
    assert "trainable" in cli(tmp_path, "tasks", "learning").stdout
    assert "\nlearning " in cli(tmp_path, "tasks").stdout


@pytest.mark.long
def test_what_learning_cannot_do_is_refused_by_name(tmp_path):
    pytest.importorskip("torch")
    for change, said in (
        ({"data": "flipflop"}, "there is no data set 'flipflop'"),
        ({"settings": {"bit": 1}}, "unknown key 'bit'"),
        ({"trainable": ["wiring"]}, "trainable"),
        ({"rungs": 0}, "rungs"),
    ):
        assert said in one_line_of(lambda change=change: parse(spec(**change).to_toml()).make_judge())
    other = RunSpec.model_validate({"task": TASK, "circuit": {"neurons": [1, 3], "neuron_model": "izhikevich"}})
    assert "izhikevich" in one_line_of(lambda: other.make_judge().check(other.founders(other.make_judge().interface, 2)))


@pytest.mark.long
def test_a_file_of_data_is_kept_with_the_run(tmp_path):
    rows = ["item,label,channel,time_ms", *(f"{k},{'ab'[k % 2]},{k % 2},{5 + k % 20}.{k}" for k in range(60))]
    (tmp_path / "cell.csv").write_text("\n".join(rows))
    text = spec(data=f"{tmp_path}/cell.csv", settings={"tail_ms": 5.0}, steps=2)
    run = evo.run(text, out=tmp_path / "run", workers=0, page=False, generations=1)
    assert run.spec.task["data"] == "data/cell.csv"
    (tmp_path / "cell.csv").unlink()
    assert evo.resume(tmp_path / "run", workers=0, generations=2).state == "finished"
