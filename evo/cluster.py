"""Epochs as chained Ray tasks, or one after the other in this process: the same function, the same bytes.

What travels is what is stored: a state and migrants as .npz bytes. Island i's epoch e waits only for its own epoch e - 1 and
for the migrants of its neighbour's: no barrier. Every STRETCH epochs a chain starts afresh from bytes the driver holds, so that
a lost object is rebuilt from at most that many epochs, and Ray's lineage does not grow.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from circuits.errors import MachineError, UserError
from evo.island import Migrants, State, from_bytes, run_epoch, setting, to_bytes
from evo.spec import RunSpec

STRETCH = 4
IN_FLIGHT = 2  # epochs of one island submitted and not yet stored


class Result(NamedTuple):
    """A finished epoch, ready to be stored."""

    island: int
    epoch: int
    state: bytes
    migrants: bytes
    log: list
    seconds: float


class Plan(NamedTuple):
    """What there is to do: a run's spec with the text of its task file, and what is stored of it.

    epochs  number of epochs of each island;  done  last stored epoch of each island, -1 for none
    best    highest score on validation trials so far, by which a target is judged
    state(island) and migrants(island, epoch) read from the store
    """

    spec: RunSpec
    source: str | None
    epochs: int
    done: list[int]
    state: Callable[[int], bytes | None]
    migrants: Callable[[int, int], bytes | None]
    best: float = 0.0


def is_finished(spec: RunSpec, done: list[int], best: float) -> bool:
    """Has a run ended whose islands have done these epochs? With a target it ends after the first epoch, done by all islands,
    by which one of them had reached it: no island goes on before, so that the end is the same wherever it is computed."""
    reached = spec.search.target is not None and best >= spec.search.target and min(done) == max(done) >= 0
    return reached or min(done) >= epochs_of(spec) - 1


def best_of(epochs: list[dict]) -> float:
    """The highest score on validation trials in stored epochs (`Store.epochs`)."""
    return max((row["log"][-1]["validation"] for row in epochs), default=0.0)


def epochs_of(spec: RunSpec) -> int:
    """Number of epochs of each island."""
    return -(-spec.search.generations // spec.search.epoch)


def compute(spec_json: str, source, island: int, epoch: int, state, migrants):
    """One epoch from bytes to bytes: (state, migrants, (log, seconds))."""
    start = time.perf_counter()
    here = setting(spec_json, source)
    before = None if state is None else from_bytes(State, state)
    guests = None if migrants is None else from_bytes(Migrants, migrants)
    after = run_epoch(here, island, epoch, before, guests)
    sent = to_bytes(after.migrants(here.spec.search.migrants))
    return to_bytes(after), sent, (after.log, time.perf_counter() - start)


def warm_up(spec: RunSpec, source: str | None):
    """Compile everything an epoch needs (once per machine: the code is cached on disk), on a throwaway miniature run."""
    small = spec.search.model_copy(
        update={
            "population": 4,
            "generations": 2,
            "epoch": 1,
            "migrants": min(1, spec.search.migrants),
        }
    )
    text = spec.model_copy(update={"search": small}).model_dump_json()
    state, _, _ = compute(text, source, 0, 0, None, None)
    compute(text, source, 0, 1, state, None)


def in_process(plan: Plan) -> Iterator[Result]:
    """The remaining epochs in this process, the island furthest behind first."""
    spec_json, done, best = plan.spec.model_dump_json(), list(plan.done), plan.best
    while not is_finished(plan.spec, done, best):
        island = done.index(min(done))
        epoch = done[island] + 1
        state = plan.state(island) if epoch else None
        sender = _neighbour(plan, island)
        migrants = None if sender is None or not epoch else plan.migrants(sender, epoch - 1)
        state, sent, (log, seconds) = compute(spec_json, plan.source, island, epoch, state, migrants)
        yield Result(island, epoch, state, sent, log, seconds)
        done[island], best = epoch, max(best, log[-1]["validation"])


def on_ray(plan: Plan) -> Iterator[Result]:
    """The remaining epochs as Ray tasks. The caller stores each result before asking for the next."""
    import ray

    remote = ray.remote(num_returns=3, max_retries=-1)(compute)
    spec_json, islands = ray.put(plan.spec.model_dump_json()), range(plan.spec.search.islands)
    done, submitted = list(plan.done), list(plan.done)
    flying: dict[tuple[int, int], Any] = {}
    best, targeted = plan.best, plan.spec.search.target is not None

    def given(island, epoch, place, fresh):
        """What task (island, epoch) left: bytes if stored, else a reference; None while neither may be used."""
        if done[island] >= epoch:
            stored = plan.migrants(island, epoch) if place else plan.state(island)
            return None if stored is None else ray.put(stored) if len(stored) > 100_000 else stored
        return None if fresh or (island, epoch) not in flying else flying[island, epoch][place]

    def submit(island):
        epoch, sender = submitted[island] + 1, _neighbour(plan, island)
        if epoch >= plan.epochs or epoch > (min(done) + 1 if targeted else done[island] + IN_FLIGHT):
            return False
        state = migrants = None
        if epoch:
            fresh = epoch % STRETCH == 0
            state = given(island, epoch - 1, 0, fresh)
            if state is None or (sender is not None and (migrants := given(sender, epoch - 1, 1, fresh)) is None):
                return False
        flying[island, epoch] = remote.remote(spec_json, plan.source, island, epoch, state, migrants)
        submitted[island] = epoch
        return True

    while not is_finished(plan.spec, done, best):
        while sum(submit(island) for island in islands):
            pass
        waiting = {refs[2]: key for key, refs in flying.items() if key[1] == done[key[0]] + 1}
        ready, _ = ray.wait(list(waiting), num_returns=1)
        island, epoch = waiting[ready[0]]
        try:
            state, sent, (log, seconds) = ray.get(list(flying[island, epoch]))
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, UserError | MachineError) else error) from None
        yield Result(island, epoch, state, sent, log, seconds)
        done[island], best = epoch, max(best, log[-1]["validation"])
        del flying[island, epoch]


def _neighbour(plan, island):
    """The island that sends migrants to this one: the ring."""
    s = plan.spec.search
    return (island - 1) % s.islands if s.islands > 1 and s.migrants > 0 else None


class ray_session:  # noqa: N801 - reads as a statement: with ray_session(...)
    """Ray for the time of a `with` block: joined at an address, or started here with `workers` processes on the loopback.

    A Ray that was already running in this process is used and left running.
    """

    def __init__(self, workers: int, address: str | None = None):
        self.workers, self.address = workers, address

    def __enter__(self):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        self.ours = not ray.is_initialized()
        if not self.ours:
            return
        quiet = {"logging_level": "error", "log_to_driver": False, "configure_logging": True}
        try:
            if self.address:
                ray.init(address=self.address, **quiet)
            else:
                ray.init(num_cpus=self.workers, include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            if self.address:
                hint = "" if "RAY_AUTH_MODE" in os.environ else ", or set RAY_AUTH_MODE=token if it asks for Ray's token"
                raise MachineError(_NO_RAY.format(self.address, text) + hint) from None
            raise MachineError(f"Ray did not start ({text}); use --workers 0 to run without it") from None

    def __exit__(self, *_):
        if self.ours:
            import ray

            ray.shutdown()


_NO_RAY = "no Ray at {} ({}); start one with: ray start --head"


def check_address(address: str | None):
    """Raise MachineError at once where nothing listens: Ray itself waits for a minute."""
    host, _, port = (address or "").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.removeprefix("ray://"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise MachineError(_NO_RAY.format(address, error)) from None
