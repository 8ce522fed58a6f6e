"""The store of a run: one SQLite file (write-ahead log), written by the driver alone.

Guarantees. A finished epoch of an island is stored in one transaction, with others that finished meanwhile: its state,
its migrants and its log are all there or none is. After `kill -9` or a full disk the store opens as it was after the last whole
transaction. Anyone may read while the driver writes. A store is opened without executing anything in it: its tables must be
those below, without views and triggers, and states are arrays (`codec`), read without pickle. Their contents are returned
unchecked: `evo.storage.stored` checks them.
"""

import json
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from circuits.errors import MachineError, UserError
from circuits.files import check_regular
from evo.engine.epochs import Result
from evo.engine.progress import generations

KEPT = 2  # epochs of migrants: the next island needs the last, or the one before
TIMEOUT_S = 30  # how long to wait for another program's lock
VERSION = 5
READ = (4, VERSION)  # 4: of 0.4, whose records have fewer fields (`individual.up_to_date`)
WRITTEN_BY = {1: "0.1", 2: "0.2", 3: "0.3"}  # release by version of older stores
APPLICATION = 0x45564F43  # "EVOC"

_BEFORE = "CREATE TABLE before (island INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, state BLOB NOT NULL) STRICT"
_SCHEMA = (
    # facts about the whole run
    "CREATE TABLE run (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT",
    # every finished epoch; elapsed is the duration of the run so far; timings and log are JSON, the latter one object per
    # generation
    """CREATE TABLE epoch (
        island INTEGER, epoch INTEGER, generation INTEGER NOT NULL, evaluations INTEGER NOT NULL, elapsed REAL NOT NULL,
        timings TEXT NOT NULL, log TEXT NOT NULL, PRIMARY KEY (island, epoch)) STRICT""",
    # the latest state of each island
    "CREATE TABLE state (island INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, state BLOB NOT NULL) STRICT",
    # the state before the last epoch of an island, if the run's last generation cut that epoch short: a run that goes on
    # computes it again. Stores of 0.4 lack the table until a row is written
    _BEFORE,
    # migrants of each island after its last epochs; older ones are deleted
    """CREATE TABLE migrants (
        island INTEGER, epoch INTEGER, migrants BLOB NOT NULL, PRIMARY KEY (island, epoch)) STRICT""",
    # analyses of circuits of the front, made at the end of the run: `fitness.analysis` as JSON, by `motif_file.digest`
    "CREATE TABLE analysis (circuit TEXT PRIMARY KEY, analysis TEXT NOT NULL) STRICT",
)


