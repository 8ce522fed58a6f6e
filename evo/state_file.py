"""States as bytes and back: .npz files in memory, without pickle, in a Zstandard frame. They are what travels and what is
stored."""

import json
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
import zstandard

from circuits.errors import UserError

LEVEL = 1
MAGIC = zstandard.FRAME_HEADER


def to_bytes(state: Any) -> bytes:
    """A named tuple of arrays as bytes; a field `log` is stored as JSON. The same arrays give the same bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, value in state._asdict().items():
            array = np.frombuffer(json.dumps(value).encode(), "u1") if name == "log" else value
            info = zipfile.ZipInfo(f"{name}.npy")  # its date is always the same
            with file.open(info, "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
    return zstandard.ZstdCompressor(LEVEL).compress(buffer.getbuffer())


def from_bytes(kind: Any, data: bytes) -> Any:
    """The named tuple of this kind in what `to_bytes` made; UserError for anything else. Executes nothing that is in it."""
    try:
        if data.startswith(MAGIC):  # else from before there were frames, an .npz file as it is
            data = zstandard.ZstdDecompressor().decompress(data)
        with np.load(BytesIO(data), allow_pickle=False) as file:
            fields = {name: file[name] for name in kind._fields if name in file}
        if "log" in kind._fields:
            fields["log"] = json.loads(fields["log"].tobytes())
        return kind(**fields)
    except Exception as error:  # what a stranger's bytes can make numpy, zipfile and json raise has no end
        raise UserError(f"holds no readable {kind.__name__} ({type(error).__name__})") from None
