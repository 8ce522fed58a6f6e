"""How soon the lab answers, in the browser: from the input to the frame that is painted after it, in ms.

    python -m tests.bench.bench_lab [bench] [runs] [front]

The lab is `evo lab` in a process of its own, the browser Chromium without a screen, 1280 x 900. Circuits of the zoo on the
bench: a synapse's weight is moved, and rasters, potentials, tuning and the score on 64 held-out trials follow. A folder of
1,000 runs, and a run with a front of 1,000 circuits: what is typed, sorted, filtered and chosen. The medians and the worst
go into runs/results/lab.csv, which the documentation shows.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from tests.bench.report import figure
from tests.bench.rows import merge_csv
from tests.evo.fronts import many_runs, with_front
from tests.evo.inspect.browsing import CHROMIUM

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "runs" / "results" / "lab.csv"
HEAD = ("part", "what", "count", "median_ms", "worst_ms")
CIRCUITS = ("gate-3", "itd-8", "edge-11", "toggle-2")
EDITS, WARM, COUNT = 40, 5, 1000
PARTS = ("bench", "runs", "front")

# Acts, and waits until an attribute of the document was set and the next frame was painted.
PAINTED = """async ([value, attribute]) => {
    const root = document.documentElement;
    const put = (selector, value, kind) => {
        const at = document.querySelector(selector);
        at.value = value;
        at.dispatchEvent(new Event(kind, { bubbles: true }));
    };
    const press = (selector) => document.querySelectorAll(selector)[value].click();
    const point = (selector) => {
        const at = document.querySelector(selector), box = at.getBoundingClientRect();
        const place = { bubbles: true, clientX: box.x + value * box.width, clientY: box.y + 0.4 * box.height };
        at.dispatchEvent(new PointerEvent("pointermove", place));
    };
    const key = (selector) => document.querySelector(selector).dispatchEvent(new KeyboardEvent("keydown", { key: value }));
    const pick = (selector) => {
        const at = document.querySelector(selector);
        at.selectedIndex = value;
        at.dispatchEvent(new Event("change"));
    };
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30 * Math.random())));
    const seen = attribute && new Promise((done) => new MutationObserver(done).observe(root, { attributeFilter: [attribute] }));
    const since = performance.now();
    ACT;
    await seen;
    await new Promise((done) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = done;
        port2.postMessage(0);
    }));
    return performance.now() - since;
}"""
WEIGHT = 'input[name="weight, mV"]'


def main():
    parts = sys.argv[1:] or PARTS
    rows: list[tuple] = []
    with tempfile.TemporaryDirectory() as place, browser() as tab:
        for part in parts:
            rows += {"bench": on_the_bench, "runs": in_the_table, "front": on_a_front}[part](tab, Path(place))
    write(rows)


def on_the_bench(tab, place):
    """A weight of every circuit is moved as by its slider."""
    (place / "empty").mkdir()
    with lab(place / "empty") as address:
        for name in CIRCUITS:
            tab.goto(f"{address}bench?zoo={name}")
            tab.wait_for_selector("html[data-answers]", state="attached", timeout=60_000)
            tab.locator("#wiring .edge .hit").first.focus()
            tab.keyboard.press("Enter")
            tab.wait_for_selector(WEIGHT)
            weight = float(tab.locator(WEIGHT).input_value())
            act = f"put('{WEIGHT}', value, 'input')"
            took = [painted(tab, act, weight * (0.5 + k / EDITS), "data-drawn") for k in range(-WARM, EDITS)][WARM:]
            yield row("bench", f"`{name}`: a weight is moved", 64, took)


def in_the_table(tab, place):
    """1,000 runs: the first look, and what is done with the table."""
    demo = files("evo.web") / "demo"
    folder = many_runs(
        [Path(str(demo / name)) for name in ("gate-1", "gate-2", "gate-nsga2", "onset-1")], COUNT, place / "many"
    )
    for what in ("seen for the first time", "seen again"):
        with lab(folder) as address:
            since = time.perf_counter()
            tab.goto(address)
            tab.wait_for_selector("#runs tbody tr[data-name]")
            first = time.perf_counter() - since
            tab.wait_for_selector(f'html[data-runs="{COUNT}"]', state="attached", timeout=120_000)
            yield row("runs", f"first rows, {what}", COUNT, [1000 * first])
            yield row("runs", f"all rows, {what}", COUNT, [1000 * (time.perf_counter() - since)])
            tab.wait_for_timeout(1500)
            if what == "seen again":
                yield from _done_with_the_table(tab)


def _done_with_the_table(tab):
    words = ["seed", "gate", "nsga2", "seed 77", "onset-1-3", ""] * 4
    rounds = range(24)
    yield row("runs", "a word is searched for", COUNT, [painted(tab, "put('#search', value, 'input')", word) for word in words])
    yield row("runs", "rows are sorted", COUNT, [painted(tab, "press('#runs th button')", k % 8) for k in rounds])
    tasks = ["gate", "onset", ""] * 6
    yield row("runs", "a task is chosen", COUNT, [painted(tab, "put('#task', value, 'change')", task) for task in tasks])
    scroll = "document.querySelector('#runs').scrollTop = value"
    yield row("runs", "scrolled", COUNT, [painted(tab, scroll, 30 * 997 * (k % 7) / 7) for k in rounds])


def on_a_front(tab, place):
    """A run with 1,000 circuits on its front."""
    folder = place / "front"
    folder.mkdir()
    with_front(Path(str(files("evo.web") / "demo" / "gate-1")), COUNT, folder / "large")
    with lab(folder) as address:
        since = time.perf_counter()
        tab.goto(f"{address}run?name=large")
        tab.wait_for_selector("html[data-drawn]", state="attached", timeout=120_000)
        yield row("front", "the run is opened", COUNT, [1000 * (time.perf_counter() - since)])
        tab.wait_for_timeout(1000)
        for what, act, values, shows in (
            ("a limit is moved", "put('input[name=score]', value, 'input')", [4 * (k % 20) for k in range(24)] + [0], None),
            ("another axis", "pick('#front select')", [k % 6 for k in range(24)], None),
            ("rows are sorted", "press('#members th button')", [k % 8 for k in range(24)], None),
            ("scrolled", "document.querySelector('#members').scrollTop = value", [27 * 142 * (k % 7) for k in range(24)], None),
            ("circuits are pointed at", "point('#cloud svg')", [0.2 + 0.03 * k for k in range(24)], None),
            ("another circuit is chosen", "key('#members')", ["ArrowDown"] * 24, "data-drawn"),
        ):
            yield row("front", what, COUNT, [painted(tab, act, value, shows) for value in values])


def painted(tab, act, value, attribute=None):
    """ms from the input to the painted frame."""
    return tab.evaluate(PAINTED.replace("ACT", act), [value, attribute])


def row(part, what, count, took):
    found = part, what, count, round(statistics.median(took), 1), round(max(took), 1)
    figure(f"lab, {what}", found[3], "ms", f"worst {found[4]:g} ms", found[4] / max(found[3], 1e-9))
    return found


@contextmanager
def lab(folder):
    """The address of `evo lab` over a folder."""
    command = [sys.executable, "-m", "evo.cli", "lab", str(folder), "--no-browser", "--port", "0"]
    kept = os.environ | {"XDG_CACHE_HOME": str(folder.parent / "cache")}  # nothing is known from before
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kept)
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened.new_page(viewport={"width": 1280, "height": 900})
        opened.close()


def write(rows):
    """Rows of the parts that were measured take the place of older ones."""
    merge_csv(TABLE, HEAD, rows, 1, lambda row: PARTS.index(row[0]))


if __name__ == "__main__":
    main()
