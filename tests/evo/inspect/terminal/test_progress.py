"""The live table and the plain lines show the same run."""

import io
import re

import pytest
from rich.console import Console

from evo.engine.epochs import Result
from evo.inspect.terminal.progress import Progress
from evo.spec.run_spec import RunSpec


def watched(terminal, islands=4):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80)
    spec = RunSpec(task={"name": "itd"}, search={"islands": islands})
    with Progress(spec, "my-run", [], console) as progress:
        for island in range(spec.search.islands):
            log = [
                {
                    "generation": 10,
                    "evaluations": 2000,
                    "repeats": 500,
                    "best": 0.75,
                    "median": 0.5,
                    "losses": [0.0],
                    "archive": 7,
                    "held_out": 0.7,
                }
            ]
            progress(Result(island, 0, b"", b"", log, 1.0))
    return out.getvalue()


def test_on_a_terminal_it_is_a_table_no_wider_than_80_columns():
    shown = watched(terminal=True)
    assert "island" in shown
    assert "0.750" in shown
    assert "80%" in shown
    assert "0:00 ago" in shown
    assert "generation 10/200" in shown
    lines = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").splitlines()
    assert max(map(len, lines)) <= 80


def test_of_many_islands_it_says_how_many_more_there_are():
    assert "84 more" in watched(terminal=True, islands=100)


def test_the_time_at_the_end_is_that_of_the_store_with_the_sessions_before():
    out = io.StringIO()
    spec = RunSpec(task={"name": "itd"}, search={"islands": 1, "generations": 20})
    row = {"repeats": 0, "best": 0.75, "median": 0.5, "losses": [0.0], "archive": 7, "validation": 0.8, "held_out": 0.7}
    log = [row | {"generation": 10, "evaluations": 2000}]
    before = [{"island": 0, "epoch": 0, "log": log, "elapsed": 60.0}]
    with Progress(spec, "my-run", before, Console(file=out, width=100)) as progress:
        progress(Result(0, 1, b"", b"", [log[0] | {"generation": 20}], {}, elapsed=99.6))
    assert "4,000 evaluations  40/s  1:40  best 0.750" in out.getvalue()


def test_held_out_is_that_of_the_circuit_best_on_validation():
    out = io.StringIO()
    spec = RunSpec(task={"name": "itd"}, search={"islands": 2})
    with Progress(spec, "my-run", [], Console(file=out, width=100)) as progress:
        for island, validation, held_out in ((0, 0.8, 0.6), (1, 0.7, 0.9)):
            log = [
                {"generation": 10, "evaluations": 9, "repeats": 0, "best": 0.75, "median": 0.5, "losses": [0.0], "archive": 7}
            ]
            progress(Result(island, 0, b"", b"", [log[0] | {"validation": validation, "held_out": held_out}], {}))
    assert "held out 0.600" in out.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_the_worst_condition_stands_beside_the_held_out_score(terminal):
    row = {"generation": 10, "evaluations": 9, "repeats": 0, "best": 0.75, "median": 0.5, "losses": [0.0], "archive": 7}
    out = io.StringIO()
    spec = RunSpec(task={"name": "itd"}, search={"islands": 3})
    with Progress(spec, "my-run", [], Console(file=out, width=80, force_terminal=terminal)) as progress:
        progress(Result(0, 0, b"", b"", [row | {"validation": 0.8, "held_out": 0.612, "worst": 0.345}], {}))
    shown = " ".join(re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", out.getvalue()).split())
    if terminal:
        assert "best median held out worst front" in shown
        assert "0.612 0.345" in shown
    else:
        assert "held out 0.612 in its worst condition 0.345" in shown


def test_piped_it_is_plain_lines_without_escape_codes():
    shown = watched(terminal=False)
    assert "\x1b" not in shown
    assert "generation 10/200" in shown
    assert "8,000 evaluations" in shown
    assert "held out 0.700" in shown
