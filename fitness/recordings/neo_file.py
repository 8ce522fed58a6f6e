"""Files that Neo reads (NIX, MATLAB, Spike2, Plexon, Blackrock, ...): segments are trials, spike trains outputs, events inputs.

A train is called by its name; an annotation `role` that is input or output says which it is, otherwise it is an output. Events
are inputs, their times the spikes; analog signals are sampled signals. Units are those of the file. Trials are called by the
names of the segments, if all differ, otherwise by their numbers.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from circuits.errors import UserError
from fitness.recordings.packages import needed
from fitness.recordings.recording import Signal
from fitness.recordings.table import ROLES


def trials(content: bytes, name: str, epochs=()):
    """The trials, as `Recording.of` takes them."""
    neo = needed("neo", name)
    with TemporaryDirectory(prefix="evo-recording-") as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        try:
            kinds = neo.list_candidate_ios(str(path))
        except (ValueError, OSError):
            kinds = []
        kinds = [kind for kind in kinds if "Pickle" not in kind.__name__]
        if not kinds:
            ending = Path(name).suffix or "no ending"
            raise UserError(
                f"{name}: {ending} is no format that is known; write .csv, .npz, .nwb, .h5 (SONATA), or one of Neo's"
            )
        try:
            reader = kinds[0](str(path))
            blocks = reader.read(lazy=False) if hasattr(reader, "read") else [reader.read_block()]
            trials = [of_segment(segment, name) for block in blocks for segment in block.segments]
        except UserError:
            raise
        except Exception as error:  # many libraries, each with errors of its own
            raise UserError(f"{name}: {kinds[0].__name__} of Neo cannot read it: {type(error).__name__}: {error}") from None
    if not trials:
        raise UserError(f"{name}: holds no segment, which is a trial; found {len(blocks)} blocks")
    titles = [title for title, _ in trials]
    named = all(titles) and len(set(titles)) == len(titles)
    return [(title if named else str(k), *rest) for k, (title, rest) in enumerate(trials)]


def of_segment(segment, name: str):
    """The name of a segment of Neo's, and (duration_ms, inputs, outputs, signals)."""
    trains: dict[str, dict[str, np.ndarray]] = {role: {} for role in ROLES}
    start, stop = _ends(segment)
    for k, train in enumerate(segment.spiketrains):
        role = str(train.annotations.get("role", "output"))
        if role not in ROLES:
            raise UserError(f"{name}: spike train {train.name}: role must be input or output, not {role!r}")
        title = str(train.name or train.annotations.get("name") or f"unit{k}")
        if title in trains[role]:
            raise UserError(f"{name}: two {role}s of a segment are called {title}")
        trains[role][title] = _ms(train.times) - start
    for k, event in enumerate(segment.events):
        trains["input"].setdefault(str(event.name or f"event{k}"), _ms(event.times) - start)
    signals = {}
    for k, signal in enumerate(segment.analogsignals):
        for c in range(signal.shape[1]):
            title = str(signal.name or f"signal{k}") + (f"-{c}" if signal.shape[1] > 1 else "")
            values = np.asarray(signal.magnitude[:, c], "f8")
            signals[title] = Signal(float(_ms(signal.sampling_period)), values, str(signal.dimensionality))
    return str(segment.name or ""), (stop - start, trains["input"], trains["output"], signals)


def _ends(segment):
    parts = [*segment.spiketrains, *segment.analogsignals]
    if parts:
        return min(float(_ms(p.t_start)) for p in parts), max(float(_ms(p.t_stop)) for p in parts)
    return 0.0, 0.0


def _ms(quantity):
    return np.asarray(quantity.rescale("ms").magnitude, "f8")
