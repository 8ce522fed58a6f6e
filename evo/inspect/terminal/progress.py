"""The progress of a run while it runs."""

import time

from rich.console import Console

from circuits.errors import harmless
from evo.engine.epochs import Result
from evo.inspect.terminal.live import LiveOutput, clock, shortened
from evo.inspect.terminal.plain_table import plain_table
from evo.spec.run_spec import RunSpec

SHOWN = 16  # islands
LONGEST = 20  # characters of a run's name: the line is to fit 80 columns


class Progress(LiveOutput):
    """Observes a run (`observe=`); use as a context manager.

    best      the highest score on the trials of the search
    held out  the score on trials that were used for no selection, of the circuit that did best on validation trials
    time      that of `Progress.elapsed`, as on the page

    spec   the run's;   name  what to call it;   before  epochs that were stored when it was resumed (`Run.epochs`)
    """

    def __init__(self, spec: RunSpec, name: str, before: list[dict], console: Console):
        super().__init__(console)
        self.spec, self.name = spec, shortened(harmless(name), LONGEST)
        self.islands: dict[int, dict] = {}
        self.finished: dict[int, float] = {}  # when each island last finished an epoch here
        self.evaluated: dict[tuple[int, int], int] = {}  # by island and epoch: an epoch that was cut short may come again
        self.evaluations = self.generations_before = 0
        self.over = False
        for epoch in before:
            self._take(epoch["island"], epoch["epoch"], epoch["log"])
        self.generations_before = self._generations()
        self.took = self.took_before = max((epoch["elapsed"] for epoch in before), default=0.0)
        self.fault_shown = any("fault" in row for epoch in before for row in epoch["log"])

    def __exit__(self, *_):
        self.over = True
        if self.live or self.islands:
            super().__exit__()

    def __call__(self, result: Result):
        self._take(result.island, result.epoch, result.log)
        now = self.finished[result.island] = time.monotonic()
        self.took = self.took_before + now - self.start if result.elapsed is None else result.elapsed
        faults = [row["fault"] for row in result.log if "fault" in row]
        if faults and not self.fault_shown:
            self.fault_shown = True
            self._say(harmless(f"{faults[0]}; such circuits get the worst score"))
        self._update()

    def _ago(self, island):
        """Time since the island finished an epoch, as text: if much longer than for others, its worker is slow or lost."""
        return f"{clock(time.monotonic() - self.finished[island])} ago" if island in self.finished else ""

    def _take(self, island, epoch, log):
        self.islands[island] = log[-1]
        evaluations = sum(row["evaluations"] for row in log)
        self.evaluations += evaluations - self.evaluated.get((island, epoch), 0)
        self.evaluated[island, epoch] = evaluations

    def _generations(self):
        return sum(row["generation"] for row in self.islands.values())

    def _headline(self):
        s = self.spec.search
        slowest = min((row["generation"] for row in self.islands.values()), default=0) if len(self.islands) == s.islands else 0
        done = self._generations() - self.generations_before
        settled = done >= s.islands * min(s.epoch, s.generations)  # before that, starting up is most of the time
        parts = [self.name, f"generation {slowest}/{s.generations}", f"{self.evaluations:,} evaluations"]
        if settled:
            parts.append(f"{self.evaluations / max(self.took, 1e-3):,.0f}/s")
            left = s.generations * s.islands - self._generations()
            elapsed = time.monotonic() - self.start
            parts.append(f"{clock(elapsed * left / done)} left" if left and not self.over else clock(self.took))
        if not self.live and self.islands:
            selected = max(self.islands.values(), key=lambda row: (row.get("validation", 0.0), row["held_out"]))
            parts.append(f"best {max(row['best'] for row in self.islands.values()):.3f}, held out {selected['held_out']:.3f}")
            if "worst" in selected:
                parts.append(f"in its worst condition {selected['worst']:.3f}")
        return "  ".join(parts)

    def _table(self):
        measured = ("best", "median", "held_out", *(["worst"] if any("worst" in row for row in self.islands.values()) else []))
        scores = [name.replace("_", " ") for name in measured]
        table = plain_table(("island", "generation", *scores, "front", "new", "updated"), min_width=6)
        for island in range(min(self.spec.search.islands, SHOWN)):
            row = self.islands.get(island)
            if row is None:
                table.add_row(str(island), "starting", *[""] * (len(scores) + 3))
            else:
                figures = (f"{row[key]:.3f}" if key in row else "" for key in measured)
                new = row["evaluations"] / max(1, row["evaluations"] + row["repeats"])
                ago = self._ago(island)
                table.add_row(str(island), str(row["generation"]), *figures, str(row["archive"]), f"{new:.0%}", ago)
        if self.spec.search.islands > SHOWN:
            table.add_row("...", f"{self.spec.search.islands - SHOWN} more", *[""] * (len(scores) + 3))
        return table
