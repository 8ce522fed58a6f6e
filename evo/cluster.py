"""A run's epochs as chained Ray tasks: the same function and the same bytes as in one process.

What travels is what is stored: a state and migrants as .npz bytes. Island i's epoch e waits only for its own epoch e - 1 and
for the migrants of its neighbour's: no barrier. Results are stored epoch by epoch, so that a run ends at the same place for any
number of workers; islands compute up to AHEAD epochs further than that. Every STRETCH epochs a chain starts afresh from bytes
the driver holds, so that a lost object is rebuilt from at most that many epochs, and Ray's lineage does not grow.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from circuits.errors import MachineError, UserError
from evo import code
from evo.epochs import Plan, Result, compute, neighbour, warm_up
from evo.spec import RunSpec

STRETCH = 4
AHEAD = 3  # epochs of one island submitted and not yet stored
ATTEMPTS = 3  # at an epoch whose computation fails: it may be the machine


def on_ray(plan: Plan) -> Iterator[Result]:
    """The remaining epochs as Ray tasks. The caller stores each result before asking for the next."""
    import ray

    remote = ray.remote(num_returns=3, max_retries=-1)(_on_worker)
    spec_json, islands, standing = ray.put(plan.spec.model_dump_json()), range(plan.spec.search.islands), plan.standing
    submitted, failed = list(standing.epoch), dict.fromkeys(islands, 0)
    flying: dict[tuple[int, int], Any] = {}

    def submit(island):
        epoch = submitted[island] + 1
        if epoch > min(standing.last_epoch, min(standing.epoch) + AHEAD):
            return False
        inputs = []
        for sender, place, stored in ((island, 0, plan.state), (neighbour(plan.spec, island), 1, plan.guests)):
            if epoch and (sender is None or standing.epoch[sender] < epoch - 1):  # not stored yet: a reference
                if sender is not None and (epoch % STRETCH == 0 or (sender, epoch - 1) not in flying):
                    return False
                inputs.append(None if sender is None else flying[sender, epoch - 1][place])
            else:
                inputs.append(_sent(stored(island) if place == 0 else stored(island, epoch)))
        flying[island, epoch] = remote.remote(code.digest(), spec_json, plan.source, island, epoch, *inputs)
        submitted[island] = epoch
        return True

    while not standing.ended:
        while sum(submit(island) for island in islands):
            pass
        waiting = {flying[i, e][2]: (i, e) for i, e in flying if e == min(standing.epoch) + 1 and e == standing.epoch[i] + 1}
        ready, _ = ray.wait(list(waiting), num_returns=1)
        island, epoch = waiting[ready[0]]
        try:
            state, sent, (log, timings) = ray.get(list(flying[island, epoch]))
        except ray.exceptions.RayTaskError as error:
            failed[island] += 1
            if failed[island] == ATTEMPTS:
                raise (error.cause if isinstance(error.cause, UserError | MachineError) else error) from None
            for key in [key for key in flying if key[1] > epoch or key == (island, epoch)]:  # all that may wait for it
                del flying[key]
                submitted[key[0]] = min(submitted[key[0]], key[1] - 1)
            continue
        del flying[island, epoch]
        failed[island] = 0
        yield Result(island, epoch, state, sent, log, timings)


def _sent(stored):
    """What is stored as an argument: large bytes once for all retries."""
    import ray

    return ray.put(stored) if stored is not None and len(stored) > 100_000 else stored


def _on_worker(driver_code, spec_json, source, *epoch):
    """`compute` on a worker: refused if it runs other code than the driver, compiled before if it is the machine's first."""
    if code.digest() != driver_code:
        raise MachineError(
            f"machine {os.uname().nodename} runs another version of evocircuits (sources {code.digest()}, here {driver_code}): "
            "install the same one"
        )
    _compile_once(spec_json, source)
    return compute(spec_json, source, *epoch)


_ready: set[tuple[str, str | None]] = set()


def _compile_once(spec_json, source):
    """The first of a machine's workers compiles, the others wait and read what it cached."""
    if (spec_json, source) in _ready:
        return
    path = os.path.join(tempfile.gettempdir(), f"evocircuits-{os.getuid()}-{code.digest()}.lock")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        warm_up(RunSpec.model_validate_json(spec_json), source)
        _ready.add((spec_json, source))
    finally:
        os.close(descriptor)
