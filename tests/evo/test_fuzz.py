"""Whatever a stranger or a bad disk made of a run folder or a motif file: every command works or says why not in one line."""

import json
import random
import shutil
import sqlite3
import tracemalloc
from contextlib import closing, suppress
from pathlib import Path

import pytest
import zstandard

import circuits
import evo
from circuits.errors import UserError
from evo.engine.codec import from_bytes
from evo.storage.store import Store
from evo.storage.stored import Examples
from fitness.judges.simulated import Simulated
from tests.evo import altering
from tests.evo.tiny import one_line_of, spec_file, stops_after
from tests.products import some_of

pytestmark = pytest.mark.long

SMALL = {"population": 8, "trials": 8, "held_out": 8, "islands": 2, "archive": 8}
SECONDS = 2.0  # of the processor, for a command


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A finished run with analyses and an epoch cut short, a stopped one, and one forked from the first."""
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", 1)
        finished = evo.run(spec_file(place, generations=3, **SMALL), place / "finished", workers=0)
        patch.setattr(Simulated, "analysed", 0)
        with suppress(KeyboardInterrupt):
            evo.run(spec_file(place, generations=5, **SMALL), place / "stopped", workers=0, observe=stops_after(3))
        evo.fork(place / "finished", {"search.generations": "1"}, place / "forked", workers=0)
    warm(finished)
    return [place / name for name in ("finished", "stopped", "forked")]


def warm(run):
    """What the first call of a command in a process takes, other calls do not."""
    for arguments in commands(run.folder, run.folder):
        altering.command(*arguments)
    shutil.rmtree(run.folder.parent / "child", ignore_errors=True)


def commands(folder, other):
    """Every command that reads a run folder; none of them writes into the store before the last."""
    fork = ("--set", "search.generations=1", "--workers", "0", "--out", folder.parent / "child")
    return [
        ("status", folder),
        ("status", folder, "--json"),
        ("inspect", folder),
        ("inspect", folder, "--json"),
        ("inspect", folder, "--html"),
        ("export", folder, "--to", "motif"),
        ("prune", folder),
        ("compare", folder, other),
        ("motifs", folder),
        ("fork", folder, *fork),
        ("resume", folder, "--workers", "0"),
    ]


def answers(arguments, what):
    """The command succeeds, or says why not in one line, within two seconds."""
    code, _, err, seconds = altering.command(*arguments)
    place = f"{arguments[0]} after {what}: {err[:500]}"
    assert code in (0, 1, 2), place
    assert code == 0 or len(err.strip().splitlines()) == 1, place
    assert seconds < SECONDS, f"{seconds:.1f} s: {place}"


def altered_run(folders, seed, place):
    """A run folder altered in the way that belongs to a seed, and what was done."""
    rng = random.Random(seed)
    folder = shutil.copytree(rng.choice(folders), place / str(seed) / "run")
    if rng.random() < 0.85:
        return folder, altering.alter_store(folder / "run.db", rng)
    text = (folder / "run.toml").read_text()
    (folder / "run.toml").write_text(altering.altered_toml(text, rng))
    return folder, "another run.toml"


@pytest.fixture(autouse=True)
def few_analyses(monkeypatch):
    monkeypatch.setattr(Simulated, "analysed", 0)


@pytest.mark.parametrize("seed", some_of(list(range(10)), few=[0, 3, 6, 9]))
def test_an_altered_run_is_one_line_or_works(folders, tmp_path, seed):
    folder, what = altered_run(folders, seed, tmp_path)
    every = commands(folder, folders[0])
    for arguments in (every[0], *random.Random(seed).sample(every[1:-1], 2), every[-1]):
        answers(arguments, what)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(10, 600))
def test_any_altered_run_is_one_line_or_works_for_every_command(folders, tmp_path, seed):
    folder, what = altered_run(folders, seed, tmp_path)
    for arguments in commands(folder, folders[0]):
        answers(arguments, what)


@pytest.mark.parametrize("seed", range(12))
def test_an_altered_motif_file_is_one_line_or_works(tmp_path, seed):
    rng = random.Random(seed)
    text = (Path(circuits.__file__).parent / "zoo" / "motifs" / "xor-3.json").read_text()
    path = tmp_path / "motif.json"
    path.write_text(altering.altered_json(text, rng), encoding="utf-8", errors="replace")
    for arguments in (("inspect", path), ("inspect", path, "--json"), ("export", path, "--to", "motif", "-o", tmp_path / "m")):
        answers(arguments, f"seed {seed}")


def rewritten(folder, place, statement, *values):
    """A copy of a run folder in whose store one statement was executed."""
    copy = shutil.copytree(folder, place / "copy")
    with closing(sqlite3.connect(copy / "run.db")) as db:
        db.execute(statement, values)
        db.commit()
    return copy


@pytest.mark.parametrize("size", [10**7, 2**33, 2**50])
def test_a_frame_that_unpacks_to_more_than_the_spec_allows_is_refused_before_it_is_unpacked(folders, tmp_path, size):
    some = zstandard.ZstdCompressor(1).compress(bytes(10**7))
    bomb = some[:4] + bytes([0b11100000]) + size.to_bytes(8, "little") + some[4 + 1 + 4 :]  # a head that tells another size
    folder = rewritten(folders[0], tmp_path, "UPDATE state SET state = ?", some if size == 10**7 else bomb)
    tracemalloc.start()
    message = one_line_of(lambda: evo.open_run(folder))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "run.db: does not fit run.toml" in message
    assert peak < 5_000_000


def test_a_zip_in_a_frame_as_0_4_stored_them_is_bounded_alike(folders):
    import io
    import zipfile

    import numpy as np

    with Store.open(folders[0] / "run.db") as store:
        blob = store.facts()["examples"]
    found, packed = from_bytes(Examples, blob), io.BytesIO()
    np.savez_compressed(packed, **found._asdict())
    again = from_bytes(Examples, zstandard.ZstdCompressor(1).compress(packed.getvalue()))
    assert all((a == b).all() for a, b in zip(found, again, strict=True))
    with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("spikes.npy", bytes(10**8))
    folder = folders[0].parent / "zip"
    shutil.copytree(folders[0], folder, dirs_exist_ok=True)
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.execute("UPDATE run SET value = ? WHERE key = 'examples'", (packed.getvalue(),))
        db.commit()
    assert "Examples: takes 100,000,000 bytes" in one_line_of(lambda: evo.open_run(folder))


def test_a_log_of_another_run_is_damage(folders, tmp_path):
    with closing(sqlite3.connect(folders[0] / "run.db")) as db:
        (log,) = db.execute("SELECT log FROM epoch WHERE island = 0 AND epoch = 0").fetchone()
    rows = json.loads(log)
    for k, wrong in enumerate((rows[:-1], rows + rows[-1:], [{**row, "losses": [0.0]} for row in rows], rows[::-1])):
        (tmp_path / str(k)).mkdir()
        change = "UPDATE epoch SET log = ? WHERE island = 0 AND epoch = 0"
        folder = rewritten(folders[0], tmp_path / str(k), change, json.dumps(wrong))
        assert "is damaged" in one_line_of(lambda folder=folder: evo.open_run(folder))


def test_migrants_that_are_missing_are_noticed_before_a_run_goes_on(folders, tmp_path):
    folder = rewritten(folders[1], tmp_path, "DELETE FROM migrants")
    assert evo.open_run(folder).state == "stopped"
    with pytest.raises(UserError, match=r"the migrants of island \d after epoch \d are missing"):
        evo.resume(folder, workers=0)
