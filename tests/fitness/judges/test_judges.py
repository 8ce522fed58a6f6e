"""What every judge promises, whatever it is: `fitness.judges.judge`."""

from typing import NamedTuple

import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from evo.genome import Candidates
from evo.spec.run_spec import RunSpec, parse
from fitness.judges import Judge, Setup, judged, make
from tests.evo.tiny import SPEC, one_line_of

FUNCTION = """
import numpy as np


def score(circuit, seed, target=8):
    if len(circuit.neurons) == 4:
        raise ValueError("four")
    noise = np.random.default_rng((seed, len(circuit.neurons))).normal()
    return {"score": -abs(circuit.synapse_count - target) + noise, "cost": circuit.synapse_count, "cases": [1.0, noise, 3.0]}
"""


class Case(NamedTuple):
    judge: Judge
    candidates: Candidates
    again: Judge  # made anew


def of_a_task(folder):
    spec = parse(SPEC)
    return spec, None


def of_a_function(folder):
    (folder / "mine.py").write_text(FUNCTION)
    task = {"judge": "mine.py:score", "inputs": ["a", "b"], "outputs": ["x"], "target": 7}
    search = {"objectives": ["score", "min:cost", "size"], "trials": 2, "held_out": 3}
    spec = RunSpec.model_validate({"task": task, "circuit": {"neurons": [3, 6], "in_degree": 4}, "search": search})
    return spec, spec.collect(folder)


@pytest.fixture(scope="module", params=[of_a_task, of_a_function])
def case(request, tmp_path_factory):
    spec, source = request.param(tmp_path_factory.mktemp("judge"))
    judge = spec.make_judge(source)
    return Case(judge, spec.founders(judge.interface, 40), spec.make_judge(source))


def same(a, b):
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True) if isinstance(x, np.ndarray))


def test_results_are_numbers_of_the_declared_shapes(case):
    found, n = case.judge.evaluate(case.candidates), len(case.candidates)
    assert found.objectives.shape == (n, len(case.judge.objectives))
    assert (found.objectives.dtype, found.score.dtype, found.cases.dtype) == ("f8", "f8", "f4")
    assert found.score.shape == found.spikes.shape == found.events.shape == found.share.shape == (n,)
    assert found.cases.shape == (n, case.judge.cases)
    assert np.isfinite(found.objectives).all()
    assert np.isfinite(found.score).all()
    assert np.isfinite(found.cases).all()
    assert ((found.share > 0) & (found.share <= 1)).all()
    assert min(found.seconds.values()) >= 0
    assert len(np.unique(found.score)) > 3  # or this test says nothing


def test_what_it_says_of_a_circuit_does_not_depend_on_the_others(case, monkeypatch):
    together = case.judge.evaluate(case.candidates)
    one_by_one = [case.judge.evaluate(case.candidates[k : k + 1]) for k in range(len(case.candidates))]
    for name in ("objectives", "score", "cases", "spikes", "events", "failed", "share"):
        alone = np.concatenate([getattr(one, name) for one in one_by_one])
        np.testing.assert_array_equal(getattr(together, name), alone)
    monkeypatch.setattr(type(case.judge), "max_batch", 7)
    assert same(judged(case.judge, case.candidates), together)
    backwards = case.judge.evaluate(case.candidates[::-1])
    np.testing.assert_array_equal(backwards.objectives[::-1], together.objectives)


def test_it_says_the_same_again_and_so_does_one_made_anew(case):
    first = case.judge.evaluate(case.candidates)
    np.random.seed(4)
    assert same(case.judge.evaluate(case.candidates), first)
    assert same(case.again.evaluate(case.candidates), first)
    assert same(case.again.validate(case.candidates[:3]), case.judge.validate(case.candidates[:3]))
    case.judge.check_again()


def test_fresh_cases_are_others_than_those_of_the_search(case):
    found, fresh = case.judge.evaluate(case.candidates), case.judge.validate(case.candidates)
    assert fresh.validation.shape == fresh.held_out.shape == fresh.condition.shape == (40,)
    assert (fresh.validation != found.score).any()
    assert (fresh.validation != fresh.held_out).any()
    sure = ~np.isnan(fresh.low)
    assert ((fresh.low <= fresh.held_out) & (fresh.held_out <= fresh.high))[sure].all()


