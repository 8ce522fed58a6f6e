"""Simulation of one circuit."""

import threading

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.numerics.simd import LANES
from circuits.simulation import kernel
from circuits.simulation.drive import drive_of, sampled
from circuits.simulation.drive import lanes as lanes_of
from circuits.simulation.environments.model import checked
from circuits.simulation.noise import Noise
from circuits.simulation.packed import PackedCircuits, from_circuit
from circuits.simulation.population import in_threads
from circuits.simulation.raster import Raster, lane_masks, pack, unpack
from circuits.simulation.stimulus import dense
from circuits.simulation.traces import Traces
from circuits.synapses import stdp


def simulate(
    circuit: Circuit,
    spikes,
    duration_ms: float | None = None,
    dtype="float64",
    *,
    seed: int = 0,
    record=None,
    record_trials=(0,),
    environment=None,
    sequence: int = 1,
    threads: int | None = None,
    grid: str = "exact",
    signals=None,
) -> Raster:
    """Simulate a circuit from rest.

    Parameters
    ----------
    circuit : Circuit
        The circuit.
    spikes : ndarray or nested lists
        Input spikes: bool [trials, steps, channels], where row k holds the spikes stamped (k + 1) dt; or spike times in ms,
        `spikes[trial][channel]`, ascending, with dt <= time <= duration_ms.
    duration_ms : float, optional
        Duration of a trial in ms; needed for spike times.
    dtype : {"float64", "float32"}
        Precision: float64 is the reference, float32 is what the search uses.
    seed : int
        Seed of the membrane noise (`noise_mv`).
    record : list of str or int, or "all", optional
        Ids of neurons whose membrane potential and currents are recorded, as `raster.traces`.
    record_trials : sequence of int
        Numbers of the trials to record.
    environment : Environment, optional
        A closed loop, in which the outputs of the circuit determine its inputs. Of `spikes` only the shape is used then; the
        resulting inputs are `raster.stimulus`.
    sequence : int
        Number of consecutive trials of a sequence. Trials 0 to sequence - 1 are the first sequence, and so on. Every trial
        starts from rest, but plastic synapses (stdp) keep their weights from the trial before.
    threads : int, optional
        Number of threads, by default one per processor; the result does not depend on it.
    grid : {"exact", "nearest", "up"}
        Rule for spike times between two steps, see `circuits.on_grid`.
    signals : dict or ndarray, optional
        Signals of sampled channels: by the name of the signal (`Sampled.of`) a pair (sample_ms, values), values [samples] for
        all trials or [trials, samples]. A sample holds until the next one, and a step has the mean over its length. Or the
        drive itself, centered and scaled: float [trials, steps, sampled channels].

    Returns
    -------
    Raster
        The spikes of all neurons of the circuit, one column per neuron.

    Raises
    ------
    circuits.errors.UserError
        With one line that names the trial and the channel of wrong input.

    Examples
    --------
    >>> import circuits
    >>> raster = circuits.simulate(circuits.zoo["onset-2"].circuit, [[[5.0, 6.0, 7.0]]], duration_ms=100)
    >>> raster.names, raster.counts().shape
    (('I0', 'E0'), (1, 2))
    """
    if dtype not in ("float32", "float64", np.float32, np.float64):
        raise UserError(f"dtype: float32 or float64, not {dtype}")
    stimuli = dense(circuit, spikes, duration_ms, grid)
    trials, steps, _ = stimuli.shape
    if not (isinstance(sequence, int) and sequence >= 1 and trials % sequence == 0):
        raise UserError(f"sequence: {trials} trials are no whole number of sequences of {sequence}")
    if not (isinstance(seed, int | np.integer) and seed >= 0):
        raise UserError(f"seed: a whole number from 0, not {seed!r}")
    if threads is not None and not (isinstance(threads, int) and threads >= 1):
        raise UserError(f"threads: a whole number from 1, not {threads!r}")
    watched, chosen = _chosen(circuit, record, record_trials, trials)
    tables = from_circuit(circuit, np.dtype(dtype))
    drive = drive_of(sampled(circuit), signals, circuit.dt_ms, trials, steps)
    # A lane is a sequence: block b of the p-th trials has the number b * sequence + p.
    lanes = trials // sequence
    if environment is not None:
        checked(environment, trials, tables.channels, tables.readout.shape[1])
        environment = environment._replace(start=_in_blocks(environment.start, sequence))
    run = _Run(tables, steps, seed, watched, environment)
    bits = np.stack([pack(stimuli[p::sequence]) for p in range(sequence)])
    waves = np.stack([lanes_of(drive[p::sequence], tables.table.dtype) for p in range(sequence)])
    out = np.empty((*bits.shape[:3], tables.channels + len(circuit.neurons)), "u8")
    recorded = np.empty((len(chosen), len(watched), steps, len(circuit.model.states)))
    final_weights = None if tables.stdp is None else np.empty((trials, len(tables.stdp.weight)))

    def block(b):
        scratch = run.scratch()
        for p in range(sequence):
            recordings = [(k, t) for k, t in enumerate(chosen) if t % sequence == p and t // sequence // LANES == b]
            out[p, b] = run.block(scratch, bits[p, b], waves[p, b], b * sequence + p, p > 0, bool(recordings))
            for k, t in recordings:
                recorded[k] = run.trace(t // sequence % LANES)
            if final_weights is not None:
                of_block = final_weights[p::sequence][b * LANES : (b + 1) * LANES]
                of_block[:] = run.weights(scratch)[: len(of_block)]

    in_threads(block, range(bits.shape[1]), threads)
    out &= lane_masks(lanes)[:, None, None]
    if sequence > 1:
        out = pack(np.stack([unpack(part, lanes) for part in out], axis=1).reshape(trials, steps, -1))[None]
    names = tuple(n.id for n in circuit.neurons)
    inputs, fired = np.split(out[0], [tables.channels], axis=-1)
    return Raster(
        fired,
        trials,
        circuit.dt_ms,
        names,
        tuple(tables.readout[0]),
        excitatory=circuit.excitatory,
        stimulus=Raster(inputs, trials, circuit.dt_ms, tuple(c.name for c in circuit.inputs)),
        traces=_traces(circuit, watched, chosen, recorded) if record is not None else None,
        weights_mv=final_weights,
    )


class _Run:
    """The kernel prepared for one circuit; one scratch per thread."""

    def __init__(self, tables: PackedCircuits, steps: int, seed: int, watched, environment):
        self.tables, self.steps, self.environment = tables, steps, environment
        self.noise = Noise.of(seed) if tables.noisy else None
        slot = np.full(len(tables.table[0]), -1)
        slot[watched] = np.arange(len(watched))
        self.slot, self.shape = slot, (len(watched), steps, tables.model.states, LANES)
        self.local = threading.local()

    def scratch(self):
        if not hasattr(self.local, "scratch"):
            self.local.scratch = kernel.scratch(self.tables, self.steps, self.environment)
        return self.local.scratch

    def block(self, scratch, bits, waves, number, keep_weights, record):
        """Run one block; returns the words of all channels and neurons, [steps, channels + neurons]."""
        t = self.tables
        scratch.raster[t.history :, : t.channels] = bits
        scratch.signal[t.history * t.sampled * LANES :] = waves.reshape(-1)
        self.local.values = kernel.aligned(int(np.prod(self.shape)), t.table.dtype) if record else None
        if record:
            scratch = scratch._replace(trace=kernel.Trace(self.slot, self.local.values))
        extras = t.short_term, t.stdp, self.noise, self.environment, number * LANES, t.drive, None
        kernel.run(t, 0, scratch, t.history, len(scratch.raster), keep_weights, *extras)
        return scratch.raster[t.history :]

    def trace(self, lane):
        """The states recorded in one lane, [watched, steps, states]."""
        return self.local.values.reshape(self.shape)[..., lane]

    def weights(self, scratch):
        """The final weights of stdp synapses in mV, [lanes, synapses]."""
        count = len(self.tables.stdp.weight)
        share = scratch.stdp[: count * stdp.STATES * LANES].reshape(count, stdp.STATES, LANES)[:, 0]
        return (np.abs(self.tables.stdp.weight)[:, None] * share).T


def _in_blocks(start, sequence):
    """The initial states of the trials by block and lane; 0 in lanes without a trial."""
    lanes = len(start) // sequence
    starts = np.zeros((-(-lanes // LANES), sequence, LANES, start.shape[1]), "f4")
    for p in range(sequence):
        for b, block in enumerate(starts):
            trials = start[p::sequence][b * LANES : (b + 1) * LANES]
            block[p, : len(trials)] = trials
    return starts.reshape(-1, start.shape[1])


def _chosen(circuit, record, record_trials, trials):
    """The numbers of the neurons and trials to record."""
    names = [n.id for n in circuit.neurons]
    if not (record is None or isinstance(record, list | tuple) or record == "all"):
        raise UserError(f'record: "all" or a list of ids of neurons, not {record!r}')
    recorded = [] if record is None else names if isinstance(record, str) and record == "all" else list(record)
    for name in recorded:
        if name not in names:
            raise UserError(f"record: there is no neuron {name!r}; there are {', '.join(map(repr, names))}")
    for trial in record_trials:
        if not (isinstance(trial, int | np.integer) and 0 <= trial < trials):
            raise UserError(f"record_trials: there is no trial {trial!r}; there are 0 to {trials - 1}")
    return [names.index(name) for name in recorded], [int(t) for t in record_trials] if recorded else []


def _traces(circuit, watched, chosen, recorded):
    v_rest = circuit.parameters[watched, circuit.model.names.index("v_rest_mv")]
    v, i_e, i_i, *further = np.moveaxis(recorded, (0, 1, 2, 3), (1, 3, 2, 0))
    names = circuit.model.states[3:]
    return Traces(
        v + v_rest,
        i_e,
        i_i,
        tuple(circuit.neurons[n].id for n in watched),
        tuple(chosen),
        circuit.dt_ms,
        dict(zip(names, further, strict=True)),
    )
