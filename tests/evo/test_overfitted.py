"""A circuit that does worse on trials the search never saw is marked wherever it is shown."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import evo
from evo.engine.codec import from_bytes, to_bytes
from evo.engine.island import State
from evo.inspect import page
from evo.inspect.terminal import table
from tests.evo.tiny import spec_file


@pytest.fixture
def overfitted(tmp_path):
    """A run whose archived circuits are said to have scored 0.95 in the search, and 0.9 and 0.7 held out in turns."""
    folder = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0).folder
    with closing(sqlite3.connect(folder / "run.db")) as db:
        for island, blob in db.execute("SELECT island, state FROM state").fetchall():
            state = from_bytes(State, blob)
            archive = state.archive.copy()
            archive["score"], archive["held_out"] = 0.95, np.where(np.arange(len(archive)) % 2, 0.7, 0.91)
            db.execute("UPDATE state SET state = ? WHERE island = ?", (to_bytes(state._replace(archive=archive)), island))
        db.commit()
    return evo.open_run(folder)


def test_overfitted_circuits_are_marked_in_the_table_the_page_and_the_json(overfitted, tmp_path, capsys):
    marked = [m.rank for m in overfitted.front if m.held_out < 0.8]
    assert marked
    assert [m.rank for m in overfitted.front if m.overfitted] == marked
    found = json.loads(json.dumps(table.as_json(overfitted)))["front"]
    assert [member["rank"] for member in found if member["overfitted"]] == marked
    assert all(table.row(m)["held out"].endswith("!") == m.overfitted for m in overfitted.front)
    html = page.write(overfitted, tmp_path / "page.html").read_text()
    assert html.count('"overfitted":true') == len(marked)


def test_a_low_score_is_not_called_overfitted(tmp_path):
    run = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0)
    assert not any(m.overfitted for m in run.front if m.score <= 0.9)
