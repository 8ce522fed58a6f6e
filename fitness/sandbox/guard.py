"""Calls into a task of the user's own: they end in time, end nothing else, and leave one process behind."""

import math
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import Any

from circuits.errors import UserError

# A call that is late is interrupted again and again, at random moments: it may catch the first interruptions, but some come
# where it catches none, between two rounds of a loop for instance.
AGAIN_S = 0.002
SOONER_S = 3e-6, 3e-4
UNSTOPPABLE_S = 30.0  # after so long the process is ended

_exit = os._exit  # as long as a call goes on another stands in its place
_random = random.Random(0)


class Overtime(BaseException):
    """The cause of the error that `guarded` raises. Not an Exception: a task that catches those in a loop ends all the same."""


def guarded(what: str, seconds: float | None, call: Callable, *arguments, **settings) -> Any:
    """Return what `call` returns. Raises UserError "WHAT did not return within ..." where it takes longer than `seconds` (None:
    no limit), and UserError where it tries to end the process by sys.exit, os._exit, or a KeyboardInterrupt that nobody sent.

    By a timer of the operating system, which only the main thread of a process can have, and not on Windows: elsewhere there is
    no limit. A process that the call forks and that returns from it ends there: all that follows is for one process alone.
    """
    process = os.getpid()
    in_main_thread = threading.current_thread() is threading.main_thread()
    has_timer = in_main_thread and hasattr(signal, "setitimer")
    alarm = _Alarm(what, seconds) if seconds is not None and has_timer else None
    if in_main_thread:
        os._exit = _refusing_exit(process)
    try:
        if alarm is None:
            return call(*arguments, **settings)
        try:
            return alarm.around(call, arguments, settings)
        except Overtime as overtime:
            raise UserError(f"{what} did not return within {seconds:g} s (search.task_seconds)") from overtime
        except KeyboardInterrupt as error:
            if alarm.interrupted is not None:
                raise
            raise UserError(f"{what} raises KeyboardInterrupt{_line(error)}: raise an Exception instead") from error
    except SystemExit as error:
        if alarm is not None and alarm.interrupted is not None:
            raise
        raise UserError(f"{what} ends the process by sys.exit{_line(error)}: raise an Exception instead") from error
    except _ExitCalled as error:
        raise UserError(f"{what} ends the process by os._exit{_line(error)}: raise an Exception instead") from error
    except BaseException as error:
        if isinstance(error, Exception | KeyboardInterrupt):
            raise
        raise UserError(f"{what} raises {type(error).__name__}{_line(error)}: raise an Exception instead") from error
    finally:
        if in_main_thread:
            os._exit = _exit
        if os.getpid() != process:
            _exit(1)


class _Alarm:
    """The timer of one call. It raises Overtime in the call alone, again and again until the call gives up."""

    def __init__(self, what, seconds):
        self.what, self.seconds = what, seconds
        self.inside = False
        self.interrupted: BaseException | None = None  # by a signal from outside
        self.late: float | None = None

    def around(self, call, arguments, settings):
        around = 0.0, 0.0  # the timer of a call that this one is part of
        before = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)}
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if callable(before[number]):
                    signal.signal(number, self._noting(before[number]))
            signal.signal(signal.SIGALRM, self._ring)
            around = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN_S)
            self.inside = True
            try:
                found = call(*arguments, **settings)
            finally:
                self.inside = False  # nothing can interrupt between the call and this: see where Python looks for signals
        except BaseException:
            if self.late is not None:
                raise Overtime from None
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, *around)
        if self.interrupted is not None:  # it caught the interruption and went on
            raise self.interrupted
        if self.late is not None:
            raise Overtime
        return found

    def _ring(self, *_):
        if not self.inside:
            return
        self.late = self.late or time.monotonic()
        if time.monotonic() - self.late > UNSTOPPABLE_S:
            print(f"evo: {self.what} did not return within {self.seconds:g} s and catches every interruption", file=sys.stderr)
            sys.stderr.flush()
            _exit(2)
        low, high = map(math.log, SOONER_S)
        signal.setitimer(signal.ITIMER_REAL, math.exp(_random.uniform(low, high)), AGAIN_S)
        raise Overtime

    def _noting(self, handler):
        def noting(number, frame):
            try:
                return handler(number, frame)
            except BaseException as error:
                self.interrupted = error
                raise

        return noting


class _ExitCalled(BaseException):
    """Stands for os._exit, see `guarded`."""


def _refusing_exit(process):
    def refusing(status):
        # A forked process is meant to end so; and other threads are not the task's.
        if os.getpid() != process or threading.current_thread() is not threading.main_thread():
            _exit(status)
        raise _ExitCalled

    return refusing


def _line(error):
    """Position in the task's own code: the last of its lines that led there."""
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename != __file__]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
