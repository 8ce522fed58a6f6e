"""Logging to TensorBoard: a folder of event files for each run."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, FileIO
from itertools import count
from pathlib import Path

from circuits.errors import MachineError
from evo.loggers.logger import Generation
from evo.spec.run_spec import RunSpec

NEVER = (NotADirectoryError, FileExistsError, PermissionError)  # errors that do not pass


class Logger:
    """Writes into PLACE/NAME, each process into a file of its own; a resumed run adds the missing generations."""

    patience = 0.0

    def __init__(self, place: str, spec: RunSpec, name: str):
        try:
            import tensorboard.summary  # noqa: F401 - the face of the package
            from google.protobuf.message import DecodeError
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.plugins.scalar.summary_v2 import scalar_pb
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError:
            raise MachineError("TensorBoard is not installed: pip install 'evocircuits[tensorboard]'") from None
        self._event, self._scalar, self._record = Event, scalar_pb, RecordWriter
        self._unreadable = DecodeError
        self._folder = Path(place) / name
        self._file: FileIO | None = None
        self._scanned = False
        self._logged: dict[str, int] = {}  # the last step of each name that other processes logged
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except NEVER as error:
            raise MachineError(f"{place}: cannot be written: {error.strerror}") from None
        except OSError:  # a full disk: it is tried again
            pass

    def prepare(self):
        pass

    def connect(self) -> bool:
        if not self._scanned:
            for path in sorted(self._folder.glob("events.out.tfevents.*")):
                self._scan(path)
            self._scanned = True
        return bool(self._logged)

    def _scan(self, path):
        for record in records(path):
            with suppress(self._unreadable):
                event = self._event.FromString(record)
                for value in event.summary.value:
                    self._logged[value.tag] = max(event.step, self._logged.get(value.tag, -1))

    def reached(self, island: int) -> int:
        return self._logged.get(f"island_{island}/best", -1)

    def write(self, rows: list[Generation]):
        now = time.time()
        events = []
        for row in rows:
            event = self._event(wall_time=now, step=row.generation)
            for name, value in row.values.items():
                event.summary.MergeFrom(self._scalar(name, value))
            events.append(event)
        self._append(events)

    def close(self, _status: str):
        if self._file is not None:
            self._file.close()

    def _append(self, events):
        """Append all events or, if this raises, none: nothing is read behind a record that is cut short."""
        if self._file is None:
            self._file = self._new_file()
        end, data = self._file.tell(), BytesIO()
        if not end:
            events = [self._event(wall_time=time.time(), file_version="brain.Event:2"), *events]
        record = self._record(data)
        for event in events:
            record.write(event.SerializeToString())
        rest = memoryview(data.getvalue())
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            self._file.seek(end)
            self._file.truncate()
            raise

    def _new_file(self):
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        for k in count():
            with suppress(FileExistsError):
                return open(self._folder / f"{stem}.{k}", "xb", buffering=0)


def records(path: Path) -> Iterator[bytes]:
    """The complete records of an event file: length (8 bytes), its checksum (4), data, their checksum (4)."""
    left = path.stat().st_size
    with open(path, "rb") as file:
        while len(head := file.read(12)) == 12:
            length = struct.unpack("<Q", head[:8])[0]
            left -= 16 + length
            if left < 0:
                return
            yield file.read(length + 4)[:length]
