"""Modules in safetensors files whose metadata describe the module as JSON. Reading one executes no code."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from circuits.errors import UserError
from circuits.files import read_bytes
from circuits.motif_file import dumps, loads, write_whole
from circuits.optional import optional
from circuits.torch.assemble import Lateral
from circuits.torch.cell import MotifCell
from circuits.torch.layer import MotifLayer
from circuits.torch.networks.mixed import MixedLayer
from circuits.torch.networks.network import MotifNetwork

KEY, VERSION = "evocircuits", 1
MAX_BYTES = 4_000_000_000


def save(module: nn.Module, path) -> Path:
    """Write a network, layer or cell to one file: its motifs, options and parameters.

    The file is in the safetensors format, and holds no code.

    Parameters
    ----------
    module : MotifNetwork, MixedLayer, MotifLayer or MotifCell
        The module; its weights keep every bit.
    path : str or path-like
        The file; an existing file is replaced.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    circuits.errors.UserError
        For another kind of module.
    circuits.errors.MachineError
        If the file cannot be written, or safetensors is not installed.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer, MotifNetwork, load, save
    >>> network = MotifNetwork([MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10)], classes=3)
    >>> path = save(network, "network.safetensors")
    >>> x = torch.rand(50, 8, 10)
    >>> bool((load(path)(x) == network(x)).all())
    True
    """
    description = json.dumps({"version": VERSION, "module": config_of(module)}, allow_nan=False)
    return write_whole(path, as_bytes(module.state_dict(), description))


def load(path) -> Any:
    """Read a module that `save` has written.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    MotifNetwork, MixedLayer, MotifLayer or MotifCell
        The module, in training mode, on the CPU.

    Raises
    ------
    circuits.errors.UserError
        With one line that names the file and what is wrong.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifLayer, load, save
    >>> path = save(MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10), "layer.safetensors")
    >>> load(path).copies
    4
    """
    tensors, text = from_bytes(read_bytes(path, MAX_BYTES), path)
    try:
        data = json.loads(text)
        if data["version"] > VERSION:
            raise UserError(f"is from a newer evocircuits (this one reads version {VERSION}); update evocircuits to open it")
        module = from_description(data["module"])
        module.load_state_dict(tensors)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, RecursionError) as error:
        raise UserError(f"{path}: no file of `circuits.torch.save`, or damaged: {str(error).splitlines()[0]}") from None
    return module


def as_bytes(tensors: dict, description: str) -> bytes:
    """The tensors and the description as a safetensors file."""
    save_file = _safetensors().save
    return save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, {KEY: description})


def from_bytes(content: bytes, path) -> tuple[dict, str]:
    """The tensors and the description in a safetensors file."""
    safetensors = _safetensors()
    try:
        tensors = safetensors.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return tensors, header["__metadata__"][KEY]
    except Exception as error:  # safetensors has errors of its own
        raise UserError(f"{path}: no file of circuits.torch: {str(error).splitlines()[0]}") from None


def _safetensors():
    return optional("safetensors.torch", "this", "pip install 'evocircuits[torch]'")


def config_of(module) -> dict:
    """Describe a module in plain data, without its parameters."""
    if isinstance(module, MotifNetwork):
        return {
            "type": "MotifNetwork",
            "layers": [config_of(layer) for layer in module.layers],
            "classes": module.readout.out_features,
            "batch_first": module.batch_first,
            "in_features": None if module.input_projection is None else module.in_features,
            "readout_ms": module.readout_ms,
        } | _frozen(module)
    if isinstance(module, MixedLayer):
        return {"type": "MixedLayer", "layers": [config_of(layer) for layer in module.layers]} | _frozen(module)
    if isinstance(module, MotifLayer):
        return {
            "type": "MotifLayer",
            "motif": json.loads(dumps(module.motif)),
            "copies": module.copies,
            "in_features": module.in_features,
            "share": module.share,
            "lateral": None if module.lateral is None else module.lateral._asdict(),
            "projection": module.projects,
            "batch_first": module.batch_first,
            "options": _options(module.cell),
        } | _frozen(module)
    if isinstance(module, MotifCell) and not module.keys:
        layout = {"copies": module.copies, "share": module.share, "batch_first": module.batch_first}
        motif = json.loads(dumps(module.motif))
        return {"type": "MotifCell", "motif": motif, "options": _options(module) | layout} | _frozen(module)
    raise UserError(f"module: a MotifNetwork, MixedLayer, MotifLayer or MotifCell, not {type(module).__name__}")


def _options(cell):
    return cell.settings | {"dtype": str(cell.lif.table.dtype).removeprefix("torch.")}


def _frozen(module):
    return {"frozen": [name for name, parameter in module.named_parameters() if not parameter.requires_grad]}


def from_description(data: dict):
    """Make the module of a description."""
    data = dict(data)
    kind, frozen = data.pop("type"), set(data.pop("frozen"))
    if kind == "MotifNetwork":
        module: nn.Module = MotifNetwork([from_description(layer) for layer in data.pop("layers")], **data)
    elif kind == "MixedLayer":
        module = MixedLayer([from_description(layer) for layer in data["layers"]])
    elif kind in ("MotifLayer", "MotifCell"):
        motif, options = loads(json.dumps(data.pop("motif"))), data.pop("options")
        options |= {"dtype": getattr(torch, options["dtype"]), "trainable": tuple(options["trainable"])}
        if kind == "MotifCell":
            module = MotifCell(motif, **options)
        else:
            lateral = data.pop("lateral")
            module = MotifLayer(motif, lateral=None if lateral is None else Lateral(**lateral), **data, **options)
    else:
        raise UserError(f"module: an unknown type {kind!r}")
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name not in frozen)
    return module
