"""Neuron models, one file each; `model.py` explains the parts of a model."""

from circuits.neurons.aeif_psc_exp import AEIF_PSC_EXP, AdExNeuron
from circuits.neurons.alif_psc_exp import ALIF_PSC_EXP, AdaptiveNeuron
from circuits.neurons.izhikevich import IZHIKEVICH, IzhikevichNeuron
from circuits.neurons.lif_cond_exp import LIF_COND_EXP, ConductanceNeuron
from circuits.neurons.lif_psc_exp import LIF_PSC_EXP, Neuron
from circuits.neurons.model import Cell, NeuronModel

MODELS: dict[str, NeuronModel] = {
    model.name: model for model in (LIF_PSC_EXP, ALIF_PSC_EXP, LIF_COND_EXP, IZHIKEVICH, AEIF_PSC_EXP)
}

__all__ = [
    "LIF_PSC_EXP",
    "MODELS",
    "AdExNeuron",
    "AdaptiveNeuron",
    "Cell",
    "ConductanceNeuron",
    "IzhikevichNeuron",
    "Neuron",
    "NeuronModel",
]
