"""Models of plastic synapses, one file each; `model.py` explains the parts of a model.

A static synapse has only a weight and a delay, and needs no model.
"""

from circuits.synapses.model import SynapseModel
from circuits.synapses.short_term import SHORT_TERM, ShortTerm
from circuits.synapses.stdp import STDP, Stdp

MODELS: dict[str, SynapseModel] = {model.name: model for model in (SHORT_TERM, STDP)}

__all__ = ["MODELS", "ShortTerm", "Stdp", "SynapseModel"]
