"""evo prune: the core of a circuit as a motif file."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

import circuits
import evo
import fitness
from circuits.edit.lesion import without
from circuits.motif_file import Motif, digest
from evo.cli.results import cli as prune_command
from evo.studies.prune import prune
from tests.evo.tiny import OWN_TASK, cli, forget_own_code, one_line_of, own_task_spec, spec_file

pytestmark = pytest.mark.long
ANALYSED = 1

GOOD = {"population": 40, "trials": 32, "held_out": 64}  # enough for circuits that do better than chance


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pruned")
    return evo.run(spec_file(folder, generations=40, population=48, trials=64, held_out=128), folder / "run", workers=0)


def forget(folder):
    """Take the analyses out of a run's store."""
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.execute("DELETE FROM analysis")
        db.commit()


def test_what_a_run_has_stored_is_what_is_worked_out_without_it(tmp_path, run):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    stored = prune(folder)
    forget(folder)
    assert evo.open_run(folder).analysis(evo.open_run(folder).front[0]) is None
    assert prune(folder) == stored


def test_a_core_of_a_run_keeps_the_score_and_nothing_more_can_be_removed(run):
    task = fitness.task("gate", volleys=1)
    found = prune(run.folder)
    assert found.motif == run.motif(0)
    choosing = [task.trials_of("core", run.spec.search.seed, count) for count in (128, 512)]
    kept = []
    for trials in choosing:  # which of the two it was chosen on
        least = task.floor(task.evaluate(found.motif.circuit, trials, "float32"), trials)
        smaller = [without(found.smaller.circuit, synapses=[k]) for k in range(found.smaller.synapse_count)]
        fine = task.evaluate(found.smaller.circuit, trials, "float32").value >= least
        kept.append(fine and all(task.evaluate(one, trials, "float32").value < least for one in smaller))
    assert any(kept)


def test_the_command_writes_a_motif_that_names_its_parent(run):
    done = cli(run.folder.parent, "prune", "run", "--rank", "1")
    assert done.returncode == 0, done.stderr
    path = run.folder / "motifs" / "rank1-core.json"
    assert done.stdout.splitlines()[-1] == "run/motifs/rank1-core.json"
    motif = circuits.load(path)
    assert motif == prune(run.folder, 1).smaller
    assert motif.provenance.parent.sha256 == digest(run.front[1].circuit)
    assert motif.provenance.parent.name == "run, rank 1"
    for part in ("whole ", "core ", "removed ", f"score {run.front[1].held_out:.3f}"):
        assert part in done.stdout


def test_the_worst_condition_of_the_whole_and_of_the_core_are_told(run, capsys):
    found, best = prune(run.folder), run.front[0]
    assert found.base["worst"] == {"condition": best.condition.name, "score": best.worst, "trials": best.condition.trials}
    task = fitness.task("gate", volleys=1)
    trials = task.trials_of("held_out", run.spec.search.seed, run.spec.search.held_out)
    score = task.evaluate(found.smaller.circuit, trials, "float32")
    by_condition = task.by_condition(score, trials)
    assert found.core["worst"]["score"] == min(by_condition.scores.min(), score.value)
    assert by_condition.names[by_condition.scores.argmin()] == found.core["worst"]["condition"]
    assert found.smaller.provenance.scores["worst"] == found.core["worst"]["score"]
    prune_command(["prune", str(run.folder), "-o", str(run.folder / "core.json")], standalone_mode=False)
    shown = capsys.readouterr().out.splitlines()
    for line, worst in zip(shown, (found.base["worst"], found.core["worst"]), strict=False):
        assert line.endswith(f"worst {worst['score']:.3f} ({worst['condition']})")


