"""The throughput of whole searches beside other versions, in turn in one run: make bench-throughput BESIDE=CHECKOUT:CHECKOUT

A checkout is a folder with another version of this repository, as `git worktree add ../before v0.4.0` makes; without one the
figures stand alone. All run the same searches of 1,000 circuits in one process, with the vectors of a processor that has AVX2
alone and with those of this one. Seconds are of the processor, the fewest of some turns (TURNS), so that they mean the same on
a machine that does other work too. An archive that another version does not end in is said to be another.
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
EPOCH, GENERATIONS = 5, 60  # the first two epochs are not timed
TURNS = int(os.environ.get("TURNS", "3"))
SIZES = f"population = 1000\nislands = 1\nepoch = {EPOCH}\ngenerations = {EPOCH}\nseed = 1\n"
JOBS = {
    "in-degree up to 20": search_job.TEXT.replace("[search]\n", f"[search]\n{SIZES}"),
    **{f"{name}, as it is": f'[task]\nname = "{name}"\n[search]\n{SIZES}' for name in ("direction", "itd", "gate")},
}


def main():
    others = [Path(checkout).resolve() for checkout in filter(None, os.environ.get("BESIDE", "").split(":"))]
    for width in widths()[::-1] or ["no AVX2"]:
        environment = AVX2_ALONE if width == "AVX2" else {}
        for name, text in JOBS.items():
            tell(f"{width}, {name}", dict(zip([ROOT, *others], in_turn([ROOT, *others], text, environment), strict=True)))


def in_turn(checkouts: list[Path], text: str, environment: dict[str, str]) -> list[dict]:
    """The quickest search from this spec by each checkout: what `throughput_of.timed` returns."""
    ran: list[list[dict]] = [[] for _ in checkouts]
    with TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.toml"
        spec.write_text(text, encoding="utf-8")
        for _ in range(TURNS):
            for checkout, found in zip(checkouts, ran, strict=True):
                found.append(search_by(checkout, spec, environment))
    return [min(found, key=lambda one: one["processor"]) for found in ran]


def search_by(checkout: Path, spec: Path, environment: dict[str, str]) -> dict:
    command = [sys.executable, str(CHILD), str(spec), "0", str(GENERATIONS)]
    env = os.environ | environment | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(command, env=env, cwd=checkout, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def tell(name: str, ran: dict[Path, dict]):
    """Circuits a minute, and the share of the time that is neither simulating nor scoring."""
    rate = {checkout: 60 * one["circuits"] / one["processor"] for checkout, one in ran.items()}
    for other in list(ran)[1:]:
        same = "" if ran[other]["archive"] == ran[ROOT]["archive"] else ", another archive"
        figure(name, rate[ROOT], "circuits/min", f"{other.name}: {rate[other]:.4g}{same}", rate[ROOT] / rate[other])
    if len(ran) == 1:
        figure(name, rate[ROOT], "circuits/min")
    for checkout, one in ran.items():
        rest = 1 - (one["seconds"]["simulate"] + one["seconds"]["score"]) / one["wall"]
        figure("  all but simulate and score" + ("" if checkout == ROOT else f", {checkout.name}"), 100 * rest, "%")


if __name__ == "__main__":
    main()
