"""Guarded calls into the user's own code, with a time limit and protection from exits and forks."""

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

from circuits.errors import MachineError, UserError
from fitness.sandbox.modules import describe

# A late call is interrupted repeatedly, at random times: it may catch the first interruptions, but not one that comes, for
# instance, between two iterations of a loop.
AGAIN_S = 0.002
SOONER_S = 3e-6, 3e-4
UNSTOPPABLE_S = 30.0  # after which the process is ended

_exit = os._exit  # replaced during a call
_random = random.Random(0)


class Overtime(BaseException):
    """The cause of the error that `guarded` raises. Not an Exception, so that a task that catches those in a loop ends too."""


def guarded(what: str, seconds: float | None, call: Callable, *arguments, **settings) -> Any:
    """The return value of `call`. Raises UserError "WHAT did not return within ..." where it takes longer than `seconds` (None:
    no limit), and UserError where it tries to end the process by sys.exit, os._exit or its own KeyboardInterrupt.

    The limit is a timer of the operating system, which only the main thread can have, and not on Windows: elsewhere there is no
    limit. A process that the call forks ends when it returns from the call.
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


def reporting(where: str, seconds: float | None, module: str, call: Callable, *arguments, **settings) -> Any:
    """`guarded`, with any exception of the user's own code, of this module, as a UserError of one line that begins with
    `where`."""
    try:
        return guarded(where, seconds, call, *arguments, **settings)
    except (UserError, MachineError):
        raise
    except Exception as error:
        raise UserError(f"{where}: fails: {describe(error, module)}") from error


class _Alarm:
    """The timer of one call. It raises Overtime only inside the call, repeatedly until the call ends."""

    def __init__(self, what, seconds):
        self.what, self.seconds = what, seconds
        self.inside = False
        self.interrupted: BaseException | None = None  # by a signal from outside
        self.late: float | None = None

    def around(self, call, arguments, settings):
        outer = 0.0, 0.0  # the timer of an enclosing call
        before = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)}
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if callable(before[number]):
                    signal.signal(number, self._noting(before[number]))
            signal.signal(signal.SIGALRM, self._ring)
            outer = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN_S)
            self.inside = True
            try:
                value = call(*arguments, **settings)
            finally:
                self.inside = False  # nothing can interrupt between the call and this: Python checks for signals elsewhere
        except BaseException:
            if self.late is not None:
                raise Overtime from None
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, *outer)
        if self.interrupted is not None:  # the call caught the interruption and continued
            raise self.interrupted
        if self.late is not None:
            raise Overtime
        return value

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
    """Raised in place of os._exit, see `guarded`."""


def _refusing_exit(process):
    def refusing(status):
        # A forked process may end so, and other threads are not the task's.
        if os.getpid() != process or threading.current_thread() is not threading.main_thread():
            _exit(status)
        raise _ExitCalled

    return refusing


def _line(error):
    """Position of the error in the task's own code, its innermost line."""
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename != __file__]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
