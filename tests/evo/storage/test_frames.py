"""Tables of a run as data frames, and what runs and circuits show of themselves in notebooks."""

import sys

import pytest

import circuits
import evo
from circuits.simulation.simulate import simulate
from tests.evo.tiny import machine_line_of, one_line_of, spec_file


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("frames")
    return evo.run(spec_file(place), place / "run", workers=0)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_every_table_says_what_the_store_does(run, library):
    pytest.importorskip(library)
    front = run.frame(library=library)
    assert list(front["held_out"]) == [m.held_out for m in run.front]
    assert list(front["score"]) == [m.score for m in run.front]
    assert list(front["objective_energy"]) == [m.objectives["energy"] for m in run.front]
    generations = run.frame("generations", library)
    assert len(generations) == 3 * 7
    assert sum(generations["evaluations"]) == run.evaluations
    last = [
        max(so_far for i, so_far in zip(generations["island"], generations["evaluations_so_far"], strict=True) if i == k)
        for k in range(3)
    ]
    assert sum(last) == run.evaluations
    epochs = run.frame("epochs", library)
    assert list(epochs["elapsed"]) == [e["elapsed"] for e in run.epochs]
    assert list(epochs["seconds_simulate"]) == [e["timings"]["simulate"] for e in run.epochs]
    lineage = run.frame("lineage", library)
    for rank in range(len(run.front)):
        scores = [s for r, s in zip(lineage["rank"], lineage["score"], strict=True) if r == rank]
        assert scores == [step.score for step in run.lineage(rank)]


def test_another_table_or_library_is_one_line(run, monkeypatch):
    assert "front, generations, epochs, lineage" in one_line_of(lambda: run.frame("circuits"))
    assert "pandas or polars" in one_line_of(lambda: run.frame(library="numpy"))
    monkeypatch.setitem(sys.modules, "polars", None)
    assert "pip install polars" in machine_line_of(lambda: run.frame(library="polars"))


def test_runs_circuits_motifs_and_rasters_show_themselves(run):
    motif = run.motif(0)
    raster = simulate(motif.circuit, run.examples.spikes)
    for thing, told in ((run, "finished"), (motif.circuit, "synapses"), (motif, "task gate"), (raster, "mean rates")):
        html = thing._repr_html_()
        assert "<svg" in html
        assert told in html
    assert f"{run.front[0].held_out:.3f}" in run._repr_html_()
    assert raster._repr_html_() == raster._repr_html_()


def test_rasters_of_many_circuits_and_of_outputs_show_themselves(run):
    raster = simulate(run.front[0].circuit, run.examples.spikes)
    assert "<svg" in raster.outputs._repr_html_()
    many = circuits.Raster(raster.bits[None], raster.trials, raster.dt_ms)
    assert "Raster of 1 circuits" in many._repr_html_()


def test_markup_in_names_is_text(run):
    hostile = "<img src=x onerror=alert(1)>"
    circuit = run.front[0].circuit
    neurons = (circuit.neurons[0].model_copy(update={"id": hostile}),)
    shown = circuits.Circuit(
        dt_ms=circuit.dt_ms, neurons=neurons, outputs=(circuits.OutputPort(name=hostile, neurons=(hostile,)),)
    )
    motif = circuits.Motif.of(shown, run=hostile, task={"name": hostile})
    raster = simulate(shown, [[]], duration_ms=20.0)
    for thing in (shown, motif, raster):
        assert "<img" not in thing._repr_html_()
