"""CSV: a row a spike, with the columns `trial,role,name,time_ms` in any order; further columns are ignored.

    trial,role,name,time_ms
    1,input,a,12.5
    1,output,cell,17.25

`time_s` or `time_us` in place of `time_ms` are other units. A row without a time says that the trial has such a train, which
may be silent. Lines that begin with # are comments; `# duration_ms = 1000` is how long every trial is. Without it trials last
until the last spike of any, rounded up to 100 ms.

Sampled signals are rows of the role signal, with a further column `value`: the samples of a signal in a trial at times that are
evenly spaced and begin at 0, in any order of rows; `# unit NAME = dB` is the unit of the signal NAME.

    trial,role,name,time_ms,value
    1,signal,sound,0,61.25
    1,signal,sound,0.05,61.5
    1,output,cell,17.25,
"""

import csv
import re

import numpy as np

from circuits.errors import UserError
from circuits.files import decoded
from fitness.recordings.recording import Signal
from fitness.recordings.table import COLUMNS, UNITS, as_trials, time_column

UNIT = re.compile(r"#\s*unit\s+(.+?)\s*[=:]\s*(\S.*?)\s*$")
DURATION = re.compile(r"#\s*duration_(ms|s)\s*[=:]\s*(\S+)\s*$")


def trials(content: bytes, name: str, epochs=()):
    """The trials, as `Recording.of` takes them."""
    lines, duration, numbers, units = [], None, [], {}
    for number, line in enumerate(decoded(content, name).splitlines(), 1):
        if line.startswith("#"):
            if match := DURATION.match(line):
                duration = _number(match[2], f"{name}: line {number}: duration") * (1000 if match[1] == "s" else 1)
            elif match := UNIT.match(line):
                units[match[1]] = match[2]
        elif line.strip():
            lines.append(line)
            numbers.append(number)
    if not lines:
        raise UserError(f"{name}: is empty; wanted is a first line trial,role,name,time_ms and then a row for every spike")
    header = [column.strip() for column in next(csv.reader(lines[:1]))]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise UserError(f"{name}: line {numbers[0]}: separate columns by commas; found {header[0]!r}"[:300])
    time = time_column(header, f"{name}: line {numbers[0]}")
    at = [header.index(column) for column in (*COLUMNS, time)]
    value = header.index("value") if "value" in header else None
    rows: list[tuple[str, str, str]] = []
    times: list[float] = []
    line_numbers: list[int] = []
    samples: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for row, number in zip(csv.reader(lines[1:]), numbers[1:], strict=True):
        if len(row) <= max(at):
            raise UserError(f"{name}: line {number}: has {len(row)} columns, the first line names {len(header)}")
        trial, role, train, text = (row[k].strip() for k in at)
        ms = _number(text, f"{name}: line {number}: {time}") * UNITS[time] if text else np.nan
        if role == "signal":
            if value is None or not text:
                raise UserError(f"{name}: line {number}: a sample of a signal needs {time} and value")
            sample = ms, _number(row[value].strip(), f"{name}: line {number}: value"), number
            samples.setdefault((trial, train), []).append(sample)
            continue
        rows.append((trial, role, train))
        times.append(ms)
        line_numbers.append(number)
    if not rows:
        raise UserError(f"{name}: holds no spike below its first line")
    columns = zip(*rows, strict=True)
    spikes = next(columns), next(columns), next(columns), times
    signals: dict[str, dict[str, Signal]] = {}
    for (trial, signal), values in samples.items():
        where = f"{name}: trial {trial}, signal {signal}"
        signals.setdefault(trial, {})[signal] = _signal(values, units.get(signal, ""), where)
    spike_trials = as_trials(*spikes, lambda k: f"{name}: line {line_numbers[k]}", duration)
    trains = [(*one, signals.pop(one[0], {})) for one in spike_trials]
    if signals:
        raise UserError(f"{name}: trial {next(iter(signals))}: has signals, but no row that names a train")
    return trains


def _signal(samples, unit, where):
    """A signal of the rows (time in ms, value, line) of its samples."""
    time, values, lines = (np.array(column, "f8") for column in zip(*sorted(samples), strict=True))
    step = (time[-1] - time[0]) / max(len(time) - 1, 1)
    if len(time) < 2 or abs(time[0]) > 1e-6:
        raise UserError(f"{where}: must have samples from time 0 on; found {len(time)}, the first at {time[0]:g} ms")
    uneven = np.abs(time - step * np.arange(len(time))) > 1e-3 * step + 1e-6
    if uneven.any():
        k = int(np.argmax(uneven))
        raise UserError(f"{where}: must have evenly spaced samples, {step:g} ms apart; line {lines[k]:.0f} has {time[k]:g} ms")
    return Signal(step, values, unit)


def _number(text, where):
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UserError(f"{where} must be a number, not {text!r}")
    return number
