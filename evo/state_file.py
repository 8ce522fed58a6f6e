"""States as bytes and back: .npz files in memory, without pickle. They are what travels and what is stored."""

import json
import zipfile
from io import BytesIO
from typing import Any

import numpy as np

from circuits.errors import UserError


def to_bytes(state: Any) -> bytes:
    """A named tuple of arrays as the bytes of an .npz file; a field `log` is stored as JSON. The same arrays give the same
    bytes."""
    buffer = BytesIO()
    # np.savez_compressed cannot be told to hurry: its level costs several times the time and saves few bytes
    with zipfile.ZipFile(buffer, "w") as file:
        for name, value in state._asdict().items():
            array = np.frombuffer(json.dumps(value).encode(), "u1") if name == "log" else value
            info = zipfile.ZipInfo(f"{name}.npy")  # its date is always the same
            info.compress_type = zipfile.ZIP_DEFLATED
            info._compresslevel = 1  # type: ignore[attr-defined]
            with file.open(info, "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def from_bytes(kind: Any, data: bytes) -> Any:
    """The named tuple of this kind in what `to_bytes` made; UserError for anything else. Executes nothing that is in it."""
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            fields = {name: file[name] for name in kind._fields if name in file}
        if "log" in kind._fields:
            fields["log"] = json.loads(fields["log"].tobytes())
        return kind(**fields)
    except Exception as error:  # what a stranger's bytes can make numpy, zipfile and json raise has no end
        raise UserError(f"holds no readable {kind.__name__} ({type(error).__name__})") from None
