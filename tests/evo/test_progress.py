"""The live table and the plain lines show the same run."""

import io
import re

from rich.console import Console

from evo.epochs import Result
from evo.progress import Progress
from evo.spec import RunSpec


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


def test_piped_it_is_plain_lines_without_escape_codes():
    shown = watched(terminal=False)
    assert "\x1b" not in shown
    assert "generation 10/200" in shown
    assert "8,000 evaluations" in shown
    assert "held out 0.700" in shown
