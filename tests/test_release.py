"""What a release says of itself is the same in every place, and true."""

import re
import tomllib
from pathlib import Path

import evo
from circuits.export.manifest import __version__ as exported
from evo.storage.front import versions
from tests.evo.tiny import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_comes_from_one_place(tmp_path):
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "circuits.version.__version__"}
    assert evo.__version__ == exported == versions()["evocircuits"]
    assert cli(tmp_path, "--version").stdout == f"evo, version {evo.__version__}\n"
    assert f"\nversion: {evo.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_everything_inside_has_a_licence_that_is_shipped():
    assert PROJECT["project"]["license"] == "MIT AND ISC"
    assert all((ROOT / file).exists() for file in PROJECT["project"]["license-files"])
    notice = (ROOT / "NOTICE").read_text()
    assert re.findall(r"SPDX-License-Identifier: (\S+)", notice) == PROJECT["project"]["license"].split(" AND ")
    d3 = (ROOT / "evo" / "inspect" / "web" / "d3.min.js").read_text()
    assert re.match(r"// https://d3js\.org v(\S+) Copyright", d3)[1] in notice


def test_the_pythons_that_are_named_are_those_that_make_pythons_tries():
    named = {c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"] if re.search(r"Python :: 3\.\d+$", c)}
    tried = re.search(r"\$\{PYTHONS:-(.+?)\}", (ROOT / "tests" / "reach" / "pythons.sh").read_text(), re.MULTILINE)[1].split()
    assert named <= set(tried)
    assert PROJECT["project"]["requires-python"] == f">={min(named, key=lambda v: int(v[2:]))}"


def test_d3_holds_all_that_our_pages_use():
    web, packed = ROOT / "evo" / "inspect" / "web", "d3.min.js"
    scripts = [*(file for file in web.glob("*.js") if file.name != packed), *(ROOT / "evo" / "web" / "static").glob("*.js")]
    used = {name for script in scripts for name in re.findall(r"\bd3\.(\w+)", script.read_text(encoding="utf-8"))}
    assert "scaleLinear" in used
    assert used == set(re.findall(r"[{,](\w+):\(\)=>", (web / packed).read_text(encoding="utf-8"))) & used
