"""The examples of docs/how-to/import.md run."""

import re
from pathlib import Path

import circuits

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "import.md").read_text(encoding="utf-8")


def test_the_python_examples_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for example in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(example, "import.md", "exec"), names)
    assert names["found"].motif.dt_ms == 0.5
    assert circuits.load("net.json") == names["found"].motif
    assert names["run"].founders[0]["name"] == "mine"
    assert "exact (OutputPort" in capsys.readouterr().out


def test_the_commands_exist():
    from evo.cli import cli

    assert set(re.findall(r"^    evo ([a-z]+)", PAGE, re.MULTILINE)) <= set(cli.commands)
