"""Runs with fronts of any size, and folders with many runs: copies of a small one."""

import re
import shutil
from pathlib import Path

import numpy as np

import evo
from evo.engine.codec import from_bytes, to_bytes
from evo.engine.island import State
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE


def with_front(folder, count, elsewhere):
    """A copy of a run whose front has so many members: archive records copied, all made different and none dominated."""
    elsewhere.mkdir()
    for name in (SPEC, STORE):
        (elsewhere / name).write_bytes((folder / name).read_bytes())
    text = (elsewhere / SPEC).read_text()
    (elsewhere / SPEC).write_text(re.sub(r"archive = \d+", f"archive = {count}", text))
    with Store.open(elsewhere / STORE, write=True) as store:
        states = [from_bytes(State, blob) for *_, blob in store.states()]
        records = np.resize(states[0].archive, count)
        place = np.arange(count)
        records["losses"] = np.stack([-2 * place / count, *[place] * (records["losses"].shape[1] - 1)], axis=1)
        records["held_out"] = (count - place) / count
        records["low"], records["high"] = records["held_out"] * 0.9, records["held_out"]
        for island, state in enumerate(states):
            mine = records if island == 0 else records[:1]
            store._db.execute("UPDATE state SET state = ? WHERE island = ?", (to_bytes(state._replace(archive=mine)), island))
        store.settle()
    return evo.open_run(elsewhere)


def many_runs(folders: list[Path], count: int, place: Path) -> Path:
    """A folder with so many copies of these runs; each has a seed of its own in its spec."""
    place.mkdir(parents=True)
    for k in range(count):
        source = folders[k % len(folders)]
        made = place / f"{source.name}-{k}"
        made.mkdir()
        shutil.copyfile(source / STORE, made / STORE)
        text = (source / SPEC).read_text(encoding="utf-8")
        (made / SPEC).write_text(re.sub(r"^seed = \d+$", f"seed = {k}", text, flags=re.MULTILINE), encoding="utf-8")
    return place
