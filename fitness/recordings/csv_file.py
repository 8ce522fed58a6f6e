"""CSV: a row a spike, with the columns `trial,role,name,time_ms` in any order; further columns are ignored.

    trial,role,name,time_ms
    1,input,a,12.5
    1,output,cell,17.25

`time_s` or `time_us` in place of `time_ms` are other units. A row without a time says that the trial has such a train, which
may be silent. Lines that begin with # are comments; `# duration_ms = 1000` is how long every trial is. Without it trials last
until the last spike of any, rounded up to 100 ms.
"""

import csv
import re

import numpy as np

from circuits.errors import UserError
from circuits.files import decoded
from fitness.recordings.table import UNITS, as_trials, time_column

DURATION = re.compile(r"#\s*duration_(ms|s)\s*[=:]\s*(\S+)\s*$")


def trials(content: bytes, name: str, epochs=()):
    """The trials, as `Recording.of` takes them."""
    lines, duration, numbers = [], None, []
    for number, line in enumerate(decoded(content, name).splitlines(), 1):
        if line.startswith("#"):
            if match := DURATION.match(line):
                duration = _number(match[2], f"{name}: line {number}: duration") * (1000 if match[1] == "s" else 1)
        elif line.strip():
            lines.append(line)
            numbers.append(number)
    if not lines:
        raise UserError(f"{name}: is empty; wanted is a first line trial,role,name,time_ms and then a row for every spike")
    header = [column.strip() for column in next(csv.reader(lines[:1]))]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise UserError(f"{name}: line {numbers[0]}: separate columns by commas; found {header[0]!r}"[:300])
    time = time_column(header, f"{name}: line {numbers[0]}")
    at = [header.index(column) for column in ("trial", "role", "name", time)]
    rows: list[tuple[str, str, str]] = []
    times: list[float] = []
    for row, number in zip(csv.reader(lines[1:]), numbers[1:], strict=True):
        if len(row) <= max(at):
            raise UserError(f"{name}: line {number}: has {len(row)} columns, the first line names {len(header)}")
        trial, role, train, text = (row[k].strip() for k in at)
        rows.append((trial, role, train))
        times.append(_number(text, f"{name}: line {number}: {time}") * UNITS[time] if text else np.nan)
    if not rows:
        raise UserError(f"{name}: holds no spike below its first line")
    columns = zip(*rows, strict=True)
    return as_trials(next(columns), next(columns), next(columns), times, lambda k: f"{name}: line {numbers[k + 1]}", duration)


def _number(text, place):
    try:
        found = float(text)
    except ValueError:
        found = np.nan
    if not np.isfinite(found):
        raise UserError(f"{place} must be a number, not {text!r}")
    return found
