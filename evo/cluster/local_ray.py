"""A Ray for one run: on the loopback, with its own token, in a private folder.

Settings of another Ray in the environment (addresses, tokens, hooks) are ignored.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from evo.cluster import imports
from evo.cluster.private_folder import private_folder

LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # 0: this machine's address is the loopback, for all of Ray's processes
OTHERS = (
    "RAY_ADDRESS",
    "RAY_AUTH_TOKEN",
    "RAY_CLIENT_MODE",
    "RAY_GCS_SERVER_PORT",
    "RAY_JOB_CONFIG_JSON_ENV_VAR",
    "RAY_REDIS_ADDRESS",
    "RAY_RUNTIME_ENV_HOOK",
)


@contextmanager
def local_ray() -> Iterator[dict[str, Any]]:
    """Context from `ray.init` to `ray.shutdown`; yields the arguments of the former."""
    import ray._private.ray_constants as constants

    before = dict(os.environ)
    cluster = constants.ENABLE_RAY_CLUSTER  # read from LOOPBACK when Ray was imported
    with private_folder() as folder:
        token = folder / "token"
        with open(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            for name in OTHERS:
                os.environ.pop(name, None)
            os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), LOOPBACK: "0"}
            constants.ENABLE_RAY_CLUSTER = False
            read_token_again()
            yield {
                "address": "local",
                "include_dashboard": False,
                "job_config": imports.job(imports.search_path()),
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": str(folder / "ray"),
            }
        finally:
            for name in {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", LOOPBACK, *OTHERS}:
                os.environ.pop(name, None)
                if name in before:
                    os.environ[name] = before[name]
            constants.ENABLE_RAY_CLUSTER = cluster
            read_token_again()


def read_token_again():
    """Make Ray, which reads the token once, read it again. Nothing to do before Ray is imported."""
    if "ray" in sys.modules:
        with suppress(ImportError, AttributeError):  # private names, which may change: then joining reports the fault
            from ray._raylet import AuthenticationTokenLoader, Config

            Config.initialize("")
            AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def without_uv() -> Iterator[None]:
    """Context of a `ray.init` in which the workers use the driver's environment: under `uv run` Ray would send the working
    folder to all workers, each of which would create an environment."""
    import ray._private.ray_constants as constants

    before = constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV
    constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = False
    try:
        yield
    finally:
        constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = before
