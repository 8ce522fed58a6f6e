"""Trainable neuron models in differentiable tensor operations; `form.py` explains their parts."""

from circuits.torch.models.alif import ALIF
from circuits.torch.models.cond import COND
from circuits.torch.models.form import Form
from circuits.torch.models.lif import LIF

FORMS: dict[str, Form] = {form.model.name: form for form in (LIF, ALIF, COND)}

__all__ = ["FORMS", "Form"]
