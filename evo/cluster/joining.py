"""Checks before a running Ray is joined: is there one, does it require a token, is its token on this machine?"""

import logging
import os
import socket
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

from circuits.errors import MachineError
from evo.cluster.imports import search_path
from evo.cluster.local_ray import read_token_again

PATIENCE_S = 20
TOKEN_FILE = Path(".ray", "auth_token")  # in the home folder, where Ray itself looks

say = logging.getLogger("evo")

# Run in another process, since Ray reads the mode once and waits for a silent head for minutes. The client is that of `ray
# health-check`; versions without it leave the question to joining.
_KNOCK = """
import sys
try:
    from ray._raylet import GcsClient
except ImportError:
    sys.exit(0)
try:
    GcsClient(address=sys.argv[1])
except Exception as error:
    sys.exit(3 if type(error).__name__ == "AuthenticationError" else 4)
sys.exit(2)
"""
_UNKNOWN, _OPEN, _REFUSED = 0, 2, 3


def check_address(address: str | None):
    """Raise MachineError at once where nothing listens: Ray itself waits for a minute."""
    host, _, port = (address or "").rpartition(":")
    if not port.isdigit():
        return
    host = host.removeprefix("ray://").strip("[]")
    if is_loopback(host):
        from ray.util import get_node_ip_address

        host = get_node_ip_address()  # for Ray, the address at which others reach this machine
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        where = "" if host in str(address) else f"at {host}:{port} "
        raise MachineError(f"no Ray at {address} ({where}{error}); start one with: ray start --head") from None


def authenticate(address: str):
    """Use the token of this machine for a cluster that requires one. Raises MachineError if that fails; warns of a cluster that
    requires none and can be reached from other machines."""
    mode = os.environ.get("RAY_AUTH_MODE")
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", address)
    if address == "auto":
        if mode is None and _has_token():
            _use_token()
        return
    if address.startswith("ray://"):
        return
    answer = _knock(address, "disabled")
    if answer == _OPEN:
        warn_if_open(address)
    elif answer == _REFUSED:
        if not _has_token():
            raise MachineError(
                f"Ray at {address} asks for its token: copy it from the head's ~/.ray/auth_token to here, or set RAY_AUTH_TOKEN"
            )
        _use_token()
        if _knock(address, "token") == _REFUSED:
            raise MachineError(f"Ray at {address} refuses the token that is here (RAY_AUTH_TOKEN, or ~/.ray/auth_token)")
    elif answer != _UNKNOWN:
        raise MachineError(f"what listens at {address} does not answer as Ray does; is it the head's address, with its port?")


def warn_if_open(address: str):
    """Warn of a cluster without a token that other machines can reach."""
    if not is_loopback(address.rpartition(":")[0].strip("[]")):
        say.warning(f"Ray at {address} asks for no token: whoever can reach it can run code on it (RAY_AUTH_MODE=token on all)")


def is_open(address: str) -> bool:
    """Can Ray at this address be joined without a token?"""
    return _knock(address, "disabled") == _OPEN


def _knock(address, mode):
    command = [sys.executable, "-P", "-c", _KNOCK, address]  # -P: no ray.py of the working folder
    environment = os.environ | {"RAY_AUTH_MODE": mode, "PYTHONPATH": os.pathsep.join(search_path())}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run(command, env=environment, timeout=PATIENCE_S, check=False, **quiet).returncode
    except subprocess.TimeoutExpired:
        return None


def _has_token():
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path(os.path.expanduser("~"), TOKEN_FILE)).is_file()


def _use_token():
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    read_token_again()


def is_loopback(host: str) -> bool:
    """Is the address the loopback, which only this machine reaches?"""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
