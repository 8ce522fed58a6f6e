"""Figures for papers."""

import re

import numpy as np
import pytest

import evo
from circuits.simulation.simulate import simulate
from evo.inspect import figures
from evo.inspect.page.changes import changes, matched
from tests.evo.tiny import one_line_of, spec_file

ANALYSED = 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("figures")
    return evo.run(spec_file(place, generations=10), place / "run", workers=0)


@pytest.fixture(scope="module")
def analysis(run):
    return run.analysis(run.front[0])


@pytest.mark.long
def test_every_figure_is_drawn_with_its_size_and_font(run, analysis, tmp_path):
    circuit, steps = run.front[0].circuit, run.lineage(0)
    recorded = simulate(circuit, run.examples.spikes[:1], record=[circuit.neurons[0].id])
    drawn = {
        "front": (figures.front, run),
        "parallel": (figures.parallel, run),
        "convergence": (figures.convergence, run),
        "hypervolume": (figures.hypervolume, run),
        "seconds": (figures.seconds, run),
        "wiring": (figures.wiring, circuit),
        "rasters": (figures.rasters, circuit, run.examples.spikes[:2]),
        "traces": (figures.traces, recorded, circuit.neurons[0].id),
        "rates": (figures.rates, circuit, analysis),
        "tuning": (figures.tuning, analysis),
        "lesions": (figures.lesions, analysis),
        "perturbation": (figures.perturbation, analysis, next(iter(analysis["perturbation"]))),
        "descent": (figures.descent, steps),
        "change": (figures.change, steps[-1]),
    }
    for name, (draw, *of) in drawn.items():
        path = figures.save(tmp_path / f"{name}.svg", draw, *of, size_mm=(80, 50), font="DejaVu Serif", font_size=6)
        text = path.read_text()
        width, height = (float(x) for x in re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', text).groups())
        assert (width, height) == pytest.approx((80 / 25.4 * 72, 50 / 25.4 * 72), abs=0.01), name
        assert "DejaVu Serif" in text, name
        assert "<text" in text, name  # text stays text
        assert {float(size) for size in re.findall(r"font: (?:[a-z]+ )?([\d.]+)px", text)} <= {6.0, 5.0, 4.2}, (
            name
        )  # all grow along


@pytest.mark.long
def test_vector_files_of_every_kind(run, tmp_path):
    for ending, first in (("pdf", b"%PDF"), ("svg", b"<?xml"), ("eps", b"%!PS")):
        assert figures.save(tmp_path / f"front.{ending}", figures.front, run).read_bytes().startswith(first)
    assert "cannot be drawn" in one_line_of(lambda: figures.save(tmp_path / "front.doc", figures.front, run))


def test_figures_show_the_numbers_of_the_run(run, analysis):
    ax = figures.front(run, x="synapses", y="score")
    points = ax.collections[0].get_offsets()
    assert np.array_equal(points, [(m.circuit.synapse_count, m.score) for m in run.front])
    energy = np.array([m.objectives["energy"] for m in run.front])
    lines = np.array([line.get_ydata() for line in figures.parallel(run).lines if len(line.get_ydata()) == 3])
    assert lines[:, 1] == pytest.approx((energy.max() - energy) / np.ptp(energy))
    bars = figures.lesions(analysis, "neuron").patches
    scores = [lesion["score"] for lesion in analysis["lesions"] if lesion["kind"] == "neuron"]
    assert [bar.get_width() for bar in bars][: len(scores)] == scores
    curve = figures.convergence(run, "median").lines[-1]
    ends = [[r["median"] for e in run.epochs if e["island"] == k for r in e["log"]][-1] for k in range(3)]
    assert curve.get_ydata()[-1] == pytest.approx(np.mean(ends), rel=1e-4)
    circuit = run.front[0].circuit
    raster = simulate(circuit, run.examples.spikes[:2], record="all", record_trials=[1])
    upper, lower = figures.traces(raster, circuit.neurons[-1].id, trial=1)
    assert np.array_equal(upper.lines[0].get_ydata(), raster.traces.v_mv[0, :, -1])
    assert np.array_equal(lower.lines[2].get_ydata(), raster.traces.i_i_mv[0, :, -1])
    steps = figures.descent(run.lineage(0)).lines[0].get_ydata()
    assert list(steps) == [step.score for step in run.lineage(0)]


def test_what_is_not_there_is_one_line(run, analysis):
    assert "there is no 'beauty'; there are" in one_line_of(lambda: figures.front(run, x="beauty"))
    assert "nothing is logged as 'luck'" in one_line_of(lambda: figures.convergence(run, "luck"))
    assert "there is no 'gravity'" in one_line_of(lambda: figures.perturbation(analysis, "gravity"))
    assert "a founder has no mother" in one_line_of(lambda: figures.change(run.lineage(0)[0]))
    silent = simulate(run.front[0].circuit, run.examples.spikes[:1])
    assert "simulate with record=['E0'], record_trials=[0]" in one_line_of(lambda: figures.traces(silent, "E0"))
    assert "not over sequences" in one_line_of(lambda: figures.states(analysis))
    assert "analysed when it ends" in one_line_of(lambda: figures.lesions(None))


# -- mother and child


def test_a_circuit_and_itself_do_not_differ(run):
    for member in run.front:
        circuit = member.circuit
        found = changes(circuit, circuit)
        assert found["texts"] == []
        assert matched(circuit, circuit) == {k: k for k in range(len(circuit.neurons))}


def test_neurons_are_matched_though_their_names_have_moved(run):
    circuit = max((m.circuit for m in run.front), key=lambda c: len(c.neurons))
    names = {n.id: f"other {k}" for k, n in enumerate(reversed(circuit.neurons))}
    moved = circuit.model_copy(
        update={
            "neurons": tuple(n.model_copy(update={"id": names[n.id]}) for n in reversed(circuit.neurons)),
            "inputs": tuple(
                c.model_copy(update={"synapses": tuple(s.model_copy(update={"post": names[s.post]}) for s in c.synapses)})
                for c in circuit.inputs
            ),
            "synapses": tuple(s.model_copy(update={"pre": names[s.pre], "post": names[s.post]}) for s in circuit.synapses),
            "outputs": tuple(o.model_copy(update={"neurons": tuple(names[n] for n in o.neurons)}) for o in circuit.outputs),
        }
    )
    assert changes(circuit, moved)["texts"] == []


def test_what_was_added_removed_and_changed_is_told(run):
    mother = next(m.circuit for m in run.front if m.circuit.synapses and m.circuit.inputs[0].synapses)
    first, *others = mother.inputs[0].synapses
    heavier = first.model_copy(update={"weight_mv": first.weight_mv + 5})
    child = mother.model_copy(
        update={
            "inputs": (mother.inputs[0].model_copy(update={"synapses": (heavier, *others)}), *mother.inputs[1:]),
            "synapses": mother.synapses[1:],
        }
    )
    found = changes(mother, child)
    assert len(found["texts"]) == 2
    assert any("weight" in text for text in found["texts"])
    assert any(text.endswith("is gone") for text in found["texts"])
    assert found["changed"]["mother"]["synapses"] == found["changed"]["child"]["synapses"] == [0]
    inputs = sum(len(c.synapses) for c in mother.inputs)
    assert found["gone"]["synapses"] == [inputs]
    assert found["new"] == {"nodes": [], "synapses": []}
