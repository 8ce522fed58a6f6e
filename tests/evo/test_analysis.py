"""Why circuits work: worked out at the end of a run, kept in its store, and the same as worked out afresh."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import evo
import fitness
from circuits import Circuit
from circuits.edit.lesion import lesion
from circuits.errors import UserError
from circuits.motif_file import Motif, digest, loads
from circuits.neurons import Neuron
from fitness.analysis import analyse, from_text, of_motif, to_text, trials_for
from fitness.tasks import BUILT_IN
from tests.evo.tiny import OWN_TASK, one_line_of, own_task_spec, spec_file, stops_after
from tests.products import some_of

pytestmark = pytest.mark.long
ANALYSED = 100

GOOD = {"islands": 2, "population": 40, "trials": 32, "held_out": 64}  # enough for circuits that do better than chance


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysed")
    return evo.run(spec_file(folder, **GOOD), folder / "run", workers=0)


def afresh(run, source=None):
    """What an analysis of each circuit of a front is."""
    task = run.spec.make_task(source)
    trials = trials_for(task, run.spec.search.seed, run.spec.search.held_out)
    found = [analyse(task, run.motif(rank), *trials, name=f"{run.name}, rank {rank}") for rank in range(len(run.front))]
    return json.loads(json.dumps(found))


def test_what_is_stored_of_a_run_equals_what_is_worked_out_afresh(run):
    stored = [run.analysis(member) for member in run.front]
    assert stored == afresh(run)
    assert len(stored) > 3


def test_its_numbers_are_those_of_the_front_and_of_a_fresh_simulation(run):
    task, search = fitness.task("gate", volleys=1), run.spec.search
    held_out = task.trials((search.seed, 1), search.held_out)
    for member in run.front[:5]:
        found = run.analysis(member)
        worst = {"condition": member.condition.name, "score": member.worst, "trials": member.condition.trials}
        ends = {"low": member.low, "high": member.high}
        assert found["base"] == {"score": member.held_out, **ends, "trials": 64, "worst": worst}
        changes = [one["change"] for one in found["lesions"]]
        assert changes == sorted(changes)
        for one in found["lesions"]:
            if one["kind"] == "neuron":
                without = lesion(member.circuit, neurons=[one["part"]])
            elif one["kind"] in ("synapse", "input"):
                without = lesion(member.circuit, connections=[(one["source"], one["target"])])
            else:
                continue
            score = task.evaluate(without, held_out, "float32").value
            assert one["score"] == score
            assert one["change"] == pytest.approx(score - member.held_out, abs=1e-8)
        raster = task.simulate(member.circuit, held_out, "float32")
        np.testing.assert_allclose(found["activity"]["rate_hz"], raster.rates().mean(axis=0), rtol=1e-5)
        assert found["energy"]["spikes"] == raster.counts().sum() / len(held_out)
        assert found["tuning"]["x"] == [0, 1]
        mean = [raster.outputs.counts()[held_out.labels == label, 0].mean() for label in (0, 1)]
        np.testing.assert_allclose(found["tuning"]["outputs"]["out"]["mean"], mean, rtol=1e-5)


def test_a_core_is_a_motif_that_names_its_parent(run):
    cores = [(member, core) for member in run.front if (core := run.analysis(member)["core"]) is not None]
    assert cores
    for member, core in cores:
        motif = loads(json.dumps(core["motif"]))
        assert motif.provenance.parent.sha256 == digest(member.circuit)
        assert motif.provenance.parent.name == f"run, rank {member.rank}"
        assert motif.provenance.scores["held_out"] == core["score"]
        assert motif.provenance.spec_sha256 == run.spec_sha256
        assert motif.synapse_count <= member.circuit.synapse_count


def test_a_run_that_is_not_over_has_none_and_has_them_once_it_is(tmp_path, run):
    path = spec_file(tmp_path, **GOOD)
    with pytest.raises(KeyboardInterrupt):
        evo.run(path, tmp_path / "run", workers=0, observe=stops_after(4))
    stopped = evo.open_run(tmp_path / "run")
    assert stopped.front
    assert all(stopped.analysis(member) is None for member in stopped.front)
    done = evo.resume(tmp_path / "run", workers=0)
    assert [done.analysis(m) for m in done.front] == [run.analysis(m) for m in run.front]


def test_going_on_with_a_finished_run_works_out_only_what_is_missing(tmp_path, monkeypatch):
    folder = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0).folder
    with closing(sqlite3.connect(folder / "run.db")) as db:
        missing = db.execute("SELECT circuit FROM analysis LIMIT 1").fetchone()[0]
        db.execute("DELETE FROM analysis WHERE circuit = ?", (missing,))
        db.commit()
    worked_out = []

    def watched(task, motif, *trials, name):
        worked_out.append(digest(motif))
        return analyse(task, motif, *trials, name=name)

    monkeypatch.setattr("fitness.judges.simulated.analyse", watched)
    again = evo.resume(folder, workers=0)
    assert worked_out == [missing]
    assert all(again.analysis(member) is not None for member in again.front)


# -- tasks of one's own


def test_a_task_of_ones_own_is_analysed_and_reading_that_executes_nothing(tmp_path):
    folder = evo.run(own_task_spec(tmp_path), tmp_path / "run", workers=0).folder
    trap = tmp_path / "trap"
    (folder / "agree.py").write_text(f"open({str(trap)!r}, 'w')\n" + OWN_TASK)
    run = evo.open_run(folder)
    found = [run.analysis(member) for member in run.front]
    assert all(one["tuning"]["variable"] == "class" and one["states"] is None for one in found)
    assert not trap.exists()
    assert found == afresh(run, OWN_TASK)


HOOKS = """
    def variable(self, trials):
        return "gap [ms]", np.where(trials.labels, 0.0, self.gap_ms)

    def as_sequence(self, trials):
        return fitness.Symbols(("first", "second"), np.tile([0, 1], (len(trials), 1)), np.tile([9.0, 20.0], (len(trials), 1)))
