"""Conversion of a trained cell to a motif."""

from typing import Any

from pydantic import ValidationError

from circuits.circuit import InputChannel, InputSynapse, Synapse
from circuits.errors import UserError, one_line
from circuits.motif_file import Motif


def to_motif(cell, copy: int, dales_law: bool = True) -> Motif:
    """The motif of a cell, or of one of its copies, with the present parameters; unchanged values keep every bit. Without
    Dale's law weights may be negative, and the motif is not validated."""
    separate = cell.copies is not None and not cell.share

    def of_copy(tensor):
        return (tensor[copy] if separate else tensor).detach().double()

    data = cell.motif.model_dump()
    sign = {neuron["id"]: neuron["sign"] for neuron in data["neurons"]}
    groups = [
        (cell.input, [s for channel in data["inputs"] for s in channel["synapses"]]),
        (cell.excitatory, [s for s in data["synapses"] if sign[s["pre"]] == "E"]),
        (cell.inhibitory, [s for s in data["synapses"] if sign[s["pre"]] == "I"]),
    ]
    for kind, synapses in groups:
        for synapse, weight in zip(synapses, of_copy(kind.weight).tolist(), strict=True):
            synapse["weight_mv"] = weight
        if kind.free_delay is not None:
            steps = of_copy(kind.delay_steps).round().tolist()
            for synapse, now, before in zip(synapses, steps, kind.delay.tolist(), strict=True):
                if now != before:
                    synapse["delay_ms"] = now * cell.motif.dt_ms
    names = ("bias_mv", *(cell.lif.form.times if cell.lif.times else ()), *(("v_th_mv",) if cell.lif.thresholds else ()))
    index = {name: k for k, name in enumerate(cell.lif.form.model.names)}
    now, before = of_copy(cell.lif.now()), cell.lif.of_motif
    for n, neuron in enumerate(data["neurons"]):
        for name in names:
            value = now[n, index[name]].item()
            if value != cell.lif.bias_mv.new_tensor(before[n, index[name]]).item() or name != "bias_mv":
                neuron[name] = value
    if not dales_law:
        return unchecked(cell.motif, data)
    if any((kind.weight < 0).any() for kind, _ in groups):
        raise UserError(
            "the trained cell is no motif: its signed weights broke Dale's law, and a motif has weights >= 0; train with the "
            'parametrisation "abs", or run the network itself: simulate'
        )
    try:
        return Motif(**data)
    except ValidationError as error:
        raise UserError(f"the trained cell is no motif: {one_line(error)}") from None


def unchecked(motif: Motif, data: dict) -> Motif:
    """The motif with the neurons and synapses of `data`, not validated: the kernel accepts negative weights."""
    make: dict[str, Any] = {"neurons": type(motif.neurons[0]), "synapses": Synapse}
    parts = {name: tuple(kind.model_construct(**part) for part in data[name]) for name, kind in make.items()}
    parts["inputs"] = tuple(
        InputChannel.model_construct(
            name=channel["name"], synapses=tuple(InputSynapse.model_construct(**s) for s in channel["synapses"])
        )
        for channel in data["inputs"]
    )
    return motif.model_copy(update=parts)
