"""Where the time goes: seconds by phase."""

from contextlib import contextmanager
from time import perf_counter


class Stopwatch(dict[str, float]):
    """Seconds by phase; `with watch("vary"):` adds to one, less what phases within it take."""

    def add(self, phase: str, seconds: float):
        self[phase] = self.get(phase, 0.0) + seconds

    @contextmanager
    def __call__(self, phase: str):
        before, start = sum(self.values()), perf_counter()
        try:
            yield
        finally:
            inner = sum(self.values()) - before
            self.add(phase, perf_counter() - start - inner)
