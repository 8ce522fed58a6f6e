"""Ray for the time of a run: joined where it runs already, or started here."""

import os
import socket

from circuits.errors import MachineError

_NO_RAY = "no Ray at {} ({}); start one with: ray start --head"


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
                ray.init(address="local", num_cpus=self.workers, include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
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


def check_address(address: str | None):
    """Raise MachineError at once where nothing listens: Ray itself waits for a minute."""
    host, _, port = (address or "").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.removeprefix("ray://"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise MachineError(_NO_RAY.format(address, error)) from None
