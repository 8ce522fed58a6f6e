"""The runs of `evo lab --demo`, and the pictures of the lab in the documentation, from the root of the clone:

    PYTHONPATH=. python docs/generate/lab.py [runs] [pictures]

The runs are real and small: three searches for one task that differ in their seed and algorithm, and one for another. The
pictures are those of a browser over them.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import evo
from evo.storage.stored import SPEC, STORE

ROOT = Path(__file__).parents[2]
DEMO, PICTURES = ROOT / "evo" / "web" / "demo", ROOT / "docs" / "pictures"
SMALL = {"islands": 2, "population": 120, "epoch": 10, "archive": 16, "held_out": 256, "generations": 150}
RUNS = {
    "gate-1": ("gate", SMALL | {"seed": 1}),
    "gate-2": ("gate", SMALL | {"seed": 2}),
    "gate-nsga2": ("gate", SMALL | {"seed": 1, "algorithm": "nsga2"}),
    "onset-1": ("onset", SMALL | {"seed": 1, "generations": 60}),
}
VIEWS = {
    "lab-runs": ("", 1100, 420, "#runs a"),
    "lab-bench": ("bench?run=gate-1&circuit=0", 1280, 900, "html[data-answers]"),
    "lab-compare": ("compare?run=gate-1&run=gate-2&run=gate-nsga2", 1280, 900, "html[data-compared]"),
    "lab-new": ("new?task=gate", 1280, 760, 'html[data-checked="sound"]'),
}


def runs():
    """Search, and keep the spec and the store of each run."""
    for name, (task, search) in RUNS.items():
        with tempfile.TemporaryDirectory() as place:
            evo.run(task, Path(place) / name, workers=0, **search)
            shutil.rmtree(DEMO / name, ignore_errors=True)
            (DEMO / name).mkdir(parents=True)
            for file in (SPEC, STORE):
                shutil.copyfile(Path(place) / name / file, DEMO / name / file)
        print(name, (DEMO / name / STORE).stat().st_size)


def pictures():
    """Look at the views in a browser."""
    from playwright.sync_api import sync_playwright

    from tests.evo.inspect.browsing import CHROMIUM
    from tests.evo.web.conftest import Serving

    serving = Serving(DEMO)
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, (view, width, height, ready) in VIEWS.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.goto(serving.address + view)
            tab.wait_for_selector(ready, state="attached", timeout=60_000)
            if name == "lab-bench":
                tab.locator("#wiring .edge .hit").nth(2).focus()
                tab.keyboard.press("Enter")
                tab.wait_for_selector('input[name="weight, mV"]')
            tab.wait_for_timeout(1500)
            if name == "lab-runs":
                tab.locator("#summary").evaluate("text => { text.textContent = 'Below runs'; }")
            tab.screenshot(path=PICTURES / f"{name}.png")
        browser.close()
    serving.close()


if __name__ == "__main__":
    for part in sys.argv[1:] or ("runs", "pictures"):
        {"runs": runs, "pictures": pictures}[part]()
