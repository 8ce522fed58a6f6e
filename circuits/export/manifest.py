"""What an exported folder says of itself: README.md for people, export.json for programs."""

import json
from importlib.metadata import version
from pathlib import Path

from circuits.export.features import Kept
from circuits.motif_file import Motif

MANIFEST = "export.json"


def write_manifest(folder: Path, motif: Motif, target: str, use: str, kept: dict[str, Kept], checks: list[str]) -> None:
    """Write both files into `folder`.

    use     how to use the folder, as Markdown;   kept  what became of each feature
    checks  what running it has shown, or how to run it, a sentence each
    """
    manifest = {
        "target": target,
        "evocircuits": version("evocircuits"),
        "features": {name: {"status": status, "how": how} for name, (status, how) in kept.items()},
        "checks": checks,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    e = sum(n.sign == "E" for n in motif.neurons)
    rows = "".join(f"| {name} | {status} | {how} |\n" for name, (status, how) in kept.items())
    found = "".join(f"- {line}\n" for line in checks)
    text = f"""# A motif for {target}

An evocircuits motif of {e} excitatory and {len(motif.neurons) - e} inhibitory neurons, {motif.synapse_count} synapses, dt \
{motif.dt_ms:g} ms.

{use}
## What became of it

| feature | | how |
|---|---|---|
{rows}
## Check against the simulator

{found}"""
    (folder / "README.md").write_text(text, encoding="utf-8")
