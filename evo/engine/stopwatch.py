"""A stopwatch for the phases of a computation."""

from time import perf_counter


class Stopwatch(dict[str, float]):
    """Seconds by phase; `with watch("vary"):` adds to a phase, without the time of phases within it."""

    total = 0.0  # of all phases

    def add(self, phase: str, seconds: float):
        self[phase] = self.get(phase, 0.0) + seconds
        self.total += seconds

    def __call__(self, phase: str) -> "_Running":
        return _Running(self, phase)


class _Running:
    def __init__(self, watch, phase):
        self.watch, self.phase = watch, phase

    def __enter__(self):
        self.before, self.start = self.watch.total, perf_counter()

    def __exit__(self, *_):
        inner = self.watch.total - self.before
        self.watch.add(self.phase, perf_counter() - self.start - inner)
