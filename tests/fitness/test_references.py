"""Every task has a circuit, built by hand, that shows that it can be solved, and a spec that suits it."""

import inspect
from pathlib import Path

import pytest

import fitness
from circuits.edit.lesion import lesion
from circuits.errors import UserError
from evo.spec.run_spec import RunSpec, read
from evo.spec.starter import starter
from fitness.tasks import BUILT_IN

RUNS = Path(__file__).parents[2] / "runs"
OWN = sorted(set(BUILT_IN) - {"several"})
SLOW = {"association", "mismatch", "phonotaxis", "sequence"}  # plastic synapses or an environment: machine code of their own


@pytest.mark.parametrize("name", OWN)
def test_the_reference_circuit_solves_its_task_and_fails_without_what_is_decisive(name):
    task, motif = fitness.task(name), fitness.reference(name)
    trials = task.trials((2, 11), 512)
    score = task.evaluate(motif.circuit, trials, "float32")
    assert score.value >= 0.9
    assert task.critical_connections
    assert (
        task.evaluate(lesion(motif.circuit, connections=task.critical_connections), trials, "float32").value <= score.value / 2
    )


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in OWN])
def test_the_reference_circuit_does_in_float32_what_it_does_in_float64(name):
    task, motif = fitness.task(name), fitness.reference(name)
    trials = task.trials((2, 12), 256)
    values = [task.evaluate(motif.circuit, trials, dtype=dtype).value for dtype in ("float32", "float64")]
    assert values[0] == pytest.approx(values[1], abs=0.03)


def test_a_task_without_a_reference_circuit_is_named():
    with pytest.raises(UserError, match=r"task nought: has no reference circuit; there are .*coincidence"):
        fitness.reference("nought")


@pytest.mark.parametrize("name", OWN)
def test_the_committed_spec_is_what_evo_new_writes(name):
    assert (RUNS / f"{name}.toml").read_text() == starter(name)


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_suits_a_task_makes_a_valid_spec(tmp_path, name):
    (tmp_path / "x.toml").write_text(starter(name))
    assert isinstance(read(tmp_path / "x.toml")[0], RunSpec)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_task_says_what_it_is(name):
    text = inspect.getdoc(BUILT_IN[name])
    for word in ("Inputs:", "Answer:", "hance"):
        assert word in text, word
    source = inspect.getmodule(BUILT_IN[name]).__doc__
    assert name == "several" or any(year in source for year in map(str, range(1940, 2027)))
    assert all(field.description for field in BUILT_IN[name].model_fields.values())
