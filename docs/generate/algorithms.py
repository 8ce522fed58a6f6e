"""A page for each search algorithm: its docstring, and a search by it; and a page of the objectives."""

import inspect
from tempfile import TemporaryDirectory

import evo
from evo.algorithms import ALGORITHMS, DEFAULT
from evo.inspect import figures
from fitness.evaluation.objectives import OBJECTIVES
from generate.markdown import contents, page, picture, prose, table

SEARCH = {"seed": 1, "generations": 30, "islands": 2, "population": 100, "epoch": 2}  # of the task direction


def write():
    rows = (
        (f"[`{name}`]({name}.md){', the default' if name == DEFAULT else ''}", algorithm.text)
        for name, algorithm in ALGORITHMS.items()
    )
    page(
        "algorithms/index.md",
        "# Search algorithms",
        "`[search] algorithm` in a run spec names one. All of them work on the same genomes, in islands, with the same "
        "[archive](../../concepts/archive.md).",
        table(("algorithm", ""), rows),
        contents([*ALGORITHMS, "objectives"]),
    )
    for name, algorithm in ALGORITHMS.items():
        picture(f"algorithms/{name}.svg", lambda file, name=name: search(name, file))
        page(
            f"algorithms/{name}.md",
            f"# `{name}`",
            f"{algorithm.text[0].upper()}{algorithm.text[1:]}.",
            prose(inspect.getmodule(algorithm).__doc__),
            f"![A search by {name}]({name}.svg)",
            "*The held-out score of the best circuit on each of two islands of 100 circuits, over the circuits evaluated, "
            "for the task [direction](../tasks/direction.md) and one seed. [Benchmarks](../../benchmarks.md#search-quality) "
            "compares algorithms over many seeds.*",
        )
    rows = (
        (f"`{name}`", objective.unit, "largest" if objective.sign < 0 else "smallest", objective.text)
        for name, objective in OBJECTIVES.items()
    )
    page(
        "algorithms/objectives.md",
        "# Objectives",
        "`[search] objectives` in a run spec names one or more; `score` is always among them.",
        table(("objective", "unit", "best", "meaning"), rows),
    )


def search(algorithm: str, file):
    with TemporaryDirectory() as folder:
        run = evo.run("direction", out=f"{folder}/run", workers=0, **SEARCH, algorithm=algorithm, target=1.0)
        figures.save(file, figures.convergence, run, what="held_out", size_mm=(110, 60), font_size=8)
