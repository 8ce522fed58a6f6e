"""The progress of a study while it runs."""

import time

from rich.console import Console
from rich.text import Text

from circuits.errors import harmless
from evo.inspect.terminal.live import LiveOutput, clock, shortened
from evo.inspect.terminal.plain_table import plain_table
from evo.studies.study.event import Event
from evo.studies.study.folder import Study

SHOWN = 16  # runs
LONGEST = 40  # characters of a run's name


class StudyProgress(LiveOutput):
    """Observes a study (`observe=`); use as a context manager.

    study  the study at the start: runs that are over then count as done
    """

    def __init__(self, study: Study, console: Console):
        super().__init__(console)
        self.name = harmless(study.name)
        self.count, self.over = len(study.runs), {run.run for run in study.runs if run.over}
        self.over_before, self.failed = len(self.over), 0
        self.generations = {name: arm.spec(seed).search.generations for arm, seed, name in study.design.runs}
        self.logs: dict[str, dict[int, dict]] = {}  # of the runs that are being computed: the last row of every island
        self.evaluations = 0

    def __call__(self, event: Event):
        if event.result is not None:
            self.logs.setdefault(event.run, {})[event.result.island] = event.result.log[-1]
            self.evaluations += sum(row["evaluations"] for row in event.result.log)
        else:
            self.logs.pop(event.run, None)
            if event.error is None:
                self.over.add(event.run)
            else:
                self.failed += 1
                self._say(f"{harmless(event.run)} failed: {harmless(str(event.error))}")
        self._update()

    def _headline(self):
        elapsed = time.monotonic() - self.start
        parts = [self.name, f"{len(self.over)}/{self.count} runs", f"{self.evaluations:,} evaluations"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if elapsed > 1:
            parts.append(f"{self.evaluations / elapsed:,.0f}/s")
        done, left = len(self.over) - self.over_before, self.count - len(self.over) - self.failed
        parts.append(f"about {clock(elapsed * left / done)} left" if done > 0 and left > 0 else clock(elapsed))
        return "  ".join(parts)

    def _table(self):
        table = plain_table(("run", "generation", "best", "held out"), left=("run",), min_width=6, no_wrap=True)
        for name, islands in list(self.logs.items())[:SHOWN]:
            best = max(islands.values(), key=lambda row: row["validation"])
            generation = f"{min(row['generation'] for row in islands.values())}/{self.generations.get(name, 0)}"
            scores = max(row["best"] for row in islands.values()), best["held_out"]
            table.add_row(Text(harmless(shortened(name, LONGEST))), generation, *(f"{score:.3f}" for score in scores))
        return table
