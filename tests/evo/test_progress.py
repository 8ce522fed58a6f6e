"""The live table and the plain lines show the same run."""

import io

from rich.console import Console

from evo.epochs import Result
from evo.progress import Progress
from evo.spec import RunSpec


def watched(terminal):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80)
    spec = RunSpec(task={"name": "itd"}).model_copy()
    with Progress(spec, "my-run", [], console) as progress:
        for island in range(spec.search.islands):
            log = [
                {
                    "generation": 10,
                    "evaluations": 2000,
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
    assert "generation 10/200" in shown


def test_piped_it_is_plain_lines_without_escape_codes():
    shown = watched(terminal=False)
    assert "\x1b" not in shown
    assert "generation 10/200" in shown
    assert "8,000 evaluations" in shown
    assert "held out 0.700" in shown
