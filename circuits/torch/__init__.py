"""Motifs as trainable modules: one circuit (`MotifCell`), a layer of copies (`MotifLayer`), several motifs side by side
(`MixedLayer`), a classifier (`MotifNetwork`), and the same circuit with firing rates (`MotifRateCell`).

    cell = MotifCell(circuits.load("motif.json"))
    out, state = cell(x)

x [steps, batch, channels] -> spikes of the output ports [steps, batch, slots].
"""

from circuits.errors import MachineError

try:
    import torch  # noqa: F401  (the library: imports are absolute)
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MachineError("circuits.torch needs PyTorch, which is not installed: pip install 'evocircuits[torch]'") from None

from circuits.torch.assemble import Lateral, assemble
from circuits.torch.cell import MotifCell
from circuits.torch.dense import dense_layer
from circuits.torch.files import load, save
from circuits.torch.initialise import balance_, drive_, spread_
from circuits.torch.layer import MotifLayer
from circuits.torch.networks.mixed import MixedLayer
from circuits.torch.networks.network import MotifNetwork
from circuits.torch.networks.state import NetworkRun, NetworkState
from circuits.torch.rate import MotifRateCell
from circuits.torch.state import State
from circuits.torch.training.fit import fit
from circuits.torch.training.history import History
from circuits.torch.training.optimiser import ExponentiatedGradient, magnitudes
from circuits.torch.training.truncated import Window, windows

__all__ = [
    "ExponentiatedGradient",
    "History",
    "Lateral",
    "MixedLayer",
    "MotifCell",
    "MotifLayer",
    "MotifNetwork",
    "MotifRateCell",
    "NetworkRun",
    "NetworkState",
    "State",
    "Window",
    "assemble",
    "balance_",
    "dense_layer",
    "drive_",
    "fit",
    "load",
    "magnitudes",
    "save",
    "spread_",
    "windows",
]
