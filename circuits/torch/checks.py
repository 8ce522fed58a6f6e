"""Checks of a cell's options and inputs; each refusal is one line."""

import math

import torch

from circuits.circuit import MAX_DELAY_STEPS, Circuit
from circuits.errors import UserError
from circuits.neurons import NeuronModel
from circuits.torch.models import FORMS
from circuits.torch.positive import WEIGHTS
from circuits.torch.surrogate import SURROGATES

TRAINABLE = ("weights", "bias", "time_constants", "thresholds", "delays")
ENGINES = ("auto", "fused", "eager")
CREDITS = ("full", "local", "eprop")


def has_rates(model: NeuronModel) -> bool:
    """Does the model have a rate form: a membrane time constant, those of the synaptic currents, and a threshold?"""
    return {"tau_m_ms", "tau_syn_e_ms", "tau_syn_i_ms", "v_th_mv"} <= set(model.names)


def checked(motif, trainable, parametrisation, surrogate, slope, dtype, copies, longest_delay_ms, engine) -> int | None:
    """The maximal delay in steps where delays are trained, else None. Raises UserError for options that a cell cannot have."""
    if not isinstance(motif, Circuit):
        raise UserError(f"motif: a Motif or a Circuit, not {type(motif).__name__}")
    if motif.neuron_model not in FORMS:
        rates = "take its rate form, MotifRateCell, or " if has_rates(motif.model) else ""
        models = f"neurons of {', '.join(FORMS)}, not of {motif.neuron_model}"
        raise UserError(
            f"motif: the torch module has {models}; {rates}evolve with neuron_model = lif_psc_exp, or use --to brian2"
        )
    synapses = [synapse for _, synapse in motif.all_synapses]
    if any(s.stdp for s in synapses):
        raise UserError(
            "motif: the torch module has static and short_term synapses, not stdp synapses; evolve with "
            "synapse_model = static, or use --to brian2"
        )
    plastic = any(s.short_term for s in synapses)
    if plastic and "delays" in trainable:
        raise UserError("trainable: delays of synapses with short-term plasticity cannot be trained")
    if engine == "fused" and (plastic or not FORMS[motif.neuron_model].linear):
        unsupported = "short_term synapses" if plastic else f"neurons of {motif.neuron_model}"
        kinds = " and ".join(name for name, form in FORMS.items() if form.linear)
        raise UserError(f'engine: "fused" has static synapses and {kinds} neurons, no {unsupported}; use "auto"')
    if isinstance(trainable, str) or not set(trainable) <= set(TRAINABLE):
        raise UserError(f"trainable: a tuple of {', '.join(TRAINABLE)}, not {trainable!r}")
    one_of("parametrisation", parametrisation, WEIGHTS)
    one_of("surrogate", surrogate, SURROGATES)
    one_of("engine", engine, ENGINES)
    if not (isinstance(slope, (int, float)) and 0 < slope < math.inf):
        raise UserError(f"slope: a number above 0 (1/mV), not {slope!r}")
    if dtype not in (torch.float32, torch.float64):
        raise UserError(f"dtype: torch.float32 or torch.float64, not {dtype}")
    if copies is not None:
        whole_number("copies", copies)
    return _longest(motif, synapses, trainable, longest_delay_ms)


def _longest(motif, synapses, trainable, longest_delay_ms):
    if "delays" not in trainable:
        if longest_delay_ms is not None:
            raise UserError('longest_delay_ms: is for trained delays: trainable=("weights", "delays")')
        return None
    longest = max((round(s.delay_ms / motif.dt_ms) for s in synapses), default=1)
    if longest_delay_ms is None:
        return min(2 * longest, MAX_DELAY_STEPS)
    steps = longest_delay_ms / motif.dt_ms if isinstance(longest_delay_ms, (int, float)) else math.nan
    if not max(longest, 2) - 0.5 <= steps < MAX_DELAY_STEPS + 0.5 or abs(steps - round(steps)) > 1e-6:
        expected = f"whole steps of dt_ms = {motif.dt_ms:g}, at least the longest delay of the motif and 2"
        raise UserError(f"longest_delay_ms: {expected}, not {longest_delay_ms!r}")
    return round(steps)


def check_credit(motif, trainable, dampening, clip, credit):
    """Raise UserError for invalid options of the backward pass."""
    if not (_is_number(dampening) and 0 < dampening <= 1):
        raise UserError(f"dampening: a number above 0 and at most 1, not {dampening!r}")
    if clip is not None and not (_is_number(clip) and 0 < clip < math.inf):
        raise UserError(f"clip: a number above 0 (1/mV), or None, not {clip!r}")
    one_of("credit", credit, CREDITS)
    if credit != "eprop":
        return
    if motif.neuron_model not in ("lif_psc_exp", "alif_psc_exp"):
        raise UserError(f'credit: "eprop" is for neurons of lif_psc_exp and alif_psc_exp, not of {motif.neuron_model}')
    if any(synapse.short_term for _, synapse in motif.all_synapses):
        raise UserError('credit: "eprop" is for static synapses, not for those with short-term plasticity')
    if not set(trainable) <= {"weights", "bias"}:
        raise UserError(
            f'credit: "eprop" trains weights and bias, not {", ".join(sorted(set(trainable) - {"weights", "bias"}))}'
        )
    if clip is not None:
        raise UserError('clip: is for backpropagation through time; "eprop" has no backward state')


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def one_of(name, value, options):
    """Raise UserError for a value that is none of the options."""
    if value not in options:
        raise UserError(f"{name}: one of {', '.join(options)}, not {value!r}")


def whole_number(name, value):
    """Raise UserError unless the value is a whole number above 0."""
    if not (isinstance(value, int) and value >= 1):
        raise UserError(f"{name}: a whole number above 0, not {value!r}")


def describe(x) -> str:
    """The type of a wrong input, of a tensor the shape, for messages."""
    if not isinstance(x, torch.Tensor):
        return type(x).__name__
    return f"{list(x.shape)}" + (f" of {x.dtype}" if x.is_complex() else "")


def is_real(x, axes: tuple[int, ...], size: int) -> bool:
    """Is it a real tensor, with one of these numbers of axes, the last of this size?"""
    return isinstance(x, torch.Tensor) and not x.is_complex() and x.ndim in axes and x.shape[-1] == size


def check_input(cell, x, state, lead):
    """Raise UserError for an input or a state of the wrong shape."""
    axes = "batch, " if cell.copies is None else f"{cell.copies} copies, batch, "
    expected = f"[{axes}{cell.channels} channels], alone or for each of several steps"
    actual = f"a tensor {describe(x)}" if isinstance(x, torch.Tensor) else f"a {describe(x)}"
    if not is_real(x, (lead + 1, lead + 2), cell.channels):
        raise UserError(f"x: must be {expected}, not {actual}")
    copies = 0 if x.ndim == lead + 1 or cell.batch_first else 1
    if cell.copies is not None and x.shape[copies] != cell.copies:
        raise UserError(f"x: must be {expected}, not {actual}")
    batch = x.shape[-3 if cell.batch_first and x.ndim == lead + 2 else -2]
    shape = [batch] if cell.copies is None else [cell.copies, batch]
    if state is not None and list(state.v.shape[:-1]) != shape:
        raise UserError(f"state: of a batch of {list(state.v.shape[:-1])}, but the input has {shape}")
    if state is not None and state.v.dtype != cell.lif.table.dtype:
        raise UserError(f"state: of {state.v.dtype}, but the cell is of {cell.lif.table.dtype}")
