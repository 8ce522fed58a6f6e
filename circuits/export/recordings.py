"""Rasters and traces as recordings: Neo objects (https://neo.readthedocs.io) and NWB files (https://www.nwb.org).

Trials are Neo's segments and the rows of NWB's table of trials, one after the other with a step between them, since a spike may
fall at the very end of a trial. Neurons and input channels are spike trains and units, distinguished by `role`.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import MachineError, UserError
from circuits.export.names import HDF5
from circuits.optional import optional
from circuits.simulation.raster import Raster

INSTALL = "pip install 'evocircuits[recordings]'"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # a simulated session has no date
POTENTIAL, CURRENTS = "v_mv", ("i_e_mv", "i_i_mv")


def to_neo(raster: Raster) -> Any:
    """A neo.Block of a raster of one circuit: a Segment for each trial, named by its number.

    Spike trains are in ms and annotated with `role`, input or output, and for neurons with `sign`, E or I, and `read`, whether
    an output port reads them. Traces are an AnalogSignal for each variable, `v_mv` and the currents in mV, [steps,
    neurons], with the neurons' names in its array annotation `neuron`. Raises UserError for many circuits, MachineError if neo
    is missing.
    """
    neo, quantities = (optional(package, "this", INSTALL) for package in ("neo", "quantities"))
    _check_single(raster)
    stop, traces = raster.duration_ms, raster.traces
    block = neo.Block(name="evocircuits", description=f"simulated at {raster.dt_ms:g} ms")
    for trial in range(raster.trials):
        segment = neo.Segment(name=str(trial), index=trial)
        for name, facts, times in _trains(raster, trial):
            segment.spiketrains.append(neo.SpikeTrain(times, units="ms", t_start=0.0, t_stop=stop, name=name, **facts))
        if traces is not None and trial in traces.trials:
            row = traces.trials.index(trial)
            for variable, values in _variables(traces).items():
                signal = neo.AnalogSignal(
                    values[row],
                    units="mV" if variable.endswith("_mv") else "dimensionless",
                    t_start=traces.dt_ms * quantities.ms,
                    sampling_period=traces.dt_ms * quantities.ms,
                    name=variable,
                    array_annotations={"neuron": np.array([str(name) for name in traces.names])},
                )
                segment.analogsignals.append(signal)
        block.segments.append(segment)
    return block


def to_nwb(raster: Raster, path, description: str = "simulated by evocircuits", start: datetime = BEGINNING) -> Path:
    """Write a raster of one circuit as the NWB file `path`, which must not exist; returns the path.

    Units have the columns `unit_name`, `role` (input or output), `sign` (E or I, empty for inputs) and `read` (does an output
    port read them?); trials have `start_time`, `stop_time` and `trial`, their number. Traces are in `acquisition`, a
    TimeSeries VARIABLE-TRIAL [steps, neurons] in volts, the neurons' names in its comments.

    description, start  of the session, which NWB requires; a simulation has no date

    Raises UserError for many circuits, a path that exists or a name that HDF5 cannot hold, MachineError if pynwb is missing.
    """
    pynwb, path = optional("pynwb", "this", INSTALL), Path(path)
    _check_single(raster)
    if path.exists():
        raise UserError(f"{path}: exists already; choose another path or remove it")
    identifier = hashlib.sha256(np.ascontiguousarray(raster.bits).tobytes()).hexdigest()
    file = pynwb.NWBFile(session_description=description, identifier=identifier, session_start_time=start)
    every_s = (raster.duration_ms + raster.dt_ms) / 1000
    file.add_trial_column("trial", "number of the trial")
    for trial in range(raster.trials):
        begin = trial * every_s
        file.add_trial(start_time=begin, stop_time=begin + raster.duration_ms / 1000, trial=str(trial))
    for column, text in (("unit_name", "neuron or input channel"), ("role", "input or output"), ("sign", "E or I")):
        file.add_unit_column(column, text)
    file.add_unit_column("read", "does an output port read it?")
    for name, facts, times in _trains_of_all_trials(raster, every_s):
        if set(name) & {"\0"}:
            raise UserError(f"{path}: a name has {HDF5.description}: {name!a}")
        file.add_unit(
            spike_times=times, unit_name=name, role=facts["role"], sign=facts.get("sign", ""), read=facts.get("read", False)
        )
    for series in _series(pynwb, raster, every_s):
        file.add_acquisition(series)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pynwb.NWBHDF5IO(str(path), "w") as out:
            out.write(file)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise MachineError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def _check_single(raster):
    if raster.bits.ndim != 3:
        raise UserError(f"raster: of one circuit, not of {raster.bits.shape[0]}; take one with circuit by circuit `simulate`")


def _trains(raster, trial):
    """Name, facts and times (ms) of each spike train of a trial: input channels, then neurons."""
    if raster.stimulus is not None:
        for name, times in zip(raster.stimulus.names, raster.stimulus.times(trial), strict=False):
            yield str(name), {"role": "input"}, times
    excitatory = raster.excitatory if raster.excitatory is not None else [None] * raster.bits.shape[-1]
    names = raster.names or range(raster.bits.shape[-1])
    for column, (name, times) in enumerate(zip(names, raster.times(trial), strict=True)):
        sign = {} if excitatory[column] is None else {"sign": "E" if excitatory[column] else "I"}
        read = raster.readout is None or column in raster.readout
        yield str(name), {"role": "output", "read": bool(read), **sign}, times


def _trains_of_all_trials(raster, every_s):
    """The same with the times (s) of all trials, which start every `every_s`."""
    trials = [list(_trains(raster, trial)) for trial in range(raster.trials)]
    for trains in zip(*trials, strict=True):
        name, facts, _ = trains[0]
        yield name, facts, np.concatenate([trial * every_s + times / 1000 for trial, (*_, times) in enumerate(trains)])


def _variables(traces):
    """Recorded states by name: [trials, steps, neurons] each."""
    return {POTENTIAL: traces.v_mv} | {name: getattr(traces, name) for name in CURRENTS} | traces.further


def _series(pynwb, raster, every_s):
    traces = raster.traces
    if traces is None:
        return
    for row, trial in enumerate(traces.trials):
        for variable, values in _variables(traces).items():
            in_mv = variable.endswith("_mv")
            yield pynwb.TimeSeries(
                name=f"{variable}-{trial}",
                data=np.asarray(values[row], "f8"),
                unit="volts" if in_mv else "unknown",
                conversion=1e-3 if in_mv else 1.0,
                starting_time=trial * every_s + traces.dt_ms / 1000,
                rate=1000 / traces.dt_ms,
                comments=f"neurons: {', '.join(str(name) for name in traces.names)}",
            )
