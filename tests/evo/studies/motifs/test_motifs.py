import io
import json
import shutil
import sqlite3

import numpy as np
import pytest
from rich.console import Console

import evo
from circuits.graph.canonical import canonical_form
from circuits.graph.wiring import live
from circuits.simulation.packed import from_circuit
from evo.inspect import motif_picture
from evo.inspect.terminal import motif_table
from evo.studies.motifs import Winner, motifs
from evo.studies.motifs.necessary import cut_singly
from fitness.analysis import trials_for
from fitness.analysis.lesions import lesions
from fitness.evaluation.evaluate import evaluate
from tests.evo.tiny import SPEC, cli, one_line_of, spec_file

pytestmark = pytest.mark.long

TEXT = SPEC.replace("in_degree = 4", "excitatory_share = [0.5, 1.0]\nin_degree = 4")
SMALL = {"neurons": "[2, 2]", "excitatory_share": "0.5", "in_degree": "2", "generations": "4", "epoch": "2"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Four runs of circuits with so few neurons that the same must come up again."""
    folder = tmp_path_factory.mktemp("motifs")
    spec = spec_file(folder, TEXT, **SMALL)
    for seed in range(1, 5):
        evo.run(spec, folder / f"s{seed}", workers=0, seed=seed)
    return folder


@pytest.fixture(scope="module")
def runs(place):
    return [evo.open_run(place / f"s{seed}") for seed in range(1, 5)]


@pytest.fixture(scope="module")
def found(runs):
    return motifs(runs)


def test_the_winner_is_the_smallest_circuit_that_does_as_well_as_the_best(runs):
    for run in runs:
        winner = Winner.of(run)
        best = run.front[0]
        assert best in winner.equals
        assert all(m.held_out >= best.low for m in winner.equals if m is not best)
        assert all(m.held_out < best.low for m in run.front if m not in winner.equals)
        assert winner.simplest.circuit.synapse_count == min(m.circuit.synapse_count for m in winner.equals)


def test_a_wiring_is_counted_once_in_every_run_that_has_it(found, runs):
    assert len(found.recurring[0].runs) > 1
    forms = {run.name: {canonical_form(live(m.circuit)) for m in Winner.of(run).equals} for run in runs}
    assert {row.form for row in found.recurring} == set.union(*forms.values())
    for row in found.recurring:
        assert [run.name for run in row.runs] == [name for name in forms if row.form in forms[name]]
        assert canonical_form(live(row.member.circuit)) == canonical_form(row.circuit) == row.form
        assert row.member in row.run.front
    counts = [len(row.runs) for row in found.recurring]
    assert counts == sorted(counts, reverse=True)


def test_the_same_runs_give_the_same_numbers(found, runs):
    assert json.dumps(motif_table.as_json(motifs(runs))) == json.dumps(motif_table.as_json(found))


def test_findings_are_sorted_and_corrected(found):
    for rows in (found.named, found.subgraphs):
        p = [f.of_size.p for f in rows if f.of_size.p == f.of_size.p]
        assert p == sorted(p)
        assert all(f.of_size.corrected >= f.of_size.p for f in rows if f.of_size.p == f.of_size.p)
    assert found.exact == 1.0


def test_runs_of_other_tasks_and_bounds_may_be_mixed_in(place, runs):
    text = TEXT.replace('name = "gate"\nvolleys = 1', 'name = "coincidence"')
    (place / "other").mkdir()
    spec = spec_file(place / "other", text, **SMALL | {"delay_ms": "[1.0, 10.0]"})
    other = evo.run(spec, place / "o1", workers=0, seed=9)
    found = motifs([*runs[:2], other])
    assert found.recurring
    assert all(not part.startswith("input ") for row in found.recurring for part in row.form.parts)
    assert shown(found, 120).startswith("3 runs of gate, coincidence")


def test_where_a_task_hears_all_neurons_all_count(place):
    (place / "heard").mkdir()
    text = TEXT.replace('name = "gate"\nvolleys = 1', 'name = "gain"')
    runs = [
        evo.run(spec_file(place / "heard", text), place / f"g{seed}", workers=0, seed=seed, generations=2) for seed in (1, 2)
    ]
    found = motifs(runs).recurring
    assert all(row.circuit == row.member.circuit for row in found)
    assert any(live(row.circuit) != row.circuit for row in found)


def shown(found, width):
    file = io.StringIO()
    motif_table.show(found, Console(file=file, width=width))
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(found, width):
    text = shown(found, width)
    assert max(map(len, text.splitlines())) <= width
    assert found.recurring[0].form.digest in text
    for name in (*(f.name for f in found.named), "same size", "4 runs of gate"):
        assert name in text
    assert (found.recurring[0].form.text.split()[0] in text) == (width == 120)


def test_the_command_prints_json_and_draws(place, found):
    folders = [f"s{seed}" for seed in range(1, 5)]
    done = cli(place, "motifs", *folders, "--json", "-o", "motifs.svg")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "picture: motifs.svg\n"
    assert (place / "motifs.svg").read_text().lstrip().startswith("<?xml")
    data = json.loads(done.stdout)
    assert set(data) == {"runs", "wirings", "named", "subgraphs", "exact_size_share"}
    assert [run["seed"] for run in data["runs"]] == [1, 2, 3, 4]
    assert data["wirings"][0]["form"] == found.recurring[0].form.digest
    assert len(data["named"]) == len(found.named)
    assert {"name", "pattern", "mean", "share", "of_size", "drifted"} == set(data["named"][0])


def test_the_command_prints_the_table(place, found):
    done = cli(place, "motifs", *(f"s{seed}" for seed in range(1, 5)))
    assert done.stdout == shown(found, 120)


def test_the_picture_shows_wirings_and_the_motifs_that_chance_does_not_explain(found, tmp_path):
    sure = found.named[0].of_size._replace(corrected=0.01, ratio=3.0, mean=0.2)
    planted = found._replace(named=[f._replace(of_size=sure) for f in found.named[:5]], subgraphs=[])
    captions = [text.get_text() for text in motif_picture.picture(planted).texts]
    again = [row for row in found.recurring if len(row.runs) > 1]
    assert len(captions) == min(3, len(again)) + 5
    assert captions[0] == f"in {len(again[0].runs)} of 4 runs, best score {again[0].member.held_out:.3f}"
    assert captions[-5:] == [f"{f.name}\n3.0 times chance, p = 0.010" for f in planted.named]
    nothing = found._replace(recurring=[], named=[], subgraphs=[])
    assert motif_picture.draw(nothing, tmp_path / "none.png").stat().st_size > 0
    assert "cannot be drawn" in one_line_of(lambda: motif_picture.draw(nothing, tmp_path / "m.doc"))


def test_bad_input_is_one_line(place, tmp_path):
    shutil.copytree(place / "s1", tmp_path / "none")
    with sqlite3.connect(tmp_path / "none" / "run.db") as db:
        db.execute("DELETE FROM state")
        db.execute("DELETE FROM epoch")
    db.close()
    shutil.copytree(place / "s1", tmp_path / "again")

    def line(*folders):
        return one_line_of(lambda: motifs([evo.open_run(folder) for folder in folders]))

    unfinished = line(place / "s2", tmp_path / "none")
    assert "none: no circuit is stored yet" in unfinished
    assert "evo resume" in unfinished
    assert "again: the same search as" in line(place / "s1", tmp_path / "again")
    assert "seed" in line(place / "s1", place / "s1")


def test_lesions_are_told_for_machines_and_for_people(place, runs):
    done = cli(place, "motifs", *(str(run.folder) for run in runs), "--lesions", "--json")
    assert not done.stderr
    rows = json.loads(done.stdout)["necessity"]
    for row in rows:
        assert {"name", "loss", "others", "circuits", "p", "corrected"} == set(row)
        assert 0 < row["circuits"] <= len(runs)
    cut = cut_singly(Winner.of(runs[0]))
    task, circuit = runs[0].spec.make_task(), cut.circuit
    trials = trials_for(task, runs[0].spec.search.seed, runs[0].spec.search.held_out)[0]
    whole = float(evaluate(task, trials, from_circuit(circuit, np.float32)).score[0])
    single = [one for one in lesions(task, circuit, trials, whole) if one["kind"] in ("synapse", "input")]
    assert sorted(-one["change"] for one in single) == pytest.approx(sorted(cut.losses), abs=1e-6)
    shown = cli(place, "motifs", *(str(run.folder) for run in runs), "--lesions").stdout
    assert "others" in shown
