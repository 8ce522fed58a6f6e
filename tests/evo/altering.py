"""Run folders and motif files altered at random, as damage or a stranger may; and the command line in this process."""

import contextlib
import io
import json
import random
import sqlite3
import sys
import time
import tomllib
from contextlib import closing

import numpy as np
import tomli_w

from circuits.errors import UserError
from evo.cli import main
from evo.engine.codec import from_bytes, to_bytes
from evo.engine.island import Migrants, State
from evo.storage.stored import Examples, InitialPopulation

DEEP = "[" * 200_000
VALUES = (None, True, -1, 0, 1, 2**31, 2**63, 10**30, 0.0, -0.5, 1e308, float("nan"), float("inf"), float("-inf"))
VALUES += ("", "x", "\x1b[31m\n", "[red]", [], {}, [[]], [0], {"a": 1}, [None] * 1000, "9" * 5000)
KINDS = {"state": State, "migrants": Migrants, "before": State, "heritage": InitialPopulation, "examples": Examples}
COLUMNS = (
    [("epoch", name) for name in ("island", "epoch", "generation", "evaluations", "elapsed", "timings", "log")]
    + [("state", name) for name in ("island", "epoch", "state")]
    + [("migrants", name) for name in ("island", "epoch", "migrants")]
    + [("analysis", name) for name in ("circuit", "analysis")]
    + [("run", "value")] * 4
)
RULES = (
    "DROP TABLE {table}",
    "ALTER TABLE {table} RENAME TO gone; CREATE VIEW {table} AS SELECT * FROM gone",
    "ALTER TABLE {table} RENAME TO gone; CREATE TABLE {table} AS SELECT * FROM gone; DROP TABLE gone",
    "CREATE TRIGGER harm AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END",
    "CREATE INDEX slow ON {table} (rowid)",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
    "CREATE TABLE more (a)",
    "ALTER TABLE {table} ADD COLUMN more",
)


def command(*arguments):
    """Run `evo` in this process: exit code, standard output, standard error, seconds of the processor."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    start, code = time.process_time(), 0
    sys.argv = ["evo", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue(), time.process_time() - start


def alter_store(path, rng: random.Random) -> str:
    """Alter a store in one way; what was done, in words."""
    kind = rng.choice(
        ["bytes", "bytes", "schema", "value", "value", "document", "document", "document", "array", "array", "array"]
    )
    if kind == "bytes":
        data = bytearray(path.read_bytes())
        for _ in range(rng.choice([1, 10, 1000])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        return "bytes"
    with closing(sqlite3.connect(path)) as db:
        table, column = rng.choice(COLUMNS)
        if kind == "schema":
            rule = rng.choice(RULES).format(table=table)
            with contextlib.suppress(sqlite3.Error):
                db.executescript(rule)
            return rule
        rows = db.execute(f"SELECT rowid, {column}{', key' if table == 'run' else ''} FROM {table}").fetchall()
        if not rows:
            return "nothing"
        row, value, *key = rng.choice(rows)
        new = _altered(value, kind, KINDS.get(key[0] if key else column), rng)
        with contextlib.suppress(sqlite3.Error, OverflowError):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (new, row))
        db.commit()
        return f"{kind} {table}.{column} {key} row {row}: {value!r:.60} -> {new!r:.200}"


def _altered(value, kind, array, rng):
    if kind == "document" and isinstance(value, str):
        return altered_json(value, rng)
    if kind == "array" and isinstance(value, bytes) and array is not None:
        return _altered_array(value, array, rng)
    if isinstance(value, bytes) and rng.random() < 0.7:
        data = bytearray(value)
        for _ in range(rng.choice([1, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    return rng.choice([v for v in VALUES if not isinstance(v, list | dict)])


def altered_json(text, rng) -> str:
    """A JSON document with one part replaced, taken away or buried deep."""
    tree = {"": json.loads(text)} if text[:1] in "[{" else {"": text}
    holder, key = rng.choice(list(_places(tree)))
    way = rng.random()
    if way < 0.15:
        del holder[key]
    elif way < 0.25:
        return json.dumps(tree.get(""))[:-1] + DEEP
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(tree.get(""))


def _places(tree):
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])


def altered_toml(text, rng) -> str:
    """A spec with one value replaced."""
    tree = tomllib.loads(text)
    holder, key = rng.choice(list(_places(tree)))
    holder[key] = rng.choice([v for v in VALUES if v is not None and v != [None] * 1000])
    with contextlib.suppress(Exception):
        return tomli_w.dumps(tree)
    return text + DEEP


def _altered_array(blob, kind, rng):
    try:
        state = from_bytes(kind, blob)
    except UserError:
        return b""
    name = rng.choice([name for name in kind._fields if name != "log"])
    array = np.array(getattr(state, name))
    way = rng.choice(["dtype", "rank", "length", "bytes", "bytes", "field", "field", "bomb", "log"])
    if way == "dtype":
        array = array.astype("f8") if array.dtype.names is None else array[list(array.dtype.names[:2])].copy()
    elif way == "rank":
        array = array[None]
    elif way == "length":
        array = np.concatenate([array, array]) if rng.random() < 0.5 else array[:0]
    elif way == "bomb":
        array = np.zeros((100_000_000,), "u1")
    elif way == "log" and "log" in kind._fields:
        return to_bytes(state._replace(log=rng.choice([v for v in VALUES if v not in (2**63,)])))
    elif array.size:
        flat = array.reshape(-1).view("u1")
        if way == "field" and array.dtype.names:
            field = rng.choice(array.dtype.names)
            part = array[field] if array.dtype[field].names is None else array[field][rng.choice(array.dtype[field].names)]
            part[...] = rng.choice([-1, 127, np.nan, np.inf, 1e9]) if part.dtype.kind == "f" else rng.choice([-1, 99]) % 128
        else:
            flat[[rng.randrange(len(flat)) for _ in range(rng.choice([1, 50]))]] = rng.randrange(256)
    return to_bytes(state._replace(**{name: array}))
