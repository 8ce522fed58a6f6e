"""States as bytes, without pickle: the names of the fields, then arrays as in .npy files, in a Zstandard frame. The same bytes
travel and are stored."""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np
import zstandard
from numpy.lib import format as npy

from circuits.errors import UserError

LEVEL = 1
MAGIC = zstandard.FRAME_HEADER
ZIP = b"PK"
ALIGNED = 64  # bytes: alignment of every part
FIRST = 1 << 16  # bytes: maximum length of the head of an array
MAGIC_LENGTH = {1: 10, 2: 12}  # bytes of a head before its text, by version: a magic number, the version, the text's length
REMEMBERED = 4096  # bytes of a head that is cached
PLAIN, LONGEST = "biufU", 4096  # kinds of numbers and texts, bytes of one


class MisfitError(ValueError):
    """An array that does not have its declared shape."""


class Shape(NamedTuple):
    """Required form of an array: its dtype (None: any plain numbers or texts; a tuple: one of these, the largest first), and
    the minimum and maximum length of every axis."""

    dtype: Any
    axes: tuple[tuple[int, int], ...]

    @property
    def max_bytes(self) -> int:
        """Maximum size in bytes."""
        size = LONGEST if self.dtype is None else np.dtype(self._dtypes[0]).itemsize
        return size * math.prod(largest for _, largest in self.axes)

    @property
    def _dtypes(self):
        return self.dtype if isinstance(self.dtype, tuple) else (self.dtype,)

    def check(self, name: str, dtype: np.dtype, lengths: tuple[int, ...]):
        """Raise MisfitError for an array of another form."""
        plain = dtype.kind in PLAIN and dtype.itemsize <= LONGEST
        if not (plain if self.dtype is None else dtype in self._dtypes):
            raise MisfitError(f"{name}: holds other records")
        if len(lengths) != len(self.axes) or any(not a <= n <= b for n, (a, b) in zip(lengths, self.axes, strict=True)):
            wanted = " x ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in self.axes)
            raise MisfitError(f"{name}: is {' x '.join(map(str, lengths)) or 'a number'}, not {wanted}")


Shapes = Mapping[str, Shape]


def to_bytes(state: Any) -> bytes:
    """A named tuple of arrays as bytes; a field `log` is stored as JSON. The same arrays give the same bytes."""
    parts: list[Any] = [json.dumps(state._fields).encode() + b"\n"]
    for name, value in state._asdict().items():
        array = np.ascontiguousarray(np.frombuffer(json.dumps(value).encode(), "u1") if name == "log" else value)
        head = BytesIO()
        npy.write_array_header_2_0(head, npy.header_data_from_array_1_0(array))
        parts += head.getvalue(), array.reshape(-1).view("u1")
    padded = [piece for part in parts for piece in (part, bytes(-len(part) % ALIGNED))]
    # with a checksum, which detects flipped bits
    compressor = zstandard.ZstdCompressor(LEVEL, write_checksum=True).compressobj(size=sum(map(len, padded)))
    return b"".join([*map(compressor.compress, padded), compressor.flush()])


def from_bytes(kind: Any, data: bytes, shapes: Shapes | None = None) -> Any:
    """The named tuple of this kind in bytes of `to_bytes`. Raises UserError for other bytes, MisfitError for arrays that do not
    have the given shapes, beyond whose size nothing is unpacked. Without shapes the bytes must come from this program. Executes
    nothing in the bytes."""
    try:
        limit = None if shapes is None else largest(shapes)
        content = _decompressed(data, limit) if data.startswith(MAGIC) else data
        arrays = _from_npz(kind, content, limit, shapes) if content[:2] == ZIP else _from_npy(content, shapes)
        fields = {name: array for name, array in arrays.items() if name in kind._fields}
        if "log" in kind._fields:
            fields["log"] = json.loads(fields["log"].tobytes())
        return kind(**fields)
    except MisfitError:
        raise
    except Exception as error:  # foreign bytes can make numpy, zipfile and json raise anything
        raise UserError(f"holds no readable {kind.__name__} ({type(error).__name__})") from None


def largest(shapes: Shapes) -> int:
    """Maximum size in bytes of arrays of these shapes, heads included."""
    return sum(shape.max_bytes for shape in shapes.values()) + FIRST * (len(shapes) + 1)


def size_of(data: bytes) -> int:
    """Number of bytes that `from_bytes` unpacks, according to the frame's head; it unpacks no more."""
    try:
        return zstandard.get_frame_parameters(data).content_size if data.startswith(MAGIC) else len(data)
    except zstandard.ZstdError:
        return len(data)


def _decompressed(data, limit):
    """The content of the frame in writable memory, of which the arrays are views."""
    size = zstandard.get_frame_parameters(data).content_size
    if limit is not None and size > limit:
        raise MisfitError(f"takes {size:,} bytes, not at most {limit:,}")
    content = np.empty(size, "u1")
    rest = memoryview(content)
    with zstandard.ZstdDecompressor().stream_reader(data) as frame:
        while count := frame.readinto(rest):
            rest = rest[count:]
    if rest:
        raise EOFError
    return memoryview(content)


def _from_npy(data, shapes):
    names, _, _ = bytes(data[:FIRST]).partition(b"\n")
    at, fields = len(names) + 1, {}
    for name in json.loads(names):
        at += -at % ALIGNED
        fields[name], at = _array(data, at, name, shapes)
    return fields


def _array(data, at, name, shapes):
    """The array that begins at this byte as in a .npy file, and the byte where it ends."""
    before = MAGIC_LENGTH[data[at + 6]]
    head = bytes(data[at : at + before + int.from_bytes(data[at + 8 : at + before], "little")])
    lengths, dtype = _head(head) if len(head) < REMEMBERED else _head.__wrapped__(head)
    if shapes is not None and name in shapes:
        shapes[name].check(name, dtype, lengths)
    at, count = at + len(head), math.prod(lengths)
    return np.frombuffer(data, dtype, count, at).reshape(lengths), at + count * dtype.itemsize


@lru_cache(maxsize=1000)
def _head(head):
    """The lengths of the axes and the dtype in the head of a .npy file; cached, since many are the same and slow to parse."""
    file = BytesIO(head)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(file)]
    lengths, by_columns, dtype = read(file)
    if any(length < 0 for length in lengths) or by_columns or file.tell() < len(head):
        raise ValueError
    return lengths, dtype


def _from_npz(kind, data, limit, shapes):
    """The fields in the format of the first versions."""
    with ZipFile(BytesIO(data)) as file:
        members = {name: f"{name}.npy" for name in kind._fields if f"{name}.npy" in file.namelist()}
        size = sum(file.getinfo(member).file_size for member in members.values())
        if limit is not None and size > limit:
            raise MisfitError(f"takes {size:,} bytes, not at most {limit:,}")
        return {name: _array(bytearray(file.read(member)), 0, name, shapes)[0] for name, member in members.items()}
