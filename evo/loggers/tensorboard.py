"""To TensorBoard: a folder of event files for each run."""

from pathlib import Path

from circuits.errors import MachineError
from evo.epochs import Result
from evo.loggers import scalars
from evo.spec import RunSpec


class Logger:
    """Writes into PLACE/NAME; a resumed run adds to what is there."""

    def __init__(self, place: str, spec: RunSpec, name: str):
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise MachineError("TensorBoard is not installed: pip install 'evocircuits[tensorboard]'") from None
        try:
            self._writer = Writer(str(Path(place) / name))
        except OSError as error:
            raise MachineError(f"{place}: cannot be written: {error.strerror}") from None
        self._spec = spec

    def __call__(self, result: Result):
        for name, generation, value in scalars(result, self._spec):
            self._writer.add_scalar(name, value, generation)
        self._writer.flush()

    def close(self):
        self._writer.close()
