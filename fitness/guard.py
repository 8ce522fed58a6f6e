"""A limit on how long a task of the user's own may take in one go."""

import signal
import threading
from contextlib import contextmanager

from circuits.errors import UserError


class Overtime(BaseException):
    """The cause of the error that `limited` raises. Not an Exception: a task that catches those in a loop ends all the same."""


@contextmanager
def limited(seconds: float | None, what: str):
    """Raise UserError "WHAT did not return within ..." where the block takes longer; None: no limit.

    By a timer of the operating system, which only the main thread of a process can have, and not on Windows: elsewhere there is
    no limit.
    """
    has_timer = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not has_timer:
        yield
        return

    def ring(*_):
        raise Overtime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except Overtime as overtime:
        raise UserError(f"{what} did not return within {seconds:g} s (search.task_seconds)") from overtime
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
