"""The state of a training: parameters, optimiser, curves and the best parameters so far; saved and resumed."""

import json
import math
from dataclasses import asdict
from typing import Any

import torch

from circuits.errors import UserError
from circuits.files import read_bytes
from circuits.motif_file import write_whole
from circuits.torch.files import MAX_BYTES, as_bytes, from_bytes
from circuits.torch.training.history import History

FORMAT = "evocircuits training 1"
CHANGES = {"bias_mv": 5.0, "log_": 0.5}  # scale of changes to parameters that may start at 0


class Training:
    """A training that can be saved between steps."""

    def __init__(self, network, steps, rate, optimiser, seed):
        self.network, self.steps, self.step, self.history = network, steps, 0, History()
        self.settings = {"steps": steps, "rate": rate, "seed": seed}
        self.best: dict | None = None
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.falls = optimiser is None
        if optimiser is None:
            groups = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
            self.optimiser: Any = torch.optim.Adam([{"params": [p], "lr": rate * _scale(name, p)} for name, p in groups])
        else:
            self.optimiser = optimiser(self.parameters)
        self.first = [group["lr"] for group in self.optimiser.param_groups]

    def schedule(self):
        factor = (1 + math.cos(math.pi * self.step / self.steps)) / 2 if self.falls else 1.0
        for group, first in zip(self.optimiser.param_groups, self.first, strict=True):
            group["lr"] = first * factor

    def finite(self, clip_norm) -> bool:
        max_norm = math.inf if clip_norm is None else clip_norm
        return bool(torch.nn.utils.clip_grad_norm_(self.parameters, max_norm).isfinite())

    def judged(self, loss, score, patience):
        history = self.history
        if self.best is None or score > max(history.validation_score):
            self.best = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        history.validation_loss.append(loss)
        history.validation_score.append(score)
        scores = history.validation_score
        history.stopped = patience is not None and len(scores) - 1 - scores.index(max(scores)) >= patience

    def restore_best(self):
        if self.best is not None:
            self.network.load_state_dict(self.best)

    def save(self, path):
        state = self.optimiser.state_dict()
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in (self.best or {}).items()}
        for k, values in state["state"].items():
            tensors |= {f"optimiser.{k}.{name}": torch.as_tensor(value) for name, value in values.items() if value is not None}
        data = {"format": FORMAT, "settings": self.settings, "step": self.step, "history": asdict(self.history)}
        write_whole(path, as_bytes(tensors, json.dumps(data | {"first": self.first})))

    def resume(self, path):
        tensors, text = from_bytes(read_bytes(path, MAX_BYTES), path)
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise UserError(f"{path}: no checkpoint of `circuits.torch.training.fit`; choose another path or remove it")
        for name, value in self.settings.items():
            if data["settings"].get(name) != value:
                raise UserError(f"{path}: has a training with {name} = {data['settings'].get(name)!r}, not {value!r}")
        try:
            self.network.load_state_dict(_below(tensors, "network."))
        except RuntimeError:
            raise UserError(f"{path}: has the training of another network; choose another path or remove it") from None
        self.best = _below(tensors, "best.") or None
        state = self.optimiser.state_dict()
        values: dict[int, dict] = {}
        for name, tensor in _below(tensors, "optimiser.").items():
            number, _, key = name.partition(".")
            values.setdefault(int(number), {})[key] = tensor
        self.optimiser.load_state_dict({"state": values, "param_groups": state["param_groups"]})
        self.step, self.first, self.history = data["step"], data["first"], History(**data["history"])


def _below(tensors, prefix):
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _scale(name, parameter) -> float:
    """The scale of a parameter: the root mean square of its values, or that of changes if values may be 0."""
    scales = (value for prefix, value in CHANGES.items() if name.rpartition(".")[2].startswith(prefix))
    root_mean_square = float(parameter.detach().square().mean().sqrt()) if parameter.numel() else 0.0
    return next(scales, root_mean_square or 1.0)
