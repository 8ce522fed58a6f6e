"""A run's epochs as chained Ray tasks: the same function and the same bytes as in one process.

States and migrants travel as bytes, as they are stored. Epoch e of an island waits only for its own epoch e - 1 and for the
migrants of its neighbour's: there is no barrier. Results are stored epoch by epoch, so that a run ends at the same epoch for
any number of workers; islands compute up to AHEAD epochs further. Every STRETCH epochs a chain starts afresh from bytes of the
driver, so that a lost object is rebuilt from at most that many epochs, and Ray's lineage does not grow.

An epoch that fails on one machine is tried again on another: its task raises, its worker dies, or it does not return.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any

from circuits.errors import MachineError, UserError
from evo.cluster import code
from evo.cluster.session import ray_session
from evo.engine.epochs import Plan, Result, neighbour

STRETCH = 4
AHEAD = 3  # epochs of one island submitted and not yet stored
ATTEMPTS = 3  # at an epoch that fails, perhaps because of the machine
CRASHES = 9  # retries in each of them when workers die
WAIT_S = 2
PATIENCE_S = 600  # without progress, until the first epoch has ended
MORE_S = 180  # later: this plus ten times the longest epoch

Results = list[Result] | UserError | MachineError
say = logging.getLogger("evo")


class OtherCodeError(MachineError):
    """A machine has no evocircuits, or another than the driver."""


def on_ray(plan: Plan, workers: int, address: str | None = None) -> Iterator[list[Result]]:
    """The remaining epochs as Ray tasks, in groups as they come in. The caller stores each group before asking for the next."""
    for _, results in together_on_ray([plan] * (not plan.ended), workers, address):
        if isinstance(results, Exception):
            raise results
        yield results


def together_on_ray(plans: Iterable[Plan], workers: int, address: str | None = None) -> Iterator[tuple[Plan, Results]]:
    """The remaining epochs of several plans on the same workers: yields a plan with results, which the caller stores before
    asking for the next, or with its error, while the others go on.

    Another plan is begun when the plans after the first have fewer islands than there are processors: the first gets as many as
    it can use, the others fill the gaps. Where a machine that joins later has other code, or none, Ray is joined again with the
    code sent to all.
    """
    plans, ship = iter(plans), False
    begun = [first for first in [next(plans, None)] if first is not None]
    while begun:
        try:
            with ray_session(workers, address, ship) as session:
                ship = ship or session.shipped
                yield from _together(session, begun, plans)
        except OtherCodeError as error:
            if not address and session.ours:  # the workers read the driver's folder, where files have changed
                raise MachineError(
                    f"the sources of evocircuits were changed while the run went on ({error}); go on with evo resume"
                ) from None
            if ship or not session.ours:
                raise
            say.warning(f"{error}: from now on the code is sent to all machines")
            ship = True


def _together(session, begun, plans):
    """The remaining epochs of the plans `begun`, which is kept up to date, and of further plans, in one session."""
    drivers = [_Driver(plan, session) for plan in begun]
    while True:
        for driver in (over := [driver for driver in drivers if driver.plan.ended or driver.failed]):
            driver.cancel()
        drivers = [driver for driver in drivers if driver not in over]
        while sum(len(driver.islands) for driver in drivers[1:]) < max(1, len(session.machines())):
            plan = next(plans, None)
            if plan is None:
                break
            drivers.append(_Driver(plan, session))
        begun[:] = [driver.plan for driver in drivers]
        if not drivers:
            return
        with session.asking():
            results = _ready(session, drivers)
        session.check()
        yield from results


def _ready(session, drivers):
    """Submit epochs, wait a moment, and return the finished ones among those to be stored next, by plan."""
    import ray

    try:
        due = {ref: (driver, key) for driver in drivers for ref, key in driver.due().items()}
        if ray.wait(list(due), num_returns=1, timeout=WAIT_S)[0]:
            ready, _ = ray.wait(list(due), num_returns=len(due), timeout=min(0.05, len(due) / 1000))
        else:
            ready = []
        finished = []
        for driver in drivers:
            keys = [key for owner, key in (due[ref] for ref in ready) if owner is driver]
            try:
                if results := driver.collected(keys):
                    finished.append((driver.plan, results))
            except OtherCodeError:
                raise
            except (UserError, MachineError) as error:
                driver.failed = True
                finished.append((driver.plan, error))
        return finished
    except (OSError, ray.exceptions.LocalRayletDiedError, ray.exceptions.RaySystemError) as error:
        raise session.lost() from error
    except ray.exceptions.RayError as error:
        text = " ".join(str(error).split())[:300]
        raise MachineError(f"Ray fails ({type(error).__name__}: {text}); everything finished is stored: evo resume") from error


class _Driver:
    """The driver's record of the epochs under way.

    pending    (island, epoch): the references to its state, migrants, and (log, timings)
    submitted  the last epoch of each island that is pending or stored
    attempts   failures of the next epoch of each island
    bad        machines where an epoch failed, which get no more epochs while there are others
    failed     has the plan failed?
    """

    def __init__(self, plan, session):
        import ray

        self.plan, self.session, self.progress = plan, session, plan.progress
        self.islands = range(plan.spec.search.islands)
        self.pending: dict[tuple[int, int], Any] = {}
        self.submitted = list(self.progress.epoch)
        self.attempts = dict.fromkeys(self.islands, 0)
        self.bad: set[str] = set()
        self.longest = self.done = self.hurried = 0
        self.advanced = self.looked = time.monotonic()
        self.failed = False
        self.remote = ray.remote(num_returns=3, max_retries=CRASHES)(_worker())
        self.spec = ray.put(plan.spec.model_dump_json())
        self.source = ray.put(plan.source)

    def due(self):
        """Submit epochs whose inputs exist. Returns the epochs to be stored next, by the reference to their log."""
        first = min(self.progress.epoch)
        last = min(self.progress.last_epoch, first + AHEAD)
        while sum(self._submit(island, last) for island in self.islands):
            pass
        keys = [key for key in ((i, first + 1) for i in self.islands) if key in self.pending]
        return {self.pending[key][2]: key for key in keys}

    def collected(self, keys):
        """The results of finished epochs; where there are none, check whether those due hang."""
        if keys:
            self.advanced = time.monotonic()
            return self._collected(keys)
        if time.monotonic() - self.looked > WAIT_S:
            self.looked = time.monotonic()
            self._hurry(list(self.due().values()))
        return []

    def cancel(self):
        """Cancel the epochs submitted beyond the end of the plan that wait for others. Those under way end by themselves: a
        task that is cancelled in the moment in which it ends can end this process (github.com/ray-project/ray/issues/54846)."""
        import ray

        logs = {key: log for key, (_, _, log) in self.pending.items()}
        under_way = set(ray.wait(list(logs.values()), num_returns=len(logs), timeout=0)[1]) if logs else set()
        for island, epoch in sorted(logs, key=lambda key: key[1], reverse=True):
            if logs.get((island, epoch - 1)) in under_way:
                ray.cancel(logs[island, epoch])
        self.pending.clear()

    def _submit(self, island, last):
        epoch = self.submitted[island] + 1
        if epoch > last:
            return False
        inputs = []
        for sender, output in ((island, 0), (neighbour(self.plan.spec, island), 1)):
            if epoch and sender is not None and self.progress.epoch[sender] < epoch - 1:  # not stored yet: a reference
                if epoch % STRETCH == 0 or (sender, epoch - 1) not in self.pending:
                    return False
                inputs.append(self.pending[sender, epoch - 1][output])
            else:
                inputs.append(_sent(self.plan.state(island) if output == 0 else self.plan.guests(island, epoch)))
        task = self.remote.options(scheduling_strategy=self._where(island)) if self.bad else self.remote
        self.pending[island, epoch] = task.remote(code.digest(), self.spec, self.source, island, epoch, *inputs)
        self.submitted[island] = epoch
        return True

    def _where(self, island):
        """Scheduling on one of the machines where no epoch has failed, in turn."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        good = [node for node in self.session.machines() if node not in self.bad]
        return NodeAffinitySchedulingStrategy(good[island % len(good)], soft=True) if good else "DEFAULT"

    def _collected(self, keys):
        import ray

        try:
            answers = ray.get([ref for key in keys for ref in self.pending[key]])
        except ray.exceptions.RayError:
            if len(keys) > 1:
                return self._collected(keys[:1]) or self._collected(keys[1:])
            self._failed(keys[0])
            return []
        results = []
        for key, state, migrants, (log, timings) in zip(keys, answers[::3], answers[1::3], answers[2::3], strict=True):
            del self.pending[key]
            self.attempts[key[0]] = 0
            self.longest, self.hurried = max(self.longest, timings["total"]), 0
            results.append(Result(*key, state, migrants, log, timings))
        return results

    def _failed(self, key):
        """Submit a failed epoch again, elsewhere if possible, and all that wait for it. Raises when it has failed too often."""
        import ray

        island, epoch = key
        try:
            ray.get(self.pending[key])
        except ray.exceptions.LocalRayletDiedError:
            raise
        except ray.exceptions.RayTaskError as error:
            why, cause = error, error.cause
        except ray.exceptions.RayError as error:
            why = cause = error
        else:
            return
        self.attempts[island] += 1
        message = " ".join(str(cause).split())[:300]
        if isinstance(cause, ImportError) and (self.attempts[island] == ATTEMPTS or not self.session.shipped):
            raise OtherCodeError(message)
        self._blame(*getattr(cause, "machine", (None, "")), message)
        if self.attempts[island] == ATTEMPTS:
            if isinstance(cause, UserError | MachineError):
                raise cause
            raise MachineError(
                f"epoch {epoch} of island {island} failed {ATTEMPTS} times: {type(cause).__name__}: {message}"
            ) from why
        self._drop(key)

    def _blame(self, machine, name, message):
        """Avoid a machine on which an epoch failed, unless epochs failed on most machines."""
        if machine is not None and machine not in self.bad:
            say.warning(f"an epoch failed on machine {name} ({message}): tried again, elsewhere if there are others")
            self.bad.add(machine)
            if 2 * len(self.bad) > len(set(self.session.machines())):
                self.bad.clear()

    def _drop(self, key):
        """Forget a pending epoch and all that may wait for it, so that they are submitted again."""
        for other in [other for other in self.pending if other == key or other[1] > key[1]]:
            del self.pending[other]
            self.submitted[other[0]] = min(self.submitted[other[0]], other[1] - 1)

    def _hurry(self, due):
        """Start the due epochs again when no epoch has ended for very long: they hang."""
        import ray

        logs = [refs[2] for refs in self.pending.values()]
        done, now = len(ray.wait(logs, num_returns=len(logs), timeout=0)[0]), time.monotonic()
        if done != self.done or not self.session.machines():
            self.done, self.advanced = done, now
        patience = (MORE_S + 10 * self.longest if self.longest else PATIENCE_S) * 2**self.hurried
        if now - self.advanced > patience:
            say.warning(f"no epoch has ended for {patience:.0f} s: those that are due are started again")
            self.advanced, self.hurried = now, self.hurried + 1
            for key in due:
                ray.cancel(self.pending[key][2], force=True)
                self._drop(key)


def _sent(stored):
    """An argument of a task: large bytes are stored once for all retries."""
    import ray

    return ray.put(stored) if stored is not None and len(stored) > 100_000 else stored


def _worker():
    """`compute` on a worker: refused where the code differs from the driver's, after compilation for the first on a machine."""

    def epoch(driver_code, spec_json, source, *inputs):  # nested, so that it is sent as it stands: the module may be missing
        import os

        import ray

        try:
            try:
                from evo.cluster.code import digest
                from evo.cluster.warm_up import warm_up
                from evo.engine.epochs import compute
                from evo.spec.memory import keep_freed
                from evo.spec.run_spec import RunSpec
            except ImportError as error:
                raise ImportError(f"machine {os.uname().nodename} cannot run evocircuits ({error}): install it there") from None
            if digest() != driver_code:
                versions = f"sources {digest()}, here {driver_code}"
                raise ImportError(
                    f"machine {os.uname().nodename} has another version of evocircuits ({versions}): install the same one there"
                )
            keep_freed()
            warm_up(RunSpec.model_validate_json(spec_json), source)
            return compute(spec_json, source, *inputs)
        except Exception as error:
            error.machine = ray.get_runtime_context().get_node_id(), os.uname().nodename
            raise

    return epoch
