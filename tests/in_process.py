"""What a process would have printed and how it would have ended, without the seconds that it takes to start one."""

import io
import os
import sys
import traceback
from contextlib import chdir, redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from unittest.mock import patch


def completed(call, cwd, argv) -> CompletedProcess:
    """Call a program's entry point in a folder, with pipes for the terminal; its exit code, and what it wrote, as text."""
    argv = [str(argument) for argument in argv]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with patch.object(sys, "argv", argv), patch.dict(os.environ), chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        try:
            call()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
            if isinstance(code, str):
                print(code, file=sys.stderr)
                code = 1
        except BaseException:  # what Python does with it at the end of a process
            traceback.print_exc()
            code = 1
    return CompletedProcess(argv, code, *(stream.buffer.getvalue().decode() for stream in (out, err)))
