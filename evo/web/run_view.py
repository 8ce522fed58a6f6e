"""A run as its page shows it, circuit by circuit, live."""

from typing import Any

from circuits.errors import UserError
from evo.inspect import page_data
from evo.web.runs import Runs
from evo.web.sources import identities


def head(runs: Runs, name: Any) -> dict:
    """All but the circuits; each member has an `id` that stays when its rank changes."""
    opened = runs.open(name)
    data = page_data.head(opened.run, opened.shown, opened.cache)
    for member, one in zip(data["members"], identities(opened.run), strict=True):
        member["id"] = one
    return data | {"name": name, "own": bool(opened.run.spec.own_code)}


def circuit(runs: Runs, name: Any, which: Any) -> dict:
    """What is shown of the circuit with this id, but for its lineage."""
    opened, rank = _found(runs, name, which)
    return page_data.circuit_of(opened.run, rank, opened.shown, opened.cache)


def lineage(runs: Runs, name: Any, which: Any) -> dict:
    """That: it takes longer than all the rest."""
    opened, rank = _found(runs, name, which)
    return {"lineage": page_data.lineage_of(opened.run, rank, opened.cache)}


def _found(runs, name, which):
    opened = runs.open(name)
    ids = identities(opened.run)
    if which not in ids:
        raise UserError(f"{name}: the circuit {which!r} has left the front")
    return opened, ids.index(which)
