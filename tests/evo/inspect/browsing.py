"""Pages in a real browser without a screen: the system's Chromium, driven by Playwright."""

import shutil
from contextlib import contextmanager

import pytest

NAMES = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"  # the first without a window to draw
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
ONE_PROCESS = "--process-per-site", "--renderer-process-limit=1", "--disable-site-isolation-trials"  # for all pages of a tab


@contextmanager
def launched():
    """A tab of a browser, for all pages one after the other: a tab costs more than the page in it; skips the test where there
    is no browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium-headless-shell")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *ONE_PROCESS])
        yield browser.new_page()
        browser.close()


class Opened:
    """A page that was opened and has drawn itself. Until it is closed, what goes wrong in it is kept, and whatever it asks of a
    network."""

    def __init__(self, tab, path, dark=False, width=1280):
        self.page = tab
        self.faults: list[str] = []
        self._kept = {
            "console": lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None,
            "pageerror": lambda error: self.faults.append(str(error)),
            "dialog": lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()),
            "request": lambda r: self.faults.append(f"asks for {r.url}") if r.url != path.as_uri() else None,
        }
        tab.goto("about:blank")
        tab.mouse.move(2, 2)
        tab.set_viewport_size({"width": width, "height": 900})
        tab.emulate_media(media="screen", color_scheme="dark" if dark else "light")
        for event, keep in self._kept.items():
            tab.on(event, keep)
        tab.goto(path.as_uri())
        if tab.evaluate("sessionStorage.length"):  # what another page of the tab chose
            tab.evaluate("sessionStorage.clear()")
            tab.reload()
        tab.wait_for_selector("html[data-drawn]", state="attached", timeout=20_000)

    def close(self):
        for event, keep in self._kept.items():
            self.page.remove_listener(event, keep)

    def drawn(self, rank):
        """Wait until the circuit of this rank is shown."""
        self.page.wait_for_selector(f'html[data-drawn="{rank}"]', state="attached")

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def count(self, selector):
        return self.page.locator(selector).count()

    def rows(self, table):
        """The cells of a table's body."""
        read = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        return self.page.locator(f"{table} tbody tr:not(.pad)").evaluate_all(read)

    def slide(self, name, value):
        """Move a slider."""
        set_it = "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })); }"
        self.page.locator(f'input[name="{name}"]').evaluate(set_it, value)
