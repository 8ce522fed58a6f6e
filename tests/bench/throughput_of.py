"""One search, timed, by whichever version of the packages is imported: what `make bench-throughput` starts in each checkout.

Called as throughput_of.py SPEC.toml WORKERS GENERATIONS; prints one line of JSON. It asks for nothing but `evo.run` and
`evo.resume`, which every version has.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import evo


def timed(spec: Path, workers: int, generations: int) -> dict:
    """Circuits simulated from the end of the first epoch of a resumed run to `generations`, the seconds that it took, by the
    clock and of the processor where nobody else works at it (`workers` 0), the seconds by phase, and the archive's digest. The
    first epoch, with the opening of the folder before it, and the analysis of the front at the end are not timed."""
    seconds, circuits, clocks = Counter(), 0, []

    def observe(result):
        nonlocal circuits
        clocks.append((time.perf_counter(), time.process_time()))
        if len(clocks) == 1:
            return
        seconds.update(result.timings)
        circuits += sum(row["evaluations"] - row["repeats"] for row in result.log)

    with TemporaryDirectory() as folder:
        evo.run(spec, Path(folder) / "run", workers)
        found = evo.resume(Path(folder) / "run", workers, observe=observe, generations=generations)
        wall, processor = (end - begin for begin, end in zip(clocks[0], clocks[-1], strict=True))
        return {"circuits": circuits, "wall": wall, "processor": processor, "seconds": seconds, "archive": found.archive_sha256}


if __name__ == "__main__":
    print(json.dumps(timed(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
