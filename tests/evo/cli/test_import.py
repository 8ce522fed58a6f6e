"""evo import, and the commands that take a motif, on circuits of other tools."""

import json

import pytest

import circuits
from evo.studies.prune import prune
from tests.evo.tiny import cli, one_line_of

EDGES = "source,target,sign,weight,delay_ms\ns,a,input,40,1\na,b,E,12,2\nb,a,I,8,1.5\n"


@pytest.fixture
def edges(tmp_path):
    (tmp_path / "net.csv").write_text(EDGES)
    return tmp_path


def test_the_table_says_what_became_of_each_feature(edges):
    done = cli(edges, "import", "net.csv", "--outputs", "a", "--to", "net.json")
    assert done.returncode == 0
    assert done.stdout == "net.json\n"
    lines = done.stderr.splitlines()
    assert lines[0] == "csv:"
    assert any(line.split()[:2] == ["weights", "exact"] for line in lines)
    assert any("time step" in line and "approximate" in line for line in lines)
    assert circuits.load(edges / "net.json").outputs[0].neurons == ("a",)


def test_without_a_file_to_write_the_table_is_all(edges):
    done = cli(edges, "import", "net.csv")
    assert done.returncode == 0
    assert done.stdout.startswith("csv:\n")
    assert sorted(path.name for path in edges.iterdir()) == ["net.csv"]


def test_what_is_there_is_not_overwritten(edges):
    done = cli(edges, "import", "net.csv", "--to", "net.csv")
    assert (done.returncode, done.stderr) == (2, "evo: net.csv: exists already\n")


def test_the_other_commands_read_it_as_it_is(edges, caplog):
    done = cli(edges, "inspect", "net.csv", "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["motif"]["neurons"]) == 2
    (line,) = caplog.messages  # on standard error where nobody handles messages otherwise
    assert line.startswith("net.csv: not taken exactly: ")
    assert "\n" not in line

    pytest.importorskip("networkx")
    done = cli(edges, "export", "net.csv", "--to", "graphml")
    assert done.returncode == 0
    assert circuits.load(edges / "net.graphml").circuit == circuits.load(edges / "net.csv").circuit
    done = cli(edges, "inspect", "net.graphml")
    assert (done.returncode, done.stderr, len(caplog.messages)) == (0, "", 3)  # taken exactly: nothing to say


def test_a_sonata_folder_is_a_motif_where_a_run_folder_could_stand(edges):
    pytest.importorskip("h5py")
    from unittest.mock import patch

    from circuits.export import export

    with patch("circuits.export.sonata.run_here", lambda *_: "not checked"):
        export(circuits.load(edges / "net.csv"), "sonata", edges / "net")
    done = cli(edges, "inspect", "net", "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["motif"]["neurons"]) == 2
    assert "names no task" in one_line_of(lambda: prune(edges / "net"))


def test_an_empty_folder_is_neither(edges):
    (edges / "nothing").mkdir()
    done = cli(edges, "inspect", "nothing")
    assert (done.returncode, done.stderr) == (2, "evo: nothing: holds no run (there is no run.toml)\n")
