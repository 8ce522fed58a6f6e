"""The spec of a search whose scores are told from outside (`evo.Evolver`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from circuits.errors import UserError
from evo.spec.resolve import as_toml, resolve
from evo.spec.run_spec import RunSpec, parse
from fitness.judges import EXTERNAL, JUDGE
from fitness.sandbox.code import Code

WITHOUT_SPEC = {"islands": 1, "generations": 10**7}  # of [search]
OF_THE_TASK = ("target", "trials", "held_out", "stop", "task_seconds")  # keys of [search] without meaning for told scores


def spec_of_evolver(
    spec: Any,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    dt_ms: float | None,
    circuit: Mapping[str, Any] | None,
    search: Mapping[str, Any],
) -> tuple[RunSpec, Code | None]:
    """The spec, and the code of the user's own algorithm, if any; the arguments are those of `evo.Evolver`. Raises
    UserError."""
    folder = Path()
    data: dict[str, Any] = {}
    if spec is not None:
        if inputs is not None or outputs is not None or dt_ms is not None:
            raise UserError("Evolver: inputs, outputs and dt_ms are those of the spec; give either these or a spec")
        original = resolve(spec)
        folder = Path(spec).parent if isinstance(spec, str | Path) else folder
        interface = original.spec.make_judge(original.source).interface
        data = original.spec.model_dump(mode="json", exclude_none=True)
        inputs, outputs, dt_ms = interface.inputs, interface.outputs, interface.dt_ms
        if original.spec.judge_class.simulates:
            data["search"] = {key: data["search"][key] for key in original.spec.search.model_fields_set & data["search"].keys()}
            for key in OF_THE_TASK:
                data["search"].pop(key, None)
    elif outputs is None:
        raise UserError('Evolver: give a spec, or the names of the outputs of circuits, such as outputs=["x"]')
    else:
        data["search"] = dict(WITHOUT_SPEC)
    section = {JUDGE: EXTERNAL, "inputs": list(inputs or ()), "outputs": list(outputs or ())}
    data["task"] = section | ({} if dt_ms is None else {"dt_ms": float(dt_ms)})
    data["circuit"] = data.get("circuit", {}) | dict(circuit or {})
    data["search"] = data.get("search", {}) | dict(search)
    resolved = parse(as_toml(data), "Evolver")
    if resolved.search.founders:
        raise UserError("Evolver: search.founders: an Evolver draws its first circuits; leave the key out, or use evo run")
    resolved.encoding(resolved.make_judge().interface)
    source = resolved.collect(folder)
    resolved.make_algorithm(source)
    return resolved, source
