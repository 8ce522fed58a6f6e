"""Figures look the same whatever the user has set in matplotlib, and leave it as it is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import circuits
import evo
import fitness
from circuits.drawing.canvas import Figure, Panels, own_style, svg
from circuits.drawing.diagram import wiring
from circuits.drawing.notebook import of_circuit

ROOT = Path(__file__).parents[3]
ODD = {
    "text.usetex": True,
    "axes.facecolor": "black",
    "axes.prop_cycle": "cycler('color', ['#ff00ff'])",
    "figure.dpi": 7,
    "savefig.bbox": "tight",
    "savefig.dpi": 13,
    "font.size": 31,
    "svg.fonttype": "path",
    "path.sketch": (5, 5, 5),
    "axes.formatter.use_locale": True,
}


@pytest.fixture(scope="module")
def circuit():
    return circuits.zoo["gate-3"].circuit


@pytest.fixture(scope="module")
def raster(circuit):
    return circuits.simulate(circuit, np.random.default_rng(1).random((2, 60, len(circuit.inputs))) < 0.1)


def test_what_the_user_has_set_changes_no_figure_and_stays_set(circuit, raster):
    def drawn():
        return [of_circuit(circuit), raster._repr_html_(), svg(wiring(circuit).figure), svg(raster.plot(1)[0].figure)]

    usual = drawn()
    with matplotlib.rc_context(ODD):
        before = matplotlib.rcParams.copy()
        assert drawn() == usual
        assert matplotlib.rcParams.copy() == before


def test_a_figure_keeps_its_style_until_it_is_saved(tmp_path):
    def saved(name):
        figure.savefig(tmp_path / name)
        return (tmp_path / name).read_bytes()

    with own_style({"font.size": 5}):
        figure = Figure(figsize=(2, 2))
        figure.add_subplot().plot([1, 2])
    usual = saved("a.png")
    with matplotlib.rc_context(ODD):
        assert saved("b.png") == usual


def test_axes_of_the_users_own_are_drawn_into_by_the_users_settings(circuit):
    with matplotlib.rc_context({"font.size": 30}):
        theirs = wiring(circuit, matplotlib.figure.Figure().add_subplot())
        ours = wiring(circuit)
    assert max(text.get_fontsize() for text in theirs.texts) > 2 * max(text.get_fontsize() for text in ours.texts)


def test_in_a_notebook_what_plot_returns_shows_itself(raster):
    axes = raster.plot()
    assert isinstance(axes, Panels)
    assert axes._repr_html_().startswith("<svg")
    assert axes[0].figure._repr_svg_().startswith("<svg")


@pytest.mark.long
@pytest.mark.parametrize(
    "backend",
    ["bogus", *(pytest.param(b, marks=pytest.mark.slow) for b in ("module://matplotlib_inline.backend_inline", "qtagg", ""))],
)
def test_a_backend_that_is_not_there_does_not_matter(backend, tmp_path):
    (tmp_path / "matplotlibrc").write_text("backend: nonsense\nfont.size: many\nno such line\n", encoding="utf-8")
    code = "import os; from circuits.drawing.canvas import Figure, svg; print(svg(Figure())[:4], os.environ['MPLBACKEND'])"
    environment = os.environ | {"MPLBACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["<svg", *([backend] if backend else [])], "")


def test_one_module_alone_imports_matplotlib():
    files = [file for package in (circuits, fitness, evo) for file in Path(package.__file__).parent.rglob("*.py")]
    found = {file.name for file in files if re.search(r"^\s*(import|from) matplotlib", file.read_text(encoding="utf-8"), re.M)}
    assert found == {"canvas.py"}
