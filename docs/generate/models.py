"""A page for each neuron and synapse model: its equations, a picture of how it answers, its parameters."""

import numpy as np

import circuits
from circuits import neurons, synapses
from generate.markdown import contents, page, picture, prose, table

VOLLEYS = [[[*np.arange(20.0, 150.0, 4.0), 250.0]]]  # of the one trial, on its one channel, in ms
WEIGHT = {"lif_psc_exp": 50, "alif_psc_exp": 80, "lif_cond_exp": 50, "izhikevich": 40, "aeif_psc_exp": 80}


def write():
    rows = [(f"[`{m.name}`]({m.name}.md)", "neuron", first(m.neuron)) for m in neurons.MODELS.values()]
    rows += [(f"[`{m.name}`]({m.name}.md)", "synapse", first(m.section)) for m in synapses.MODELS.values()]
    page(
        "models/index.md",
        "# Neuron and synapse models",
        "`[circuit] neuron_model` and `synapse_model` in a run spec name one; the ranges of its parameters stand in "
        "`[circuit.parameters]`. A synapse without a model of its own is static.",
        table(("model", "of", ""), rows),
        contents([*neurons.MODELS, *synapses.MODELS]),
    )
    for model in neurons.MODELS.values():
        picture(f"models/{model.name}.svg", lambda file, name=model.name: response(name).savefig(file))
        caption = (
            "*Membrane potential, excitatory (blue) and inhibitory current with default parameters, for regular input spikes.*"
        )
        one(model.name, model.neuron, model.parameters, caption)
    for model in synapses.MODELS.values():
        picture(f"models/{model.name}.svg", lambda file, name=model.name: train(name).savefig(file))
        caption = (
            "*A neuron that does not reach its threshold, with default parameters of the synapse, for regular input spikes.*"
        )
        one(model.name, model.section, model.parameters, caption)


def one(name, section, parameters, caption):
    rows = ((f"`{key}`", f"{p.default:g}", f"{p.low:g} to {p.high:g}", p.text) for key, p in parameters.items())
    shown = [f"![How {name} answers]({name}.svg)", caption]
    page(
        f"models/{name}.md",
        f"# `{name}`",
        prose(section.__doc__),
        *shown,
        "## Parameters",
        table(("parameter", "default", "range", "meaning"), rows),
    )


def first(section) -> str:
    """The first line of the module in which a model is."""
    import inspect

    return (inspect.getmodule(section).__doc__ or "").strip().splitlines()[0].removesuffix(".")


def response(model: str, **synapse):
    """Input spikes, spikes, potential and currents of one neuron of a model."""
    weight = WEIGHT[model] if not synapse else 30
    target = circuits.neurons.MODELS[model].neuron(id="E", sign="E")
    channel = circuits.InputChannel(name="input", synapses=[{"post": "E", "weight_mv": weight, "delay_ms": 1, **synapse}])
    output = circuits.OutputPort(name="out", neurons=["E"])
    circuit = circuits.Circuit(dt_ms=0.1, neuron_model=model, neurons=[target], inputs=[channel], outputs=[output])
    raster = circuits.simulate(circuit, VOLLEYS, duration_ms=300, record="all")
    return raster.plot(trial=0)[0].figure


def train(model: str):
    """The same for a neuron with a plastic input synapse."""
    return response("lif_psc_exp", **{model: {}})
