"""States as bytes and back, without pickle: the names of the fields, then arrays as .npy files have them, in a Zstandard frame.
They are what travels and what is stored."""

import json
from io import BytesIO
from typing import Any

import numpy as np
import zstandard
from numpy.lib import format as npy

from circuits.errors import UserError

LEVEL = 1
MAGIC = zstandard.FRAME_HEADER
ZIP = b"PK"
ALIGNED = 64  # bytes: where every part begins
FIRST = 1 << 16  # bytes: no head of an array is longer


def to_bytes(state: Any) -> bytes:
    """A named tuple of arrays as bytes; a field `log` is stored as JSON. The same arrays give the same bytes."""
    parts: list[Any] = [json.dumps(state._fields).encode() + b"\n"]
    for name, value in state._asdict().items():
        array = np.ascontiguousarray(np.frombuffer(json.dumps(value).encode(), "u1") if name == "log" else value)
        head = BytesIO()
        npy.write_array_header_2_0(head, npy.header_data_from_array_1_0(array))
        parts += head.getvalue(), array.reshape(-1).view("u1")
    padded = [some for part in parts for some in (part, bytes(-len(part) % ALIGNED))]
    # with a checksum: a bit that has flipped is noticed
    compressor = zstandard.ZstdCompressor(LEVEL, write_checksum=True).compressobj(size=sum(map(len, padded)))
    return b"".join([*map(compressor.compress, padded), compressor.flush()])


def from_bytes(kind: Any, data: bytes) -> Any:
    """The named tuple of this kind in what `to_bytes` made; UserError for anything else. Executes nothing that is in it."""
    try:
        whole = _decompressed(data) if data.startswith(MAGIC) else data
        found = _from_npz(kind, whole) if whole[:2] == ZIP else _from_npy(whole)
        fields = {name: array for name, array in found.items() if name in kind._fields}
        if "log" in kind._fields:
            fields["log"] = json.loads(fields["log"].tobytes())
        return kind(**fields)
    except Exception as error:  # what a stranger's bytes can make numpy, zipfile and json raise has no end
        raise UserError(f"holds no readable {kind.__name__} ({type(error).__name__})") from None


def _decompressed(data):
    """Into memory that can be written to: the arrays are views of it."""
    found = np.empty(zstandard.get_frame_parameters(data).content_size, "u1")
    left = memoryview(found)
    with zstandard.ZstdDecompressor().stream_reader(data) as frame:
        while count := frame.readinto(left):
            left = left[count:]
    if left:
        raise EOFError
    return memoryview(found)


def _from_npy(data):
    names, _, _ = bytes(data[:FIRST]).partition(b"\n")
    at, fields = len(names) + 1, {}
    for name in json.loads(names):
        at += -at % ALIGNED
        head = BytesIO(data[at : at + FIRST])
        if npy.read_magic(head) != (2, 0):
            raise ValueError
        shape, _, dtype = npy.read_array_header_2_0(head)
        if any(length < 0 for length in shape):
            raise ValueError
        at, count = at + head.tell(), int(np.prod(shape, dtype=object))
        fields[name] = np.frombuffer(data, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    return fields


def _from_npz(kind, data):
    """As the first versions stored them."""
    with np.load(BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in kind._fields if name in file}