def test_circuits_have_what_it_asks_for(case):
    one = case.candidates.circuit(0)
    assert isinstance(one, circuits.Circuit)
    assert tuple(channel.name for channel in one.inputs) == case.judge.interface.inputs
    assert tuple(port.name for port in one.outputs) == case.judge.interface.outputs
    assert one.dt_ms == case.judge.interface.dt_ms
    case.judge.check(case.candidates)


def test_a_circuit_with_which_it_fails_gets_the_worst_and_spoils_no_other(tmp_path):
    spec, source = of_a_function(tmp_path)
    judge = spec.make_judge(source)
    candidates = spec.founders(judge.interface, 200)
    four = np.array([len(candidates.circuit(k).neurons) == 4 for k in range(200)])
    assert 0 < four.sum() < 100
    found = judge.evaluate(candidates)
    np.testing.assert_array_equal(found.failed, four)
    assert found.fault == "judge mine.py:score: fails: ValueError: four (mine.py, line 7)"
    assert (found.score[four] < found.score[~four].min()).all()
    assert (found.objectives[four] > found.objectives[~four].max()).all()
    where = np.flatnonzero(~four)
    np.testing.assert_array_equal(judge.evaluate(candidates[where]).objectives, found.objectives[where])


def test_attempts_are_drawn_anew_and_each_is_the_same_again(tmp_path):
    spec, source = of_a_function(tmp_path)
    judge = spec.make_judge(source)
    candidates = spec.founders(judge.interface, 20)
    first, second = judge.evaluate(candidates), judge.evaluate(candidates, np.ones(20, int))
    assert (first.score != second.score).sum() > 10
    assert same(judge.evaluate(candidates, np.ones(20, int)), second)
    assert same(judge.evaluate(candidates, np.zeros(20, int)), first)


SAYS = {
    "'good'": ["gives str 'good' for score", "a number"],
    "None": ["gives NoneType None for score"],
    "{'cost': 1.0}": ["gives cost", '"score"'],
    "{'score': [1.0]}": ["gives list [1.0] for score"],
    "{'score': 1.0, 'cases': 'x'}": ["for cases", "an array of numbers"],
    "{'score': 1.0, 'cases': []}": ["for cases", "an array of numbers"],
    "{3: 1.0}": ["gives a number under 3"],
    "np.ones(3)": ["gives an array [3] for score"],
    "float('nan')": ["gives nan for score", "not a finite number"],
    "1 / 0": ["fails: ZeroDivisionError", "mine.py, line 5"],
    "np.random.random()": ["for the same circuit and seed", "must come from the seed"],
    "sys.exit()": ["ends the process by sys.exit"],
}


@pytest.mark.parametrize("said", SAYS)
def test_what_is_no_answer_is_told_before_a_run_in_one_line(tmp_path, said):
    (tmp_path / "mine.py").write_text(f"import sys\n\nimport numpy as np\ndef score(circuit, seed):\n    return {said}\n")
    setup = Setup(("score",), 1, 1, 1, 10.0, lambda dt: None)
    judge = make({"judge": "mine.py:score", "outputs": ["x"]}, setup, folder=tmp_path)
    candidates = RunSpec(task={"judge": "told", "outputs": ["x"]}).founders(judge.interface, 1)
    message = one_line_of(lambda: judge.check(candidates))
    assert message.startswith("judge mine.py:score")
    for part in SAYS[said]:
        assert part in message


def test_where_all_of_many_circuits_fail_it_is_the_judge(tmp_path):
    (tmp_path / "mine.py").write_text("def score(circuit, seed):\n    return float('nan')\n")
    setup = Setup(("score",), 1, 1, 1, 10.0, lambda dt: None)
    judge = make({"judge": "mine.py:score", "outputs": ["x"]}, setup, folder=tmp_path)
    candidates = RunSpec(task={"judge": "told", "outputs": ["x"]}).founders(judge.interface, 12)
    with pytest.raises(UserError, match="not a finite number"):
        judge.evaluate(candidates)
    assert judge.evaluate(candidates[:3]).failed.all()


def test_a_call_that_takes_too_long_ends_the_run(tmp_path):
    (tmp_path / "mine.py").write_text("import time\n\n\ndef score(circuit, seed):\n    time.sleep(30)\n")
    judge = make(
        {"judge": "mine.py:score", "outputs": ["x"]}, Setup(("score",), 1, 1, 1, 0.05, lambda dt: None), folder=tmp_path
    )
    candidates = RunSpec(task={"judge": "told", "outputs": ["x"]}).founders(judge.interface, 1)
    assert "did not return within 0.05 s" in one_line_of(lambda: judge.evaluate(candidates))
