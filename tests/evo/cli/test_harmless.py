"""What comes from strangers' files reaches a terminal as visible characters alone."""

import io
import json
import logging
import shutil
import sqlite3
import sys
from contextlib import closing, redirect_stdout

import pytest
from rich.table import Table

import circuits
import evo
from circuits.drawing.diagram import wiring
from circuits.drawing.notebook import of_circuit
from circuits.errors import MachineError, UserError, harmless
from evo.cli.terminal import console, harmless_output
from evo.inspect import page
from tests.evo.altering import command
from tests.evo.tiny import spec_file

HARM = "\x1b]0;owned\x07\x1b[31m\x9b5m\u202ereversed\u2066\x7f\rover\u2028"
MARKUP = "[red]x[/red] [link=http://example.org]y[/link] <script>alert(1)</script> $\\frac{"


def is_harmless(text):
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run in a folder with a name as strangers may choose it."""
    place = tmp_path_factory.mktemp("place")
    spec = spec_file(place, generations=1, population=8, trials=8, held_out=8, islands=1, archive=4)
    return evo.run(spec, place / "run\x1b[31m[red]", workers=0).folder


@pytest.fixture(scope="module")
def motif(tmp_path_factory):
    """A motif whose names hold all that a terminal or a page could act on."""
    name = HARM + "\n" + MARKUP
    text = json.dumps(
        {
            "format": "motif",
            "version": 1,
            "dt_ms": 1.0,
            "neuron_model": "lif_psc_exp",
            "neurons": [{"id": name, "sign": "E", "type": name}],
            "inputs": [{"name": name, "synapses": [{"post": name, "weight_mv": 20.0, "delay_ms": 1.0}]}],
            "synapses": [],
            "outputs": [{"name": name, "neurons": [name]}],
            "provenance": {"run": name, "task": {"name": name, name: name}},
        }
    )
    path = tmp_path_factory.mktemp("motif") / "motif.json"
    path.write_text(text)
    return path


def test_what_cannot_be_seen_is_shown_as_its_escape():
    assert harmless("plain text, é, 中, 😀") == "plain text, é, 中, 😀"
    assert harmless("a\x1b[31m\n\u202e\udc80") == "a\\x1b[31m\\n\\u202e\\udc80"
    assert harmless(harmless(HARM)) == harmless(HARM)
    assert harmless("a\nb\tc", "\n\t") == "a\nb\tc"


@pytest.mark.parametrize("kind", [UserError, MachineError])
def test_an_error_is_one_harmless_line(kind):
    assert str(kind(f"{HARM}\nsecond")).isprintable()


def test_streams_of_the_command_pass_no_codes_on(capsys):
    with harmless_output():
        print(HARM, file=sys.stderr)
        logging.getLogger("evo").warning(HARM)
        print(f"{HARM}\nsecond line")
    out, err = capsys.readouterr()
    assert is_harmless(out + err)
    assert out.endswith("\nsecond line\n")


def test_a_terminal_gets_the_consoles_own_codes_and_no_others(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    with redirect_stdout(screen), harmless_output():
        shown = console()
        table = Table("name", header_style="bold")
        table.add_row(HARM)
        table.add_row(MARKUP)
        shown.print(table)
        shown.print(HARM)
    text = screen.getvalue()
    assert "\x1b[1m" in text
    assert "\\x1b]0;owned" in text
    assert "[red]x" in text
    assert "\x1b]" not in text
    assert not {"\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\r"} & set(text)


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--html", "PAGE")])
def test_inspecting_a_motif_with_harmful_names_is_harmless(motif, tmp_path, arguments):
    html = tmp_path / "page.html"
    code, out, err, _ = command("inspect", motif, *(html if a == "PAGE" else a for a in arguments))
    assert code == 0
    assert is_harmless(out + err)
    assert "[red]x" in out
    if html.exists():
        text = html.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert set(text) & {"\x1b", "\x9b", "\u202e"} == set()


def test_every_command_is_harmless_about_a_run_with_a_harmful_name_and_log(folder, tmp_path):
    stranger = shutil.copytree(folder, tmp_path / folder.name)
    with closing(sqlite3.connect(stranger / "run.db")) as db:
        (log,) = db.execute("SELECT log FROM epoch").fetchone()
        rows = json.loads(log)
        rows[0] |= {"fault": HARM + "\n" + MARKUP, "failed": 3}
        db.execute("UPDATE epoch SET log = ?", (json.dumps(rows),))
        db.commit()
    for arguments in (("status",), ("inspect",), ("compare",), ("motifs",), ("status", "--json"), ("inspect", "--html")):
        code, out, err, _ = command(arguments[0], stranger, *arguments[1:])
        assert code == 0, err
        assert is_harmless(out + err)
        assert "\x1b" not in out
    assert "got the worst score because of: \\x1b]0;owned" in command("status", stranger)[1]
    code, out, err, _ = command("inspect", stranger / "no\nsuch\x1b[31m.json")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert is_harmless(err)


def test_a_task_name_with_harm_in_it_is_one_harmless_line(tmp_path):
    spec = spec_file(tmp_path, name=json.dumps(HARM + MARKUP))
    code, out, err, _ = command("run", spec)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert is_harmless(err)


def test_names_are_no_markup_in_pictures_and_notebooks(motif):
    found = circuits.load(motif)
    out = io.StringIO()
    wiring(found.circuit).figure.savefig(out, format="svg")
    for text in (out.getvalue(), of_circuit(found.circuit)):
        assert "<script" not in text
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)


def test_a_title_ends_no_element_of_the_page():
    text = page.page({"kind": "motif", "title": "</title><script>alert(1)</script>", "x": "</script><script>"})
    assert text.count("<script>alert") == 0
    assert text.count("</title>") == 1
