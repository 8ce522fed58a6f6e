"""The data of a run's live page, circuit by circuit."""

from typing import Any

from circuits.errors import UserError
from evo.inspect.page import page_data
from evo.web.runs import Runs
from evo.web.sources import identities


def head(runs: Runs, name: Any) -> dict:
    """The page's data without the circuits; each member has an `id` that stays when its rank changes."""
    opened = runs.open(name)
    data = page_data.head(opened.run, opened.shown, opened.cache)
    for member, circuit_id in zip(data["members"], identities(opened.run), strict=True):
        member["id"] = circuit_id
    return data | {"name": name, "own": bool(opened.run.spec.own_code)}


def circuit(runs: Runs, name: Any, circuit_id: Any) -> dict:
    """The page's data of the circuit with this id, without its lineage."""
    opened, rank = _opened(runs, name, circuit_id)
    return page_data.circuit_of(opened.run, rank, opened.shown, opened.cache)


def lineage(runs: Runs, name: Any, circuit_id: Any) -> dict:
    """The lineage of the circuit with this id, on its own because it takes longest."""
    opened, rank = _opened(runs, name, circuit_id)
    return {"lineage": page_data.lineage_of(opened.run, rank, opened.cache)}


def _opened(runs, name, circuit_id):
    opened = runs.open(name)
    ids = identities(opened.run)
    if circuit_id not in ids:
        raise UserError(f"{name}: the circuit {circuit_id!r} has left the front")
    return opened, ids.index(circuit_id)
