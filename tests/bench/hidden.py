"""Hidden circuits and recordings of some of their neurons."""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.graph.wiring import live
from circuits.simulation.simulate import simulate
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import parse
from fitness.base.trials import Interface
from fitness.recordings import Recording

RATES_HZ = 5.0, 60.0
FORGOTTEN_MS = 400.0
DT_MS, CHANNELS = 0.5, ("a", "b", "c")
BOUNDS = """
[task]
name = "hidden"

[circuit]
neurons = [{least}, {least}]
excitatory_share = [0.4, 1.0]
in_degree = 5
delay_ms = [0.5, 8.0]
excitatory_weight_mv = [4.0, 60.0]
inhibitory_weight_mv = [4.0, 60.0]

[circuit.parameters]
tau_m_ms = [5.0, 30.0]
tau_syn_e_ms = [1.0, 10.0]
tau_syn_i_ms = [2.0, 20.0]
t_ref_ms = [1.0, 5.0]
"""


class Hidden(NamedTuple):
    """circuit: what is to be found;   recording: of its output neurons, with its input trains"""

    circuit: Circuit
    recording: Recording


def hidden(seed: int, neurons: int = 2, recorded: int = 1, seconds: float = 60.0, rate_hz: float = 30.0) -> Hidden:
    """A circuit of so many neurons, each with a way to a recorded one, which fire at 5 to 60 Hz; its inputs are Poisson trains.
    It forgets how it began within 0.4 s: what it does is its input's doing, and can be predicted. The same for the same
    arguments."""
    rng = np.random.default_rng((seed, neurons, recorded))
    ports = tuple(f"n{k}" for k in range(recorded))
    form = parse(BOUNDS.format(least=neurons)).encoding(Interface("hidden", CHANNELS, ports, DT_MS, 1000.0))
    steps = round(1000 * seconds / DT_MS)
    spikes = rng.random((1, steps, len(CHANNELS))) < rate_hz * DT_MS / 1000
    for _ in range(10_000):
        circuit = genome.to_circuit(variation.founders(form.bounds, 1, rng)[0], form, CHANNELS, ports)
        if len(live(circuit).neurons) < neurons or not all(channel.synapses for channel in circuit.inputs):
            continue
        raster = simulate(circuit, spikes).outputs
        rates = raster.rates()[0]
        if (rates > RATES_HZ[0]).all() and (rates < RATES_HZ[1]).all() and _forgets(circuit, spikes, raster):
            given = {name: (np.flatnonzero(column) + 1) * DT_MS for name, column in zip(CHANNELS, spikes[0].T, strict=True)}
            measured = dict(zip(ports, raster.times(0), strict=True))
            return Hidden(circuit, Recording.of([("0", 1000 * seconds, given, measured)]))
    raise RuntimeError(f"no circuit of {neurons} neurons fires at {RATES_HZ} Hz")


def _forgets(circuit, spikes, raster):
    """Does it, begun at rest amid the recording, do the same soon?"""
    begin, soon = spikes.shape[1] // 4, round(FORGOTTEN_MS / DT_MS)
    later = simulate(circuit, spikes[:, begin:]).outputs.spikes()[0, soon:]
    before = raster.spikes()[0, begin + soon :]
    return ((later & before).sum(axis=0) >= 0.99 * before.sum(axis=0)).all()


def to_csv(recording: Recording) -> str:
    """The recording as a CSV file's text."""
    lines = [f"# duration_ms = {recording.trials[0].duration_ms:g}", "trial,role,name,time_ms"]
    for trial in recording.trials:
        for role, names, trains in (
            ("input", recording.inputs, trial.inputs),
            ("output", recording.outputs, trial.outputs),
        ):
            lines += [f"{trial.name},{role},{n},{ms:g}" for n, times in zip(names, trains, strict=True) for ms in times]
    return "\n".join(lines) + "\n"