def test_runs_whose_store_does_not_tell_the_worst_condition_are_pruned_as_before(run, capsys):
    """Those of 0.4, which knew no conditions."""
    with closing(sqlite3.connect(run.folder / "run.db")) as db:
        kept = db.execute("SELECT circuit, analysis FROM analysis").fetchall()
        for row, text in kept:
            data = json.loads(text)
            del data["base"]["worst"]
            if data["core"]:
                del data["core"]["worst"]
            db.execute("UPDATE analysis SET analysis = ? WHERE circuit = ?", (json.dumps(data), row))
        db.commit()
        try:
            prune_command(["prune", str(run.folder), "-o", str(run.folder / "core.json")], standalone_mode=False)
        finally:
            db.executemany("UPDATE analysis SET analysis = ? WHERE circuit = ?", [(text, row) for row, text in kept])
            db.commit()
    assert "worst" not in capsys.readouterr().out


def test_a_motif_of_a_task_that_ships_can_be_pruned_by_itself(tmp_path):
    motif = fitness.reference("direction")
    circuits.save(motif, tmp_path / "d.json")
    done = cli(tmp_path, "prune", "d.json", "-o", "smaller.json")
    assert done.returncode == 0, done.stderr
    smaller = circuits.load(tmp_path / "smaller.json")
    assert smaller.synapse_count < motif.synapse_count
    assert (smaller.provenance.parent.name, smaller.provenance.parent.sha256) == ("d", digest(motif))
    assert smaller.provenance.task == {"name": "direction"}
    assert "confirmed on 256 other trials" in done.stdout
    assert prune(tmp_path / "d.json").smaller == smaller
    again = prune(tmp_path / "smaller.json")
    assert again.smaller.circuit == smaller.circuit, "a core is its own core"
    assert again.core["removed"] == []


def test_a_task_of_ones_own_is_executed_only_where_the_core_is_not_stored(tmp_path):
    trap = tmp_path / "trap"
    path = own_task_spec(tmp_path, f"open({str(trap)!r}, 'w')\n" + OWN_TASK, population=40, generations=20)
    folder = evo.run(path, tmp_path / "run", workers=0).folder
    forget_own_code()
    trap.unlink()
    said: list = []
    stored = prune(folder, 0, lambda *what: said.append(what))
    assert (said, trap.exists()) == ([], False)
    forget(folder)
    assert prune(folder, 0, lambda *what: said.append((*what, trap.exists()))) == stored
    assert [(spec.task["name"], *rest) for spec, *rest in said] == [("agree.py:Agree", folder, False)], "it is said before"
    assert trap.exists()


def test_what_cannot_be_pruned_is_said_in_one_line(tmp_path, run):
    circuit = fitness.reference("gate").circuit
    cases = {
        "none": (Motif.of(circuit), "names no task in its provenance"),
        "own": (Motif.of(circuit, task={"name": "mine.py:Mine"}), "a task of someone's own, mine.py:Mine"),
        "silent": (Motif.of(circuit.model_copy(update={"synapses": ()}), task={"name": "gate"}), "nothing to keep"),
        "other": (Motif.of(circuit, task={"name": "xor"}), "its circuits have inputs"),
    }
    for name, (motif, said) in cases.items():
        path = circuits.save(motif, tmp_path / f"{name}.json")
        assert said in one_line_of(lambda path=path: prune(path))
    assert "there is no rank 99" in one_line_of(lambda: prune(run.folder, 99))
    assert "there is no such file" in one_line_of(lambda: prune(tmp_path / "nothing.json"))


def test_parents_are_part_of_the_motif_file_and_those_without_stay_valid(tmp_path):
    motif = fitness.reference("gate")
    assert motif.provenance.parent is None
    text = circuits.motif_file.dumps(motif)
    assert "parent" not in text
    data = json.loads(text)
    data["provenance"]["parent"] = {"sha256": "x" * 64, "name": "whole"}
    found = circuits.motif_file.loads(json.dumps(data))
    assert found.provenance.parent.name == "whole"
    assert circuits.motif_file.loads(circuits.motif_file.dumps(found)) == found
    data["provenance"]["parent"] = {"name": "whole"}
    assert "provenance.parent.sha256: is missing" in one_line_of(lambda: circuits.motif_file.loads(json.dumps(data)))
