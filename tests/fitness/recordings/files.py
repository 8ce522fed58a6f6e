"""One recording in files of every kind."""

import csv
import io

import numpy as np

from fitness.recordings import Recording, Signal

DURATION = 200.0


def content(trials=6, seed=1):
    """Trials as `Recording.of` takes them: two inputs, one of them silent at times, and two outputs."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(trials):
        trains = [np.sort(np.round(rng.uniform(0, DURATION, n), 3)) for n in (8, k % 2, 6, 3)]
        found.append((str(k), DURATION, {"a": trains[0], "b": trains[1]}, {"x": trains[2], "y": trains[3]}))
    return found


def recording(**given) -> Recording:
    return Recording.of(content(**given))


def driven(trials=2, steps=400, sample_ms=0.5, seed=4):
    """Trials with a sampled signal that a neuron follows: what it drives is a spike wherever it rises above 1."""
    rng, found = np.random.default_rng(seed), []
    for k in range(trials):
        values = np.zeros(steps)
        for i in range(1, steps):
            values[i] = 0.95 * values[i - 1] + rng.normal(0, 0.4)
        values = np.round(values, 6)
        times = (np.flatnonzero((values[1:] > 1) & (values[:-1] <= 1)) + 5) * sample_ms
        signals = {"wave": Signal(sample_ms, values, "pA")}
        found.append((str(k), steps * sample_ms, {}, {"x": times[times <= steps * sample_ms]}, signals))
    return found


def rows(trials):
    for trial, _, *roles in (one[:4] for one in trials):
        for role, trains in zip(("input", "output"), roles, strict=True):
            for name, times in trains.items():
                yield from ((trial, role, name, repr(float(ms))) for ms in times)
                if not len(times):
                    yield trial, role, name, ""


def as_csv(trials=None, header=f"# duration_ms = {DURATION}\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    trials = content() if trials is None else trials
    more = ("",) if len(trials[0]) > 4 else ()
    writer.writerow(("trial", "role", "name", "time_ms", "quality", *("value" for _ in more)))
    writer.writerows((*row, "good", *more) for row in rows(trials))
    for trial, *_, signals in (one for one in trials if len(one) > 4):
        for name, signal in signals.items():
            samples = zip(np.arange(len(signal.values)) * signal.dt_ms, signal.values, strict=True)
            writer.writerows((trial, "signal", name, repr(float(t)), "", repr(float(v))) for t, v in samples)
            header = f"# unit {name} = {signal.unit}\n" + header.replace(f"# unit {name} = {signal.unit}\n", "")
    return (header + text.getvalue()).encode()


def as_npz(trials=None, **more) -> bytes:
    trials = content() if trials is None else trials
    trial, role, name, ms = zip(*rows(trials), strict=True)
    file = io.BytesIO()
    times = np.array([float(t) if t else np.nan for t in ms])
    if len(trials[0]) > 4:
        more |= {"trial_names": np.array([one[0] for one in trials])}
    for key, signal in trials[0][4].items() if len(trials[0]) > 4 else ():
        more |= {f"signal_{key}": np.array([one[4][key].values for one in trials])}
        more |= {f"signal_{key}_dt_ms": signal.dt_ms, f"signal_{key}_unit": signal.unit}
    np.savez(
        file, trial=np.array(trial), role=np.array(role), name=np.array(name), time_ms=times, duration_ms=trials[0][1], **more
    )
    return file.getvalue()


def as_nwb(path, trials=None) -> bytes:
    from datetime import UTC, datetime

    import pynwb

    trials = content() if trials is None else trials
    nwb = pynwb.NWBFile("recorded", "one", datetime(2026, 1, 1, tzinfo=UTC))
    starts = [k * 1.5 for k in range(len(trials))]
    for start, trial in zip(starts, trials, strict=True):
        nwb.add_trial(start_time=start, stop_time=start + trial[1] / 1000)
    nwb.add_unit_column("unit_name", "of the train")
    nwb.add_unit_column("role", "input or output")
    for role, place in (("input", 2), ("output", 3)):
        for name in trials[0][place]:
            times = np.concatenate([start + trial[place][name] / 1000 for start, trial in zip(starts, trials, strict=True)])
            nwb.add_unit(spike_times=times, unit_name=name, role=role)
    for key, signal in trials[0][4].items() if len(trials[0]) > 4 else ():
        gap = np.zeros(round(1500 / signal.dt_ms) - len(signal.values))
        values = np.concatenate([part for one in trials for part in (one[4][key].values, gap)])
        rate = {"rate": 1000 / signal.dt_ms, "starting_time": 0.0}
        nwb.add_stimulus(pynwb.TimeSeries(name=key, data=values, unit=signal.unit, **rate))
    with pynwb.NWBHDF5IO(str(path), "w") as file:
        file.write(nwb)
    return path.read_bytes()


def as_neo(trials=None):
    """A block of Neo's, in seconds, each segment beginning at 2 s."""
    import neo
    import quantities as pq

    block = neo.Block()
    for one in content() if trials is None else trials:
        _, duration, *roles = one[:4]
        segment = neo.Segment()
        block.segments.append(segment)
        for key, signal in one[4].items() if len(one) > 4 else ():
            sampled = {"units": signal.unit, "t_start": 2 * pq.s, "sampling_period": signal.dt_ms * pq.ms, "name": key}
            segment.analogsignals.append(neo.AnalogSignal(signal.values[:, None], **sampled))
        for role, trains in zip(("input", "output"), roles, strict=True):
            for name, times in trains.items():
                where = {"t_start": 2 * pq.s, "t_stop": (2 + duration / 1000) * pq.s}
                segment.spiketrains.append(neo.SpikeTrain((2 + times / 1000) * pq.s, name=name, role=role, **where))
    return block


def as_sonata(trial=None) -> bytes:
    import h5py

    _, _, inputs, outputs = content(1)[0] if trial is None else trial
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        for population, trains, unit in (("input", inputs, "seconds"), ("cortex", outputs, "milliseconds")):
            group = h5.create_group(f"spikes/{population}")
            times = np.concatenate(list(trains.values()))
            group["timestamps"] = times / 1000 if unit == "seconds" else times
            group["timestamps"].attrs["units"] = unit
            group["node_ids"] = np.repeat(np.arange(len(trains)), [len(t) for t in trains.values()])
    return file.getvalue()
