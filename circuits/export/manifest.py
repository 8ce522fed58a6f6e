"""Descriptions inside an exported folder: README.md for people, export.json for programs."""

import json
from pathlib import Path

from circuits.export.features import Translation
from circuits.motif_file import Motif
from circuits.version import __version__

MANIFEST = "export.json"


def write_manifest(
    folder: Path, motif: Motif, target: str, use: str, tables: dict[str, dict[str, Translation]], checks: list[str]
) -> None:
    """Write both files into `folder`.

    use     how to use the folder, as Markdown;   tables  for each exported form, the translation of each feature
    checks  results of running it, or how to run it, a sentence each
    """
    manifest = {
        "target": target,
        "evocircuits": __version__,
        "features": {
            form: {name: {"status": status, "how": how} for name, (status, how) in table.items()}
            for form, table in tables.items()
        },
        "checks": checks,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    e = sum(n.sign == "E" for n in motif.neurons)
    lines = [
        f"# A motif for {target}",
        f"An evocircuits motif of {e} excitatory and {len(motif.neurons) - e} inhibitory neurons, {motif.synapse_count} "
        f"synapses, dt {motif.dt_ms:g} ms.",
        use.rstrip(),
        "## Check against the simulator",
        "\n".join(f"- {line}" for line in checks),
    ]
    for form, table in tables.items():
        rows = "\n".join(f"| {name} | {status} | {how} |" for name, (status, how) in table.items())
        lines += [f"## What became of it in {form}", f"| feature | | how |\n|---|---|---|\n{rows}"]
    (folder / "README.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
