"""Recording: reproduce the spikes of measured neurons (Kistler, Gerstner and van Hemmen, Neural Comput. 9, 1997)."""

from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, PrivateAttr

from circuits.circuit import Circuit, Sampled
from circuits.errors import UserError
from circuits.numerics import portable
from circuits.simulation.drive import lanes
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import Raster, pack
from circuits.simulation.teacher import Teacher
from fitness.base.file_data import FileData
from fitness.base.finite_data import Data
from fitness.base.measured import Measured
from fitness.base.split import split
from fitness.base.trials import Trials
from fitness.recordings import measures
from fitness.recordings.inference import Observed, Ranges, inferred
from fitness.recordings.likeness import READINGS, XX, XX_LONG, XY, XY_LONG, Target, readings, target
from fitness.recordings.read import read
from fitness.recordings.recording import Recording
from fitness.recordings.windows import Stimulus, Windows, cut, measured_potentials, measured_spikes, stimuli
from fitness.scoring.score import Score

SEARCH, VALIDATION, HELD_OUT = range(3)
ENOUGH = 10  # different stimuli: whole ones can be held out
NARROW = 0.05  # between the ends of a score: nothing to explain
SHAPE_MS = 1.0, 3.0  # before and after a spike, in which a potential is that of the spike


class Prepared(NamedTuple):
    """A recording, cut into windows and with everything that scores need.

    recording  the trains that were chosen;   windows  the same, cut
    part       int [windows]: to search on, to validate on, held out
    sampled    sources of the sampled channels;   drive  float32 [windows, steps, sampled channels]: their scaled signals
    target     the measured spikes, as readings need them
    low, high  float64 [outputs]: the figures that are a score of 0 and 1;   repeats  is the latter estimated from repeats?
    taught     bool [windows, steps, outputs]: the measured spikes, for teacher forcing
    chance     float64 [windows, outputs]: surprise of a neuron that fires at the measured rate at the measured spikes
    potential  float32 [windows, steps, outputs]: measured potentials, less their mean over the search windows; 0 where none
    compared   bool [windows, steps, outputs]: steps in which potentials are compared, none near spikes
    spread     float64 [windows, outputs]: the summed squares of the potentials about their mean in each window
    """

    recording: Recording
    windows: Windows
    part: np.ndarray
    sampled: tuple[Sampled, ...]
    drive: np.ndarray
    target: Target
    low: np.ndarray
    high: np.ndarray
    repeats: bool
    taught: np.ndarray
    chance: np.ndarray
    potential: np.ndarray
    compared: np.ndarray
    spread: np.ndarray


