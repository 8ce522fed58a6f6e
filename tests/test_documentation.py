"""What the README and the pages of docs/ say runs: every example, every command; and every link leads somewhere.

Blocks of Python run page by page, one after the other, in a folder in which there is a run, runs/mine, and its best motif,
best.json (`tests.examples`). Searches in them are cut short. A block that is not run follows <!-- not run: WHY -->.
"""

import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

import evo
from evo.cli import cli
from evo.spec.run_spec import read, read_alone
from tests.examples import ROOT, example, in_example  # noqa: F401 - fixtures

ANALYSED = 1
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts)]
BLOCK = re.compile(r"^(<!-- not run: (?P<why>.+?) -->\n)?```(?P<kind>\S+)( \w+)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is to be saved as, by its first line."""
        found = re.match(r"# file: (\S+)\n", self.text)
        return found[1] if found else None


def blocks(page: Path, *kinds: str) -> list[Block]:
    found = (Block(m["kind"], m["text"]) for m in BLOCK.finditer(page.read_text(encoding="utf-8")) if m["why"] is None)
    return [block for block in found if block.kind in kinds]


def with_examples(*kinds: str) -> list:
    """The pages with blocks of these kinds; notebooks are executed by `make docs` too, so that `make test` leaves them out."""
    return [
        pytest.param(
            page,
            id=str(page.relative_to(ROOT)),
            marks=[pytest.mark.slow] * ("{code-cell}" in kinds and page.parent.name == "notebooks"),
        )
        for page in PAGES
        if blocks(page, *kinds)
    ]


@pytest.mark.long
@pytest.mark.usefixtures("in_example")
@pytest.mark.parametrize("page", with_examples("python", "{code-cell}"))
def test_the_examples_of_a_page_run_one_after_the_other(page):
    examples = blocks(page, "python", "{code-cell}", "toml")
    if any("torch" in block.text for block in examples):
        pytest.importorskip("torch")
    if 'out="runs/mine"' in page.read_text(encoding="utf-8"):
        shutil.rmtree("runs/mine")
    names: dict = {}
    for block in examples:
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.kind != "toml":
            exec(compile(block.text, page.name, "exec"), names)


def test_the_task_of_the_readme_is_solved(tmp_path):
    (task,) = (block for block in blocks(ROOT / "README.md", "python") if block.file == "agree.py")
    (tmp_path / "agree.py").write_text(task.text)
    spec = 'task.name = "agree.py:Agree"\n[search]\npopulation = 50\ngenerations = 20\nislands = 2\ntarget = 0.95\n'
    (tmp_path / "agree.toml").write_text(spec)
    assert evo.run(tmp_path / "agree.toml", out=tmp_path / "out", workers=0).front[0].held_out > 0.9


@pytest.mark.parametrize("page", with_examples("toml"))
def test_the_specs_of_a_page_are_valid(page, tmp_path):
    for block in blocks(page, "python"):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
    for block in blocks(page, "toml"):
        (tmp_path / "spec.toml").write_text(block.text)
        (read_alone if "\nfile = " in block.text else read)(tmp_path / "spec.toml")  # the data are the reader's own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_commands_and_options_that_exist(page):
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    code += re.findall(r"^ {4}(.*)$", text, re.MULTILINE) + [
        line for b in blocks(page, "console") for line in b.text.splitlines()
    ]
    for line in code:
        for name, rest in re.findall(r"\bevo ([a-z]+)\b([^#;&|`]*)", line):
            assert name in cli.commands, line
            parts = [cli.commands[name], *getattr(cli.commands[name], "commands", {}).values()]
            known = {option for part in parts for parameter in part.params for option in parameter.opts} | {"--help"}
            assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest)) <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_of_a_page_lead_to_files(page):
    made = ROOT / "docs" / "reference"  # by the build, which checks them
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            path = (page.parent / target).resolve()
            assert path.exists() or made in path.parents, target


def test_the_readme_has_at_most_two_hundred_lines():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_the_shipped_schema_is_that_of_the_motif_file():
    from circuits.motif_file import schema

    assert json.loads((ROOT / "circuits" / "motif.schema.json").read_text()) == schema()
