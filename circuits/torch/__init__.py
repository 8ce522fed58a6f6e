"""Motifs as trainable modules: one circuit (`MotifCell`), a layer of copies (`MotifLayer`), a classifier (`MotifNetwork`).

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

from circuits.torch.cell import MotifCell, State
from circuits.torch.layer import MotifLayer
from circuits.torch.network import MotifNetwork

__all__ = ["MotifCell", "MotifLayer", "MotifNetwork", "State"]
