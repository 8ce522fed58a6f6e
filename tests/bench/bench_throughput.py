"""The throughput of whole searches beside that of another version, in turn in one run: make bench-throughput BESIDE=CHECKOUT

CHECKOUT is a folder with another version of this repository, such as `git worktree add ../before 514a1a7` makes; without one
the figures stand alone. Both versions run the same searches of 1,000 circuits in one process, with the vectors of this processor
and with those of one that has AVX2 alone. Seconds are of the processor, the fewest of some turns. Where the archives are not
the same, it says so.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import search_job
from tests.bench.bench_kernel import AVX2_ALONE
from tests.bench.report import figure
from tests.bench.yardstick import widths

ROOT, CHILD = Path(__file__).parents[2], Path(__file__).with_name("throughput_of.py")
EPOCH, GENERATIONS, TURNS = 10, 30, 3
SIZES = f"population = 1000\nislands = 1\nepoch = {EPOCH}\ngenerations = {EPOCH}\nseed = 1\n"
JOBS = {
    "94 synapses": search_job.TEXT.replace("[search]\n", f"[search]\n{SIZES}"),
    **{name: f'[task]\nname = "{name}"\n[search]\n{SIZES}' for name in ("direction", "itd", "gate")},
}


def main():
    beside = os.environ.get("BESIDE")
    checkouts = [ROOT] if beside is None else [ROOT, Path(beside).resolve()]
    settings = {width: AVX2_ALONE if width == "AVX2" else {} for width in widths() or ["no AVX2"]}
    with TemporaryDirectory() as folder:
        for width, environment in settings.items():
            for name, text in JOBS.items():
                spec = Path(folder) / "spec.toml"
                spec.write_text(text, encoding="utf-8")
                tell(f"{width}, {name}", *in_turn(checkouts, spec, environment))


def in_turn(checkouts: list[Path], spec: Path, environment: dict[str, str]) -> list[dict]:
    """The quickest run of the spec by each checkout."""
    best: list[dict] = [{"processor": float("inf")} for _ in checkouts]
    for _ in range(TURNS):
        for k, checkout in enumerate(checkouts):
            best[k] = min(best[k], run_by(checkout, spec, environment), key=lambda ran: ran["processor"])
    return best


def run_by(checkout: Path, spec: Path, environment: dict[str, str]) -> dict:
    """A run of the spec by the packages in this folder: what `throughput_of.timed` returns."""
    command = [sys.executable, str(CHILD), str(spec), "0", str(GENERATIONS)]
    env = os.environ | environment | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(command, env=env, cwd=checkout, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def tell(name: str, ours: dict, before: dict | None = None):
    rate, theirs = (60 * ran["circuits"] / ran["processor"] if ran else None for ran in (ours, before))
    if before is None:
        figure(name, rate, "circuits/min")
    else:
        same = "" if before["archive"] == ours["archive"] else ", ANOTHER ARCHIVE"
        figure(name, rate, "circuits/min", f"before: {theirs:.4g}{same}", rate / theirs)
    for phase in ("simulate", "score"):
        share = ours["seconds"][phase] / ours["wall"]
        figure(f"  {phase}", 100 * share, "%", *(("before", share * before["wall"] / before["seconds"][phase]) if before else ()))


if __name__ == "__main__":
    main()
