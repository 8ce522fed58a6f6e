"""The score in the worst condition is beside the mean wherever a held-out score is shown."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

import evo
from circuits import zoo
from evo import genome
from evo.engine.problem import Problem
from evo.inspect import motif_picture, page, zoo_picture
from evo.inspect.terminal import comparison, motif_table, table
from evo.loggers.logger import generations
from evo.studies.compare import compare
from evo.studies.motifs import motifs
from fitness.evaluation.evaluate import evaluate
from tests.evo.tiny import one_line_of, spec_file


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worst")
    return evo.run(spec_file(folder, held_out=64), folder / "run", workers=0)


def test_it_is_that_of_the_held_out_trials(run):
    setting = Problem.of(run.spec, None)
    names, members = setting.judge.task.grouped(setting.judge.held_out)
    assert names == ("route a", "route b")
    assert run.conditions == [(name, len(m)) for name, m in zip(names, members, strict=True)]
    genomes = np.array([row["genome"] for row in run.ranked])
    found = evaluate(setting.judge.task, setting.judge.held_out, genome.tables(genomes, setting.encoding))
    value, which = found.worst
    assert [m.worst for m in run.front] == value.tolist()
    assert [m.condition for m in run.front] == [run.conditions[k] for k in which]
    assert all(m.worst <= m.held_out for m in run.front)


def test_table_page_json_frame_motif_and_comparison_have_it(run, tmp_path):
    best = run.front[0]
    told = json.loads(json.dumps(table.as_json(run)))["front"][0]
    assert (told["worst"], told["worst_condition"], told["worst_trials"]) == (best.worst, *best.condition)
    assert table.row(best)["worst"] == f"{best.worst:.3f}"
    html = page.write(run, tmp_path / "page.html").read_text()
    assert json.dumps(list(best.condition), separators=(",", ":")) in html
    frame = run.frame()
    assert frame["worst"][0] == best.worst
    assert frame["worst_condition"][0] == best.condition.name
    assert run.motif(0).provenance.scores["worst"] == best.worst
    found = comparison.as_json(compare([run.folder]))
    assert found["groups"][0]["runs"][0]["worst"] == found["groups"][0]["medians"]["worst"] == best.worst


def test_the_log_the_motifs_command_and_pictures_have_it(run):
    best = run.front[0]
    for epoch in run.epochs:
        for row in epoch["log"]:
            assert 0 <= row["worst"] <= row["held_out"]
    (logged, *_) = generations(0, run.epochs[0]["log"], {}, run.spec)
    assert logged.values["island_0/worst"] == run.epochs[0]["log"][0]["worst"]
    assert f"({best.worst:.3f} in its worst condition)" in repr(run)
    found = motifs([run])
    told = motif_table.as_json(found)
    assert (told["runs"][0]["best_worst"], told["runs"][0]["best_worst_condition"]) == (best.worst, best.condition.name)
    again = {row.form.digest: row.member for row in found.recurring}
    for row in told["wirings"]:
        member = again[row["form"]]
        assert (row["best"]["worst"], row["best"]["worst_condition"]) == (member.worst, member.condition.name)
    planted = found._replace(recurring=[row._replace(runs=[run, run]) for row in found.recurring])
    shown = io.StringIO()
    motif_table.show(planted, Console(file=shown, width=120))
    first = planted.recurring[0].member
    assert f"in their worst conditions {best.worst:.3f} to {best.worst:.3f}" in shown.getvalue()
    assert f" {first.held_out:.3f}  {first.worst:.3f}  " in shown.getvalue()
    captions = [text.get_text() for text in motif_picture.picture(planted).texts]
    assert captions[0].endswith(f"best score {first.held_out:.3f} ({first.worst:.3f} in its worst condition)")
    sheet = [text.get_text() for text in zoo_picture.sheet(zoo, ["gate-3", "gain-2"]).texts]
    assert f"gate-3   {zoo.card('gate-3').held_out.score:.3f}   worst {zoo.card('gate-3').worst.score:.3f}" in sheet
    assert f"gain-2   {zoo.card('gain-2').held_out.score:.3f}" in sheet


def test_a_mean_that_hides_a_failing_condition_is_marked(run):
    best = run.front[0]
    for held_out, worst, score, mark in (
        (0.95, 0.9, 0.95, ""),
        (0.95, 0.5, 0.95, "?"),
        (0.7, 0.3, 0.95, "?!"),
        (0.7, 0.7, 0.95, "!"),
    ):
        one = best.__class__(**{**vars(best), "held_out": held_out, "worst": worst, "score": score})
        assert one.mark == mark
        assert table.row(one)["held out"] == f"{held_out:.3f}{mark}"
    assert not best.__class__(**{**vars(best), "held_out": 0.9, "worst": float("nan")}).uneven


def test_with_too_few_trials_there_is_none(tmp_path):
    run = evo.run(spec_file(tmp_path, generations=2), tmp_path / "run", workers=0)
    best = run.front[0]
    assert np.isnan(best.worst)
    assert best.condition is None
    assert run.conditions == []
    told = table.as_json(run)["front"][0]
    assert told["worst"] is told["worst_condition"] is told["worst_trials"] is None


def test_a_search_by_the_worst_condition_keeps_circuits_that_are_even(tmp_path):
    run = evo.run(spec_file(tmp_path, objectives='["score", "worst"]'), tmp_path / "run", workers=0)
    assert set(run.front[0].objectives) == {"score", "worst"}


def test_worst_of_a_task_without_conditions_is_refused_in_one_line(tmp_path):
    file = spec_file(tmp_path, objectives='["score", "worst"]')
    file.write_text(file.read_text().replace('name = "gate"\nvolleys = 1', 'name = "gain"'))
    assert "leave worst out of search.objectives" in one_line_of(lambda: evo.run(file, tmp_path / "run", workers=0))


@pytest.mark.parametrize("name", zoo)
def test_the_card_of_a_motif_names_its_worst_condition(name):
    known = zoo.card(name)
    if known.worst is not None:
        assert known.worst.score <= known.held_out.score
        assert 24 <= known.worst.trials <= known.held_out.trials / 2
        assert known.worst.conditions > 1
        assert known.worst.condition in known._repr_html_()
