"""Every example in the README runs."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.long
def test_the_python_examples_run_one_after_the_other(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    shutil.copy(ROOT / "runs" / "gate.toml", tmp_path / "runs")
    names: dict = {}
    examples = [text for language, text in BLOCKS if language == "python"]
    assert len(examples) == 8
    for text in examples:
        exec(compile(text, "README.md", "exec"), names)
    assert names["best"].held_out > 0.5
    assert names["raster"].counts().sum() > 0
    assert (tmp_path / "ffi.json").exists()
    assert (tmp_path / "ffi.png").exists()
    assert (tmp_path / "front.pdf").exists()


@pytest.mark.long
def test_the_task_example_runs_in_a_search(tmp_path):
    from evo import run

    (example,) = [text for _, text in BLOCKS if text.startswith("# file: agree.py")]
    (tmp_path / "agree.py").write_text(example)
    (tmp_path / "agree.toml").write_text(
        'task.name = "agree.py:Agree"\n[search]\npopulation = 50\ngenerations = 20\nislands = 2\n'
    )
    assert run(tmp_path / "agree.toml", out=tmp_path / "out", workers=0).front[0].held_out > 0.9


def test_the_spec_examples_are_valid(tmp_path):
    from evo.spec.run_spec import read

    examples = [text for language, text in BLOCKS if language == "toml"]
    assert len(examples) == 2
    for example in examples:
        task = "" if "[task]" in example else '[task]\nname = "gate"\n'
        (tmp_path / "spec.toml").write_text(task + example)
        read(tmp_path / "spec.toml")


def test_the_readme_names_only_commands_that_exist():
    from evo.cli import cli

    code = " ".join(re.findall(r"`[^`]*`|^    .*$", (ROOT / "README.md").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bevo ([a-z]+)\b", code))
    assert {"run", "resume", "inspect"} <= named <= set(cli.commands)


def test_the_shipped_schema_is_that_of_the_motif_file():
    import json

    from circuits.motif_file import schema

    assert json.loads((ROOT / "circuits" / "motif.schema.json").read_text()) == schema()
