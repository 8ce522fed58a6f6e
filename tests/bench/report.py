"""How every benchmark times and reports: rivals in turn in one run, one line per figure, JSON lines on request."""

import json
import os
import time


def fastest(*calls, seconds=2.0, rounds=20):
    """The shortest time of each call in seconds; they take turns, so that a drifting machine is fair to all.

    Goes on for at least `rounds` turns and `seconds` seconds, after one turn that warms up.
    """
    for call in calls:
        call()
    return quickest(*map(timer, calls), seconds=seconds, rounds=rounds)


def quickest(*timers, seconds=2.0, rounds=20, stretch=0.0):
    """As `fastest`, of warm calls that return the seconds which they took.

    In its turn each is called for at least `stretch` seconds: what ran before it leaves short calls with cold caches.
    """
    best = [float("inf")] * len(timers)
    end, turn = time.perf_counter() + seconds, 0
    while turn < rounds or time.perf_counter() < end:
        for k, timed in enumerate(timers):
            handover = time.perf_counter() + stretch
            best[k] = min(best[k], timed())
            while time.perf_counter() < handover:
                best[k] = min(best[k], timed())
        turn += 1
    return best


def timer(call):
    """The call as one that returns the seconds which it took."""

    def timed():
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return timed


def figure(name, value, unit, rival=None, ratio=None):
    """Print one figure; append it to the file named by BENCH_JSON, if set.

    rival  what it is compared with, measured in the same run;   ratio  how many times better than the rival we are
    """
    line = f"{name:44} {value:12.4g} {unit:12}"
    if rival is not None:
        line += f" {rival:24} {ratio:6.2f}"
    print(line, flush=True)
    if path := os.environ.get("BENCH_JSON"):
        with open(path, "a", encoding="utf-8") as file:
            found = {"name": name, "value": value, "unit": unit, "rival": rival, "ratio": ratio}
            file.write(json.dumps(found, allow_nan=False) + "\n")


def skipped(name, reason):
    """Say which figure is missing and why."""
    print(f"{name:44} skipped: {reason}", flush=True)


def told(event):
    """Print what happens to a run of a study (`evo.run_study`), but for its epochs."""
    if event.result is None:
        print(f"{event.run}: {'over' if event.error is None else event.error}", flush=True)
