"""Terminals and pipes that cannot show every letter, or that nobody reads any more; files that begin with a mark."""

import io
import json
import os
import sys

import pytest

import circuits
from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.files import decoded
from circuits.motif_file import Motif, dumps, load
from evo.cli import main
from evo.spec.run_spec import read_alone
from tests.evo.tiny import SPEC, one_line_of

NAMES = "Zelle-\N{LATIN SMALL LETTER U WITH DIAERESIS}", "\N{GREEK CAPITAL LETTER OMEGA}\N{RIGHTWARDS ARROW}"


@pytest.fixture(scope="module")
def text():
    """A motif file with names that few encodings have."""
    motif = json.loads(dumps(Motif.of(circuits.zoo["gate-3"].circuit)))
    old = json.dumps(motif["neurons"][0]["id"])
    plain = json.dumps(motif).replace(old, json.dumps(NAMES[0])).replace('"control"', json.dumps(NAMES[1]))
    return json.dumps(json.loads(plain), ensure_ascii=False)


def said(monkeypatch, encoding, *arguments):
    """What a command writes to a terminal of this encoding, and how it ends."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "argv", ["evo", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    for stream in (out, err):
        stream.flush()
    return out.buffer.getvalue(), err.buffer.getvalue(), code


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_every_command_can_write_to_a_terminal_of_any_encoding(encoding, text, tmp_path, monkeypatch):
    path = tmp_path / f"{NAMES[0]}.json"
    path.write_text(text, encoding="utf-8")
    out, err, code = said(monkeypatch, encoding, "inspect", path)
    assert (code, err) == (0, b"")
    assert b"Zelle-" in out
    out, err, code = said(monkeypatch, encoding, "inspect", tmp_path / NAMES[1])
    assert (code, out) == (2, b"")
    assert err.startswith(b"evo: ")
    assert len(err.splitlines()) == 1
    for arguments in (["zoo"], ["zoo", "itd-8"], ["tasks", "gate"], ["models", "izhikevich"], ["objectives"], ["new", "itd"]):
        assert said(monkeypatch, encoding, *arguments)[1:] == (b"", 0)


def test_a_file_whose_name_is_no_text_is_named_all_the_same(tmp_path, monkeypatch):
    out, err, code = said(monkeypatch, "utf-8", "inspect", os.fsdecode(b"\xff\xfe.json"))
    assert (code, out) == (2, b"")
    assert b"there is no such file" in err


class Gone(io.RawIOBase):
    """A pipe whose reader has gone."""

    def writable(self):
        return True

    def write(self, _):
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("gone", [("stdout",), ("stdout", "stderr")])
@pytest.mark.parametrize("arguments", [["zoo"], ["tasks"], ["zoo", "--json"], ["new", "itd"], ["nonsense"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error_with_a_traceback(gone, arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["evo", *arguments])
    for name in gone:
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(Gone(), 1), encoding="utf-8"))
    with pytest.raises(SystemExit):
        main()
    for name in gone:
        getattr(sys, name).detach()


@pytest.mark.parametrize("arguments", [["zoo"], ["tasks"], ["inspect", "zoo:gate-3"]])
def test_a_command_without_any_stdout_works(arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["evo", *arguments])
    monkeypatch.setattr(sys, "stdout", None)
    main()


def test_specs_motifs_and_descriptions_may_begin_with_a_byte_order_mark(text, tmp_path):
    spec, motif = tmp_path / "spec.toml", tmp_path / "motif.json"
    spec.write_text(SPEC.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    motif.write_text(text, encoding="utf-8-sig")
    assert read_alone(spec).task["name"] == "gate"
    assert isinstance(load(motif).circuit, Circuit)
    assert circuits.motif_file.loads("\ufeff" + text) == load(motif)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_other_encodings_are_refused_in_one_line_that_says_what_to_do(encoding, tmp_path):
    for name, read in (("spec.toml", read_alone), ("motif.json", load)):
        (tmp_path / name).write_text('{"title": "für Elise"}\n', encoding=encoding)
        message = one_line_of(lambda name=name, read=read: read(tmp_path / name))
        assert name in message
        assert "save it as UTF-8" in message
    with pytest.raises(UserError, match="line 2"):
        decoded("gut\nüber".encode("latin-1"), "here")
