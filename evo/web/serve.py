"""Starting the lab: a free address, a token, and the server until Ctrl-C."""

import atexit
import secrets
import shutil
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

from circuits.errors import MachineError, UserError
from evo.web.bench import warm
from evo.web.questions import Lab
from evo.web.row_cache import RowCache

PORT = 8642
LOOPBACK = "127.0.0.1", "localhost", "::1"


def serve(folder: Path, host: str, port: int | None, browse: bool, say: Callable[[str], None]):
    """Serve the lab over the runs below `folder` until interrupted. `say` is called with the address."""
    try:
        import uvicorn

        from evo.web.app import application
    except ImportError:
        raise MachineError("the lab needs Starlette and Uvicorn: pip install 'evocircuits[lab]'") from None
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; evo lab FOLDER shows the runs below one")
    listening = _listening(host, port)
    bound_port, token = listening.getsockname()[1], secrets.token_urlsafe(16)
    names = {host, *(LOOPBACK if host in LOOPBACK else ()), *(_own_names() if host in ("0.0.0.0", "::") else ())}
    hosts = [f"{f'[{name}]' if ':' in name else name}:{bound_port}" for name in sorted(names)]
    lab = Lab(folder, RowCache(folder))
    shown = "127.0.0.1" if host in LOOPBACK else host if host not in ("0.0.0.0", "::") else socket.gethostname()
    address = f"http://{shown}:{bound_port}/{token}/"
    lab.runs.watch()
    threading.Thread(target=warm, name="warm", daemon=True).start()
    server = uvicorn.Server(
        uvicorn.Config(
            application(lab, token, hosts),
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
    )
    say(address)
    if browse:
        webbrowser.open(address)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        lab.close()


def demo_runs() -> Path:
    """A copy of the demo runs in a temporary folder of this process, where runs may be started."""
    folder = Path(tempfile.mkdtemp(prefix="evo-lab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with as_file(files("evo.web") / "demo") as runs:
        shutil.copytree(runs, folder / "demo")
    return folder / "demo"


def _listening(host, port):
    """A socket at the given port, or at the first free one from the lab's default."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [port] if port is not None else [*range(PORT, PORT + 10), 0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
            listening.listen(128)
            return listening
        except OSError as error:
            listening.close()
            why = error
    raise MachineError(f"nothing can listen at {host}, port {port}: {why.strerror}; choose another --port")


def _own_names():
    return {*LOOPBACK, socket.gethostname(), socket.getfqdn()}
