"""How a study shows itself while it runs: a live table on a terminal, plain lines elsewhere."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from circuits.errors import harmless
from evo.inspect.progress import clock
from evo.studies.study.event import Event
from evo.studies.study.folder import Study

SHOWN = 16  # runs
LONGEST = 40  # characters of a run's name
LINES_S = 5


class StudyProgress:
    """Observes a study (`observe=`); use as a context manager.

    study  the study at the start: runs that are over then count as done
    """

    def __init__(self, study: Study, console: Console):
        self.name, self.console = harmless(study.name), console
        self.count, self.over = len(study.runs), {run.run for run in study.runs if run.over}
        self.over_before, self.failed = len(self.over), 0
        self.generations = {name: arm.spec(seed).search.generations for arm, seed, name in study.design.runs}
        self.logs: dict[str, dict[int, dict]] = {}  # of the runs that are being computed: the last row of every island
        self.evaluations = 0
        self.start = self.last_line = time.monotonic()
        self.live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self.live = Live(console=console, refresh_per_second=2, get_renderable=self._table)

    def __enter__(self):
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_):
        if self.live:
            self.live.stop()
        else:
            self._say(self._headline())

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
        if not self.live and time.monotonic() - self.last_line >= LINES_S:
            self.last_line = time.monotonic()
            self._say(self._headline())

    def _say(self, text):
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

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
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("run", "generation", "best", "held out"):
            table.add_column(column, justify="left" if column == "run" else "right", min_width=6, no_wrap=True)
        for name, islands in list(self.logs.items())[:SHOWN]:
            best = max(islands.values(), key=lambda row: row["validation"])
            generation = f"{min(row['generation'] for row in islands.values())}/{self.generations.get(name, 0)}"
            shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
            scores = max(row["best"] for row in islands.values()), best["held_out"]
            table.add_row(Text(harmless(shown)), generation, *(f"{score:.3f}" for score in scores))
        return Group(Text(self._headline(), style="bold", overflow="ellipsis", no_wrap=True), table)
