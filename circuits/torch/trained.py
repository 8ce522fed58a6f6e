"""A trained cell as a motif again."""

from pydantic import ValidationError

from circuits.errors import UserError, one_line
from circuits.motif_file import Motif


def to_motif(cell, copy: int) -> Motif:
    """The motif of a cell as it is now, or of one of its copies; what has not changed keeps every bit."""
    own = cell.copies is not None and not cell.share

    def mine(tensor):
        return (tensor[copy] if own else tensor).detach().double()

    data = cell.motif.model_dump()
    sign = {neuron["id"]: neuron["sign"] for neuron in data["neurons"]}
    groups = [
        (cell.input, [s for channel in data["inputs"] for s in channel["synapses"]]),
        (cell.excitatory, [s for s in data["synapses"] if sign[s["pre"]] == "E"]),
        (cell.inhibitory, [s for s in data["synapses"] if sign[s["pre"]] == "I"]),
    ]
    for kind, synapses in groups:
        for synapse, weight in zip(synapses, mine(kind.weight).tolist(), strict=True):
            synapse["weight_mv"] = weight
        if kind.free_delay is not None:
            steps = mine(kind.delay_steps).round().tolist()
            for synapse, now, before in zip(synapses, steps, kind.delay.tolist(), strict=True):
                if now != before:
                    synapse["delay_ms"] = now * cell.motif.dt_ms
    names = ("bias_mv", *(cell.lif.form.times if cell.lif.times else ()), *(("v_th_mv",) if cell.lif.thresholds else ()))
    place = {name: k for k, name in enumerate(cell.lif.form.model.names)}
    now, before = mine(cell.lif.now()), cell.lif.of_motif
    for n, neuron in enumerate(data["neurons"]):
        for name in names:
            value = now[n, place[name]].item()
            if value != cell.lif.bias_mv.new_tensor(before[n, place[name]]).item() or name != "bias_mv":
                neuron[name] = value
    try:
        return Motif(**data)
    except ValidationError as error:
        raise UserError(f"the trained cell is no motif: {one_line(error)}") from None