class Store:
    """An open store. `path` is the file; use as a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path = path
        self._db = connection

    @classmethod
    def create(cls, path: Path, facts: dict[str, str | bytes]) -> "Store":
        """A new store with facts about the run; `path` must not exist, and appears when the store is whole."""
        partial = path.with_name(f".{path.name}.part")
        with _translated(path), suppress(FileNotFoundError):
            partial.unlink()
        with _translated(path), closing(sqlite3.connect(partial, isolation_level=None, timeout=TIMEOUT_S)) as db:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            for statement in (*_SCHEMA, f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {VERSION}"):
                db.execute(statement)
            db.executemany("INSERT INTO run VALUES (?, ?)", facts.items())
            db.execute("COMMIT")
        os.replace(partial, path)
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: Path, write: bool = False) -> "Store":
        """An existing store, checked for damage. Raises UserError for another file, a damaged store or another version."""
        if not path.exists():
            raise UserError(f"{path.parent}: holds no run (there is no {path.name})")
        with _translated(path):
            for suffix in ("", "-wal", "-shm", "-journal"):
                if path.with_name(path.name + suffix).exists():
                    check_regular(path.with_name(path.name + suffix))
            db = sqlite3.connect(_uri(path, write), uri=True, isolation_level=None, timeout=TIMEOUT_S)
            try:
                _begin(path, db, write)
            except BaseException:
                db.close()
                raise
        return cls(path, db)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._db.close()

    def settle(self):
        """Fold the write-ahead log into the file, so that a finished store is one file and opens in a read-only folder. While
        another process reads, the log stays, which does no harm."""
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA busy_timeout = 0")
            self._db.execute("PRAGMA journal_mode = DELETE")

    @contextmanager
    def moment(self):
        """Context in which all reads see the store at one moment."""
        with _translated(self.path):
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    def facts(self) -> dict[str, str | bytes]:
        """All facts that `create` was given."""
        return dict(self._all("SELECT key, value FROM run"))

    def fact(self, key: str) -> str | bytes | None:
        """The fact that `create` was given under this key."""
        return self._one("SELECT value FROM run WHERE key = ?", key)

    def add_epochs(self, results: list[Result], elapsed: float, whole: int):
        """Store finished epochs, `elapsed` seconds into the run: all of them or, if this raises, none. The state before an
        epoch of fewer than `whole` generations is kept, for `take_back`."""
        with self._transaction():
            for island, epoch, state, migrants, log, timings, _ in results:
                if generations(log) < whole:
                    self._db.execute(_BEFORE.replace("TABLE", "TABLE IF NOT EXISTS"))
                    self._db.execute("INSERT OR REPLACE INTO before SELECT * FROM state WHERE island = ?", (island,))
                evaluations = sum(row["evaluations"] for row in log)
                times = json.dumps({name: round(seconds, 6) for name, seconds in timings.items()})
                row = (island, epoch, log[-1]["generation"], evaluations, elapsed, times, json.dumps(log))
                self._db.execute("INSERT INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (island, epoch, state))
                self._db.execute("INSERT INTO migrants VALUES (?, ?, ?)", (island, epoch, migrants))
                self._db.execute("DELETE FROM migrants WHERE island = ? AND epoch BETWEEN 0 AND ?", (island, epoch - KEPT))

    def take_back(self, islands: list[int]):
        """Remove the last epoch of these islands, which was cut short: of all of them or, if this raises, of none. Raises
        UserError where the state before it is not stored."""
        with self._transaction():
            epochs = self.check_before(islands)
            for island, epoch in epochs.items():
                for table in ("epoch", "migrants", "state"):
                    self._db.execute(f"DELETE FROM {table} WHERE island = ? AND epoch = ?", (island, epoch))
                self._db.execute("INSERT INTO state SELECT * FROM before WHERE island = ?", (island,))
                self._db.execute("DELETE FROM before WHERE island = ?", (island,))

    def check_before(self, islands: list[int]) -> dict[int, int]:
        """The last epoch of each of these islands. Raises UserError where the state before one of them is not stored."""
        last = dict(self._all("SELECT island, epoch FROM state"))
        kept = {island: epoch for island, epoch, _ in self.before()}
        if any(kept.get(island, -1) != last[island] - 1 for island in islands):
            raise UserError(
                f"{self.path.parent}: its last epoch was cut short by an older evocircuits, which did not keep what was before "
                "it; to go further, start again from its run.toml by evo run"
            )
        return {island: last[island] for island in islands}

    def before(self) -> list[tuple[int, int, bytes]]:
        """The states to which `take_back` returns: island, epoch, state."""
        exists = self._all("SELECT 1 FROM sqlite_schema WHERE name = 'before'")
        return self._all("SELECT island, epoch, state FROM before") if exists else []

    def add_analysis(self, circuit: str, analysis: str):
        """Store the analysis of the circuit with this digest, in place of an older one."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO analysis VALUES (?, ?)", (circuit, analysis))

    def analyses(self) -> dict[str, str]:
        """All analyses by the digest of the circuit."""
        return dict(self._all("SELECT circuit, analysis FROM analysis"))

    def state(self, island: int) -> bytes | None:
        """The latest state of an island."""
        return self._one("SELECT state FROM state WHERE island = ?", island)

    def states(self) -> list[tuple[int, int, bytes]]:
        """The latest states of all islands that have one, by island: island, epoch, state."""
        return self._all("SELECT island, epoch, state FROM state ORDER BY island")

    def migrants(self, island: int, epoch: int) -> bytes | None:
        """Migrants that an island sent after an epoch, if it is one of its last."""
        return self._one("SELECT migrants FROM migrants WHERE island = ? AND epoch = ?", island, epoch)

    def finished(self) -> int:
        """Number of stored epochs of all islands."""
        return int(self._all("SELECT count(*) FROM epoch")[0][0])

    def epochs(self) -> list[dict]:
        """All finished epochs: island, epoch, generation, evaluations, elapsed, timings and log as JSON."""
        names = ("island", "epoch", "generation", "evaluations", "elapsed", "timings", "log")
        rows = self._all(f"SELECT {', '.join(names)} FROM epoch ORDER BY epoch, island")
        return [dict(zip(names, row, strict=True)) for row in rows]

    @contextmanager
    def _transaction(self):
        with _translated(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _all(self, query, *values):
        with _translated(self.path):
            return self._db.execute(query, values).fetchall()

    def _one(self, query, *values):
        rows = self._all(query, *values)
        return rows[0][0] if rows else None


def _begin(path, db, write):
    """Check a store that was just opened, and set how it is written."""
    db.execute("PRAGMA trusted_schema = OFF")
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise UserError(f"{path}: not the store of a run, or cut short")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in READ:
        newer = version > VERSION
        by = "a newer evocircuits" if newer else f"an older evocircuits ({WRITTEN_BY.get(version, 'no release')})"
        remedy = "update" if newer else "open it with that one, or start again from its run.toml by evo run"
        raise UserError(f"{path}: written by {by}: store version {version}, this one reads {VERSION}; {remedy}")
    _check_schema(path, db)
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise UserError(f"{path}: is damaged; restore the folder from a copy")
    if write:
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")


def _check_schema(path, db):
    """Raise UserError unless the tables are ours, word for word, without views, triggers and other tables."""
    parts = [(kind, _words(sql)) for kind, sql in db.execute("SELECT type, sql FROM sqlite_schema") if sql is not None]
    known = [("table", _words(sql)) for sql in _SCHEMA]
    if any(part not in known for part in parts) or any(part not in parts for part in known if _words(_BEFORE) not in part):
        raise UserError(f"{path}: is damaged (other tables than those of a run); restore the folder from a copy")


def _words(sql):
    return " ".join(str(sql).split())


def _uri(path, write):
    uri = path.resolve().as_uri()
    journal = path.with_name(path.name + "-journal")  # left by a writer that was killed: opening for writing rolls it back
    if write or (journal.exists() and os.access(path.parent, os.W_OK)):
        return f"{uri}?mode=rw"
    # In a read-only folder, SQLite opens a store with a write-ahead log only as immutable.
    alone = not path.with_name(path.name + "-wal").exists()
    return f"{uri}?mode=ro&immutable=1" if alone and not os.access(path.parent, os.W_OK) else f"{uri}?mode=ro"


@contextmanager
def _translated(path):
    """Context that turns SQLite's errors into ours, of one line."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "decode" in text:
            raise UserError(f"{path}: is damaged ({text.partition(' with ')[0]}); restore the folder from a copy") from None
        if "locked" in text or "busy" in text:
            remedy = "is locked by another program; close it, then run evo resume"
        elif "full" in text:
            remedy = "the disk is full; make room, then run evo resume (everything stored is kept)"
        elif "readonly" in text or "unable to open" in text:
            remedy = f"cannot be opened or written ({text}); check the folder's permissions"
        else:
            remedy = f"cannot be read or written ({text}); check the disk, then run evo resume"
        raise MachineError(f"{path}: {remedy}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is damaged (a text in it cannot be decoded); restore the folder from a copy") from None
    except sqlite3.DatabaseError as error:
        raise UserError(f"{path}: is damaged or no store of a run ({error}); restore the folder from a copy") from None