class RecordingTask(Measured, FileData):
    """The input trains of a recording drive a circuit, whose output neurons should spike when the measured neurons did: one
    port for each measured neuron, and as many hidden neurons as the spec allows.

    A trial of the search is a window of the recording, which begins with some of the stimulus before it (`lead_in_ms`), during
    which nothing is scored. The score is 0 for the best answer at a constant rate, and 1 for what one repeat of a stimulus says
    of the others: the ceiling that trial-to-trial variability allows; without repeats 1 is perfect. Both are estimated on the
    windows of the search, and are the same for all parts. The scored measure is the coincidence factor, van Rossum's distance
    or the correlation of rates, over all windows together, averaged over the neurons. The case score of a window is the overlap
    of both trains when they are filtered with the precision, and with eight times as much.

    Held out are the last part of every trial's time; or whole stimuli, where there are ten or more; and the trials that
    `held_out_trials` names, with all that have the same stimulus.

    With `teacher_forcing` windows of the search are simulated a second time, in which the output neurons fire when they were
    measured to fire (in the first repeat), and case scores include how likely that was (`circuits.simulation.teacher`): they
    distinguish a circuit that fails since one neuron errs from one in which nothing is right. Where potentials were measured,
    case scores include the explained share of their variance.
    """

    name: ClassVar[str] = "recording"
    default_spec = {
        "circuit": {"neurons": [1, 8], "delay_ms": [0.5, 12.0]},
        "circuit.parameters": {
            "tau_m_ms": [2.0, 40.0],
            "tau_syn_e_ms": [1.0, 20.0],
            "tau_syn_i_ms": [1.0, 40.0],
            "t_ref_ms": [0.5, 6.0],
        },
        "search": {"objectives": ["score", "size", "wiring"]},
    }

    scored_by: Literal["coincidence", "van_rossum", "rate", "psth"] = Field(
        "coincidence", description="coincidence | van_rossum | rate | psth"
    )
    precision_ms: float = Field(
        2.0, gt=0, le=1000, description="largest distance of coincident spikes, time constant of the filter, or bin of the psth"
    )
    step_ms: float = Field(0.5, gt=0, le=100, description="of the simulation: times go to the nearest step")
    window_ms: float = Field(500.0, gt=0, le=1e6, description="longest stretch that is one trial")
    lead_in_ms: float = Field(100.0, ge=0, le=1e6, description="of stimulus before a window, in which nothing is scored")
    hold_out: Literal["auto", "time", "stimuli"] = Field(
        "auto", description="the last of each trial's time, or whole stimuli; auto: these if there are 10"
    )
    held_out_trials: tuple[str, ...] = Field((), description="trials that are held out as well, with all of the same stimulus")
    input_names: tuple[str, ...] = Field(
        (), description='trains and signals that are inputs, such as "lgn-*" [default: as the file says]'
    )
    inverted: bool = Field(True, description="every sampled input also inverted, as a channel with a - before its name")
    output_names: tuple[str, ...] = Field((), description="trains to be explained [default: as the file says]")
    epochs: tuple[str, ...] = Field((), description="names of the epochs that are the trials (NWB) [default: its trials]")
    teacher_forcing: bool = Field(
        False, description="case scores also count how likely the measured spikes are where they are in place of a neuron's own"
    )
    forcing_mv: float = Field(
        0.3, gt=0, le=100, description="with teacher_forcing, distance from the threshold at which a neuron may fire as well"
    )
    until_ms: float | None = Field(None, gt=0, description="cut trials here [default: take all]")

    _prepared: Prepared | None = PrivateAttr(None)
    _taught: tuple[np.ndarray, Teacher | None] = PrivateAttr((np.empty(0, int), None))  # of which items

    @property
    def inputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the input channels: the sampled ones, their inverses, then the trains."""
        recording = self.prepared.recording
        inverses = [f"-{name}" for name in recording.signals if self.inverted]
        return (*recording.signals, *inverses, *recording.inputs)

    @property
    def sampled(self) -> tuple[Sampled, ...]:  # type: ignore[override]
        """Sources of the sampled channels: x is 0 at the mean of the signal over the search windows, and 1 a standard
        deviation above it."""
        return self.prepared.sampled

    @property
    def outputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the measured neurons."""
        return self.prepared.recording.outputs

    @property
    def dt_ms(self) -> float:  # type: ignore[override]
        """The simulation step."""
        return self.step_ms

    @property
    def duration_ms(self) -> float:  # type: ignore[override]
        """Length of a window, with its lead-in."""
        return self.prepared.windows.spikes.shape[1] * self.step_ms

    @property
    def prepared(self) -> Prepared:
        """The recording, read on first use. Raises UserError for one that lacks something."""
        if self._prepared is None:
            self._prepared = self._prepare()
        return self._prepared

    def _read(self) -> Recording:
        return read(self.file_name, self.content(), self.epochs)

    def recording(self) -> Recording:
        """The recording with the selected trains. Raises UserError for unknown names."""
        return self._read().select(self.input_names, self.output_names, self.until_ms)

    def _prepare(self):
        recording = self.recording()
        where = f"task {self.title()}: {self.file_name}"
        if not recording.inputs and not recording.signals:
            raise UserError(f"{where}: has no input spikes; input_names says which of its trains are inputs")
        if twice := set(recording.inputs) & {*recording.signals, *(f"-{name}" for name in recording.signals)}:
            raise UserError(f"{where}: {sorted(twice)[0]!r} is a train and a signal; leave one out of input_names")
        unknown = set(self.held_out_trials) - {trial.name for trial in recording.trials}
        if unknown:
            known = ", ".join(trial.name for trial in recording.trials)
            raise UserError(f"{where}: held_out_trials: has no trial {sorted(unknown)[0]!r}; found {known}"[:300])
        presented, merged = stimuli(recording, self.step_ms)
        by_stimulus = self._whole_stimuli(presented, where)
        edges = [self._edges(one, part) for one, part in zip(presented, by_stimulus, strict=True)]
        window, lead_in = (round(ms / self.step_ms) for ms in (self.window_ms, self.lead_in_ms))
        windows = cut(presented, edges, max(window, 1), lead_in, merged)
        part = by_stimulus[windows.stimulus]
        place_in_time = np.array(
            [
                np.searchsorted(edges[s][1:], stop, "left")
                for s, stop in zip(windows.stimulus, windows.origin + windows.stop, strict=True)
            ]
        )
        part = np.where(part < 0, place_in_time, part)
        in_bins = self.scored_by == measures.PSTH
        if in_bins and abs(self.precision_ms / self.step_ms - round(self.precision_ms / self.step_ms)) > 1e-6:
            raise UserError(f"{where}: precision_ms: a bin of the psth is whole steps of {self.step_ms:g} ms")
        aim = target(windows, len(recording.outputs), self.step_ms, self.precision_ms, in_bins)
        sampled, drive = self._drives(recording, windows, part == SEARCH)
        for number, name in enumerate(("search", "validation", "held-out")):
            silent = np.flatnonzero(aim.counts[part == number].sum(axis=0) == 0)
            if len(silent):
                raise UserError(
                    f"{where}: output {recording.outputs[silent[0]]} has no spike in the {name} part; change hold_out, the "
                    "shares or split_seed, or leave it out of output_names"
                )
        low, high, repeats = self._ends(aim, np.flatnonzero(part == SEARCH), recording, where)
        taught = measured_spikes(presented, windows)
        own = self._potentials(recording, windows, measured_potentials(presented, windows), taught, part == SEARCH)
        return Prepared(recording, windows, part, sampled, drive, aim, low, high, repeats, taught, _chance(aim), *own)

    def _potentials(self, recording, windows, measured, spikes, searched):
        """The measured potentials, see `Prepared`: not compared near spikes, whose shape the neuron models do not have."""
        steps = np.arange(windows.spikes.shape[1])
        potential, compared = np.zeros(spikes.shape, "f4"), np.zeros(spikes.shape, bool)
        before, after = (round(ms / self.step_ms) for ms in SHAPE_MS)
        for k, name in enumerate(recording.potentials):
            n = recording.outputs.index(name)
            near = np.zeros(spikes.shape[:2], bool)
            for shift in range(-before, after + 1):
                rows = slice(max(shift, 0), len(steps) + min(shift, 0))
                near[:, rows] |= spikes[:, max(-shift, 0) : len(steps) - max(shift, 0), n]
            compared[..., n] = windows.scored & ~near
            values = measured[..., k]
            potential[..., n] = values - values[compared[..., n] & searched[:, None]].mean()
        count = np.maximum(compared.sum(axis=1), 1)
        values = np.where(compared, potential, 0.0)
        spread = (values**2).sum(axis=1, dtype="f8") - values.sum(axis=1, dtype="f8") ** 2 / count
        return potential, compared, np.maximum(spread, 0.0)

    def _drives(self, recording, windows, searched):
        """Sources of the sampled channels, and their scaled signals."""
        steps = np.arange(windows.spikes.shape[1])
        scored = windows.scored & searched[:, None]
        inside = (steps < windows.stop[:, None])[..., None]
        channels: list[Sampled] = []
        for k, name in enumerate(recording.signals):
            values = windows.signals[..., k][scored]
            center, scale = (float(f"{v:.6g}") for v in (values.mean(), values.std()))
            unit = next((trial.signals[name].unit for trial in recording.trials if name in trial.signals), "")
            channels.append(Sampled(of=name, unit=unit, center=center, scale=scale if scale > 1e-12 else 1.0))
        if self.inverted:
            channels += [channel.model_copy(update={"scale": -channel.scale}) for channel in channels]
        drive = np.zeros((*windows.spikes.shape[:2], len(channels)), "f4")
        for k, channel in enumerate(channels):
            which = recording.signals.index(channel.of)
            drive[..., [k]] = np.where(inside, (windows.signals[..., [which]] - channel.center) / channel.scale, 0.0)
        return tuple(channels), drive

    def _whole_stimuli(self, presented: list[Stimulus], where) -> np.ndarray:
        """The part of each stimulus that is in one part as a whole, -1 of others: int [stimuli]."""
        kept = np.array([not set(one.names) & set(self.held_out_trials) for one in presented])
        if not kept.any():
            raise UserError(f"{where}: held_out_trials leaves nothing to search on")
        part = np.where(kept, -1, HELD_OUT)
        if self.hold_out == "stimuli" or (self.hold_out == "auto" and kept.sum() >= ENOUGH):
            held_out = self.held_out_share
            shares = 1 - self.validation_share - held_out, self.validation_share, held_out
            keys = [[one.spikes.tobytes() + one.signals.tobytes() for one, keep in zip(presented, kept, strict=True) if keep]]
            part[kept] = split(np.zeros(kept.sum(), int), keys, shares, self.split_seed, where)
        return part

    def _edges(self, one: Stimulus, part):
        steps = len(one.spikes)
        if part >= 0:
            return [0, steps]
        return [0, *(round(steps * share) for share in (self._searched, 1 - self.held_out_share)), steps]

    @property
    def _searched(self):
        return 1 - self.validation_share - self.held_out_share

    def _ends(self, aim, search, recording, where):
        """The figures that are a score of 0 and of 1, and whether the latter was estimated from repeats."""
        how = self.scored_by, aim, search, self.step_ms, self.precision_ms
        low, high = measures.constant_rate(*how), measures.between_repeats(*how)
        top = np.ones_like(low) if high is None else np.minimum(high, 1.0)
        poor = np.flatnonzero(top - low < NARROW)
        if len(poor):
            n = poor[0]
            why = "perfect is" if high is None else "one repeat predicts the others with"
            raise UserError(
                f"{where}: output {recording.outputs[n]}: nothing to explain: {why} a {self.scored_by} of {top[n]:.2f}, "
                f"a constant rate has {low[n]:.2f}; leave it out of output_names, or change precision_ms"
            )
        return low, top, high is not None

    def data(self) -> Data:
        """The windows: all of one class, each by itself in confidence intervals."""
        prepared = self.prepared
        count, steps, _ = prepared.windows.spikes.shape
        silent = np.zeros((count, steps, len(prepared.sampled)), bool)
        spikes = np.concatenate([silent, prepared.windows.spikes], axis=2)
        signals = prepared.drive if prepared.sampled else None
        return Data(spikes, np.zeros(count, int), np.arange(count), signals=signals)

    def parts_given(self) -> np.ndarray:
        """The part of each window, int [windows]."""
        return self.prepared.part

    def teacher(self, trials: Trials) -> Teacher | None:
        """The measured spikes, in the trials of the search alone."""
        item = trials.facts["item"]
        if not self.teacher_forcing or (self.prepared.part[item] != SEARCH).any():
            return None
        known, teacher = self._taught
        if teacher is None or not np.array_equal(known, item):
            taught, scored = self._packed(item)
            teacher = Teacher(taught, scored, self.forcing_mv)
            if self.prepared.recording.potentials:
                compared = pack(self.prepared.compared[item])
                teacher = teacher._replace(potential=lanes(self.prepared.potential[item]), compared=compared)
            self._taught = item, teacher
        return teacher

    def _packed(self, item):
        """The measured spikes of windows, uint64 [blocks, steps, outputs], and the steps that count, uint64 [blocks, steps]."""
        return pack(self.prepared.taught[item]), pack(self.prepared.windows.scored[item][..., None])[..., 0].copy()

    def inferred(self, trials: Trials, ranges: Ranges, rounds: int, rng: np.random.Generator) -> list[Circuit]:
        """Circuits inferred from the measured spikes of these trials, of the first repeat each, the best first: see
        `fitness.recordings.inference`."""
        measured, scored = self._packed(trials.facts["item"])
        observed = Observed(trials.bits, measured, scored, self.inputs, self.outputs, ranges)

        def score(circuit):
            return float(self.evaluate(circuit, trials, "float32").value)

        def scores(tables):
            bits = simulate_population(tables, trials.bits, len(trials)).outputs
            readings_of = self.measure(Raster(bits, len(trials), self.dt_ms, self.outputs), trials)
            return self.overall(readings_of, trials), self.mark(readings_of, trials).T.copy().sum(axis=0) / len(trials)

        return inferred(observed, score, scores, rounds, rng)

    def measure(self, raster: Raster, trials: Trials) -> np.ndarray:
        """The readings, see `fitness.recordings.likeness`; with a teacher followed by the surprise of each output and by the
        unexplained share of the variance of its potential."""
        *circuits, _, _, outputs = raster.bits.shape
        bits = np.ascontiguousarray(raster.bits.reshape(-1, *raster.bits.shape[-3:]))
        columns = readings(bits, trials.facts["item"], self.prepared.target)
        columns = columns.reshape(*circuits, len(trials), outputs * READINGS)
        if raster.surprise is None:
            return columns
        more = [raster.surprise] if raster.off is None else [raster.surprise, self.unexplained(raster.off, trials)]
        return np.concatenate([columns, *more], axis=-1)

    def unexplained(self, off: np.ndarray, trials: Trials) -> np.ndarray:
        """The unexplained share of the variance of measured potentials, from the sums of the deviation and of its square [...,
        trials, outputs, 2]: float64 [..., trials, outputs], 0 where none was measured. A constant offset, such as that of
        electrodes, does not count."""
        item, varies = trials.facts["item"], self.prepared.spread[trials.facts["item"]] > 0
        count = np.maximum(self.prepared.compared[item].sum(axis=1), 1)
        with np.errstate(invalid="ignore"):
            left = np.where(np.isfinite(off[..., 1]), off[..., 1] - off[..., 0] ** 2 / count, np.inf)
        return np.where(varies, np.maximum(left, 0.0) / np.where(varies, self.prepared.spread[item], 1.0), 0.0)

    def overall(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """The mean over neurons of the figure, scaled to 0 at its lower and 1 at its upper end, and at most 1."""
        prepared, values = self.prepared, self.figures(measured, trials)
        return np.minimum((values - prepared.low) / (prepared.high - prepared.low), 1.0).mean(axis=-1)

    def figures(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """The scored measure, such as the coincidence factor, of each neuron by itself: float64 [..., outputs]."""
        columns, item = self._readings(measured), trials.facts["item"]
        return measures.figure(
            self.scored_by, measures.sums(columns, self.prepared.target, item, self.step_ms), self.precision_ms
        )

    def mark(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """2 <x, y> / (<x, x> + <y, y>) of each window, averaged over the short and the long time constant (or bin), and over
        neurons. With a teacher, the mean of that and of 1 / (1 + surprise / surprise by chance); where potentials were
        measured, also of 1 / (1 + unexplained share)."""
        columns, item = self._readings(measured), trials.facts["item"]
        total = np.zeros(columns.shape[:-1])
        for tau, (xx, xy) in enumerate(((XX, XY), (XX_LONG, XY_LONG))):
            both = columns[..., xx] + self.prepared.target.own[item, :, tau]
            total += np.where(both > 0, 2 * columns[..., xy] / np.where(both > 0, both, 1.0), 1.0)
        free = 0.5 * total.mean(axis=-1)
        n = len(self.outputs)
        surprise, unexplained = np.split(measured[..., n * READINGS :], [n], axis=-1)
        if not surprise.shape[-1]:
            return free
        likely = (1 / (1 + surprise / self.prepared.chance[item])).mean(axis=-1)
        if not unexplained.shape[-1]:
            return 0.5 * (free + likely)
        known = [self.outputs.index(name) for name in self.prepared.recording.potentials]
        return (free + likely + (1 / (1 + unexplained[..., known])).mean(axis=-1)) / 3

    def _readings(self, measured):
        """The readings of the raster, [..., trials, outputs, 6]."""
        return measured[..., : len(self.outputs) * READINGS].reshape(*measured.shape[:-1], -1, READINGS)

    def variable(self, trials: Trials) -> tuple[str, np.ndarray]:
        """The measured rate of all neurons in each window."""
        windows, item = self.prepared.windows, trials.facts["item"]
        seconds = windows.lengths[item] * self.step_ms / 1000
        return "measured rate [Hz]", np.round(self.prepared.target.counts[item].mean(axis=1) / seconds, 6)

    def conditions(self, trials: Trials) -> dict[str, np.ndarray]:
        """Conditions: the part held out (time or a whole trial), and the stimulus, where there are several of both."""
        windows, item = self.prepared.windows, trials.facts["item"]
        stimulus = windows.stimulus[item]
        whole = np.array([bool(set(names) & set(self.held_out_trials)) for names in windows.trials])[stimulus]
        conditions = {"held out": np.where(whole, "trial", "time"), "stimulus": stimulus}
        return {name: values for name, values in conditions.items() if len(np.unique(values)) > 1}

    def figures_of(self, score: Score, trials: Trials) -> dict[str, float]:
        """The figures of one circuit's score by neuron."""
        assert score.measured is not None
        values = np.atleast_2d(self.figures(score.measured, trials))[0]
        return dict(zip(self.outputs, values.tolist(), strict=True))


def _chance(aim):
    """The surprise of each window and output, float64 [windows, outputs]: minus the log likelihood of its spikes, and of one
    spike more, so that silence has some too, at the mean rate of all windows."""
    length = aim.windows.lengths[:, None]
    share = (aim.counts.sum(axis=0) + 1) / (length.sum() + 1)
    return -(aim.counts + 1) * portable.log(share) - (length - aim.counts) * portable.log(1 - share)
