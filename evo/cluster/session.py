"""Ray during a run: joined where it runs already, or started here, and monitored.

Ray itself waits for a lost head forever, or ends the process after a minute with messages of its own. Here the head is asked
for its nodes every few seconds: when it has been silent for SILENCE_S, the run ends with a message of one line.
"""

import atexit
import logging
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, nullcontext

from circuits.errors import MachineError
from evo.cluster import imports, shipping
from evo.cluster.joining import authenticate, is_loopback, is_open, warn_if_open
from evo.cluster.local_ray import local_ray, without_uv

ASK_S = 2
SILENCE_S = 40  # Ray ends the process at 60 s
GIVE_UP_S = 30  # more, if a call into Ray does not return either
LOST = "{} no longer answers; everything finished is stored: once it is back, go on with evo resume"
ENDED = "Ray has ended; everything finished is stored: go on with evo resume"

say = logging.getLogger("evo")


class ray_session:  # noqa: N801 - reads as a statement: with ray_session(...)
    """Ray for the time of a `with` block: joined at an address, or started here with `workers` processes on the loopback.

    A Ray that was already running in this process is used and left running.

    address  "auto" or HOST:PORT;   ship  send the code to all machines, as is done anyway unless all have the same code as this
    one
    """

    def __init__(self, workers: int, address: str | None = None, ship: bool = False):
        self.workers, self.address, self.shipped = workers, address, ship
        self.name = f"Ray at {address}" if address else "Ray"
        self._over, self._asking_since = threading.Event(), 0.0
        self._answered = self._checked = time.monotonic()
        self._nodes: list[dict] = []
        self._alone = False
        self._surroundings = ExitStack()

    def __enter__(self):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        self.ours = not ("ray" in sys.modules and sys.modules["ray"].is_initialized())
        if self.ours and self.address:
            authenticate(self.address)  # best before Ray is imported, which reads its token then
        import ray

        try:
            if self.ours:
                self._join() if self.address else self._start()
            self._nodes = ray.nodes()
        except BaseException:
            self.__exit__()
            raise
        self._answered = self._checked = time.monotonic()
        for work in (self._poll, self._watch):
            threading.Thread(target=work, name=f"evo-ray{work.__name__}", daemon=True).start()
        return self

    def __exit__(self, *_):
        self._over.set()
        if self.ours:
            _leave()
            self._surroundings.close()

    def _start(self):
        import ray

        try:
            options = self._surroundings.enter_context(local_ray())
            with _same_sigterm(), without_uv():
                ray.init(num_cpus=self.workers, **options, **_QUIET)
        except Exception as error:  # Ray raises a plain Exception where the machine is too busy
            raise MachineError(f"Ray did not start ({_one_line(error)}); use --workers 0 to run without it") from None
        listening = ray.nodes()[0]["NodeManagerAddress"]
        if not is_loopback(listening):
            say.warning(f"this version of Ray listens at {listening}, not on the loopback alone; its token protects it")

    def _join(self):
        import ray

        self._connect(shipping.environment() if self.shipped else None)
        where = ray.get_runtime_context().gcs_address
        if self.address == "auto" and is_open(where):
            warn_if_open(where)
        if self.shipped:
            return
        without = shipping.without_this_code()
        if without:
            say.warning(f"{without} of the cluster's machines have no evocircuits, or another: this one's code is sent to all")
            self.shipped = True
            ray.shutdown()
            self._connect(shipping.environment())

    def _connect(self, environment):
        import ray

        uv = nullcontext() if "RAY_ENABLE_UV_RUN_RUNTIME_ENV" in os.environ else without_uv()
        job = {} if str(self.address).startswith("ray://") else {"job_config": imports.job([])}
        try:
            with _same_sigterm(), uv:
                ray.init(address=self.address, runtime_env=environment, **job, **_QUIET)
        except Exception as error:
            raise MachineError(f"cannot join {self.name} ({_one_line(error)})") from None

    @contextmanager
    def asking(self):
        """Context of calls into Ray: the process is ended if they do not return."""
        self._asking_since = time.monotonic()
        try:
            yield
        finally:
            self._asking_since = 0.0

    def check(self):
        """Raise MachineError if the head has been silent for too long. To be called frequently."""
        now = time.monotonic()
        if now - self._checked > SILENCE_S / 2:  # this process itself was suspended
            self._answered = now
        self._checked = now
        if now - self._answered > SILENCE_S:
            raise self.lost()

    def lost(self) -> MachineError:
        """The error to raise when Ray is gone."""
        return MachineError(LOST.format(self.name) if self.address else ENDED)

    def machines(self) -> list[str]:
        """Ids of the working nodes by the last answer of the head, each once per processor. Warns once if there are none."""
        alive = sorted((node["NodeID"], int(node["Resources"].get("CPU", 0))) for node in self._nodes if node["Alive"])
        nodes = [node for node, processors in alive for _ in range(processors)]
        if not nodes and not self._alone:
            say.warning(f"{self.name} has no machine that works at the moment: waiting until one joins")
        self._alone = not nodes
        return nodes

    def _poll(self):
        import ray

        while not self._over.wait(ASK_S):
            try:
                self._nodes, self._answered = ray.nodes(), time.monotonic()
            except Exception:  # any error counts as no answer
                continue

    def _watch(self):
        while not self._over.wait(1):
            since, now = self._asking_since, time.monotonic()
            if since and now - max(since, self._answered + SILENCE_S) > GIVE_UP_S:
                print(f"evo: {self.lost()}", file=sys.stderr, flush=True)
                os._exit(1)


_QUIET = {"logging_level": "error", "log_to_driver": False, "configure_logging": True}


def _one_line(error):
    text = " ".join(str(error).split())
    return text[:300] if text else type(error).__name__


def _leave():
    """ray.shutdown, which without a head may never return: then the process must not wait for it at its end either."""
    import ray

    leaving = threading.Thread(target=ray.shutdown, daemon=True)
    leaving.start()
    leaving.join(15)
    if leaving.is_alive():
        atexit.unregister(ray.shutdown)
        atexit.register(_end_at_once)


def _end_at_once():
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)


@contextmanager
def _same_sigterm():
    """Context that keeps the handler of SIGTERM, which Ray replaces by one that ends the process at once."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
