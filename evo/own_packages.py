"""evo imports its own `circuits` and `fitness`, even if a user's file such as fitness.py has the same name.

Import this module before all others of evo.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path

HERE = Path(os.path.abspath(__file__)).parents[1]  # the folder that holds evo


def _leave_the_working_folder():
    """Make `python -m evo` not import from the working folder, as the command `evo` does not, unless the folder holds evo."""
    ours = any(option == "-m" and module.split(".")[0] == "evo" for option, module in pairwise(sys.orig_argv))
    if sys.argv[:1] == ["-m"] and ours and sys.path and not sys.flags.safe_path:  # -m: while Python looks for the module
        first = Path(os.path.abspath(sys.path[0]))
        if first == Path.cwd() and not first.samefile(HERE):
            del sys.path[0]


def _import_from_beside(name):
    """Import the package beside evo; if there is none (code that was sent to a cluster), it is imported like any other."""
    beside = HERE / name / "__init__.py"
    if not beside.exists():
        return
    if name in sys.modules:
        imported = sys.modules[name].__file__
        if imported is None or not beside.samefile(imported):
            raise ImportError(f"{imported or name} is imported already as {name}, which is a package of evocircuits: rename it")
        return
    spec = spec_from_file_location(name, beside, submodule_search_locations=[str(beside.parent)])
    assert spec
    assert spec.loader
    sys.modules[name] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


_leave_the_working_folder()
for _name in ("circuits", "fitness"):
    _import_from_beside(_name)