"""


def test_it_says_what_its_tuning_curve_is_over_and_what_its_symbols_are(tmp_path):
    run = evo.run(own_task_spec(tmp_path, OWN_TASK + HOOKS), tmp_path / "run", workers=0)
    found = run.analysis(run.front[0])
    assert (found["tuning"]["variable"], found["tuning"]["x"]) == ("gap [ms]", [0, 10])
    assert found["states"]["symbols"] == ["first", "second"]
    assert sum(one["count"] for one in found["states"]["transitions"]) == 2 * 16


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"gap [ms]", np', "np", "variable must return (name, values)"),
        ("[9.0, 20.0]", "[9.0, 99.0]", "as_sequence: start_ms must ascend, within the trial"),
        ("fitness.Symbols(", "(1 / 0)(", "fails in agree.py"),
    ],
)
def test_what_is_wrong_about_that_is_said_before_the_search(tmp_path, old, new, said):
    code = (OWN_TASK + HOOKS).replace(old, new)
    assert code != OWN_TASK + HOOKS
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code), tmp_path / "run", workers=0))
    assert said in message
    assert not (tmp_path / "run").exists()


def test_where_its_code_fails_for_what_an_analysis_alone_asks_the_run_is_finished_all_the_same(tmp_path):
    """It cannot make as many trials as cores are chosen on."""
    code = OWN_TASK.replace("labels = np.arange(count) % 2", "labels = np.arange(count) % (2 if count < 20 else 0 // 0)")
    with pytest.warns(UserWarning, match="could not be analysed; task Agree: fails in agree"):
        run = evo.run(own_task_spec(tmp_path, code), tmp_path / "run", workers=0)
    assert run.state == "finished"
    assert all(run.analysis(member) is None for member in run.front)


# -- what is read from a file


@pytest.mark.parametrize("text", ["", "nonsense", "{}", '{"base": 1}', "[]"])
def test_a_damaged_one_is_named_in_one_line(text):
    assert "is damaged (an analysis" in one_line_of(lambda: from_text(text, "run.db"))


def test_of_a_stranger_only_plain_numbers_and_texts_are_taken(run):
    found = run.analysis(run.front[0])
    for part, value in (("base", {**found["base"], "score": "<script>"}), ("lesions", {"a": 1})):
        one_line_of(lambda part=part, value=value: from_text(json.dumps({**found, part: value}), "run.db"))
    assert from_text(json.dumps({**found, "more": "<script>"}), "run.db") == found
    with pytest.raises(ValueError, match="JSON compliant"):
        to_text({**found, "base": {**found["base"], "score": float("nan")}})


# -- single motifs


KINDS = ["gate", "phonotaxis", "association", "gain", "sequence"]  # closed loop, learning, all neurons heard, symbols


@pytest.mark.parametrize("name", some_of([name for name in BUILT_IN if name != "several"], few=KINDS))
def test_every_reference_circuit_can_be_analysed(name):
    motif, task = fitness.reference(name), fitness.task(name)
    task_trials = task.trials((1, 1), 36)
    found = analyse(task, motif, *trials_for(task, 1, 36))
    assert from_text(to_text(found), name) == found
    assert found["base"]["score"] == task.evaluate(motif.circuit, task_trials, "float32").value
    controls = {one["control"]: one["score"] for one in found["controls"]}
    assert controls["no input"] < 0.3
    assert min(score for what, score in controls.items() if what != "no input") < found["base"]["score"] / 2
    assert (found["states"] is None) == (task.as_sequence(task_trials) is None)
    assert set(found["tuning"]["outputs"]) == set(task.outputs)
    open_loop = task.environment(task_trials) is None
    assert ("input of other trials" in controls) == ("time step [ms]" in found["perturbation"]) == open_loop


def test_a_motif_of_a_task_that_ships_is_analysed_when_asked_for():
    motif = fitness.reference("xor")
    task = fitness.task("xor")
    found = of_motif(motif, "xor")
    assert found == analyse(task, motif, *trials_for(task, 1, 256), name="xor")
    assert found["core"]["motif"]["provenance"]["parent"] == {"sha256": digest(motif), "name": "xor"}


def test_several_tasks_can_be_analysed():
    task = fitness.task("several")
    circuit = side_by_side(fitness.reference("coincidence"), fitness.reference("xor"), task)
    found = of_motif(Motif.of(circuit, task={"name": "several"}))
    assert found["base"]["score"] > 0.95
    assert found["core"]["confirmed"]


def side_by_side(first, second, task):
    """Two circuits as one, with shared inputs."""
    neurons, synapses, outputs, inputs = [], [], [], {name: [] for name in task.inputs}
    for k, motif in enumerate((first, second)):
        neurons += [n.model_copy(update={"id": f"{n.id}{k}"}) for n in motif.neurons]
        synapses += [s.model_copy(update={"pre": f"{s.pre}{k}", "post": f"{s.post}{k}"}) for s in motif.synapses]
        for channel in motif.inputs:
            inputs[channel.name] += [s.model_copy(update={"post": f"{s.post}{k}"}) for s in channel.synapses]
        outputs.append({"name": task.outputs[k], "neurons": [f"{motif.outputs[0].neurons[0]}{k}"]})
    channels = [{"name": name, "synapses": theirs} for name, theirs in inputs.items()]
    return Circuit(dt_ms=task.dt_ms, neurons=neurons, inputs=channels, synapses=synapses, outputs=outputs)


def test_a_motif_without_a_task_that_ships_has_none():
    motif = fitness.reference("gate")
    assert of_motif(Motif.of(motif.circuit)) is None
    assert of_motif(Motif.of(motif.circuit, task={"name": "mine.py:Mine"})) is None
    assert of_motif(Motif.of(motif.circuit, task={"name": "nothing"})) is None


def test_a_motif_that_does_not_fit_its_task_is_refused():
    with pytest.raises(UserError, match="its circuits have inputs"):
        of_motif(Motif.of(fitness.reference("gate").circuit, task={"name": "xor"}))
    slower = Circuit(
        dt_ms=1.0,
        neurons=[Neuron(id="x", sign="E")],
        inputs=[{"name": "a"}, {"name": "b"}],
        outputs=[{"name": "out", "neurons": ["x"]}],
    )
    with pytest.raises(UserError, match="the circuit's 1 ms"):
        of_motif(Motif.of(slower, task={"name": "xor"}))
