"""The lab in a browser: every view, by mouse and by keyboard, while runs come, go on, and go."""

import json
import re
import shutil
from contextlib import suppress

import pytest

import circuits
import evo
from circuits.motif_file import dumps, loads
from evo.storage import lock
from evo.storage.stored import SPEC
from tests.evo.inspect.browsing import launched
from tests.evo.tiny import spec_file, stops_after
from tests.evo.web.conftest import Serving

pytest.importorskip("uvicorn", reason="no Uvicorn: pip install 'evocircuits[lab]'")
pytestmark = pytest.mark.long

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def tab():
    with launched() as tab:
        yield tab


@pytest.fixture(scope="module")
def place(studied, tmp_path_factory):
    folder = shutil.copytree(studied, tmp_path_factory.mktemp("served") / "runs")
    shutil.copytree(folder / "gate-3", folder / MARKUP)
    with suppress(KeyboardInterrupt):
        spec = spec_file(folder.parent, generations=8)
        evo.run(spec, folder / "cut", workers=0, observe=stops_after(3))
    return folder


@pytest.fixture(scope="module")
def serving(place):
    found = Serving(place)
    yield found
    found.close()


class View:
    """A page of the lab in a tab. Until it is closed, what goes wrong in it is kept, and what it asks of anyone else."""

    def __init__(self, tab, serving, view, width=1280, dark=False):
        own = (serving.address, "blob:", "data:")
        self.page = tab
        self.faults: list[str] = []
        self._kept = {
            "console": lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None,
            "pageerror": lambda error: self.faults.append(str(error)),
            "dialog": lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()),
            "request": lambda r: self.faults.append(f"asks for {r.url}") if not r.url.startswith(own) else None,
        }
        tab.goto("about:blank")
        tab.set_viewport_size({"width": width, "height": 900})
        tab.emulate_media(color_scheme="dark" if dark else "light")
        for event, keep in self._kept.items():
            tab.on(event, keep)
        tab.goto(serving.address + view)

    def close(self):
        for event, keep in self._kept.items():
            self.page.remove_listener(event, keep)
        self.page.goto("about:blank")

    def wait(self, selector, **options):
        return self.page.wait_for_selector(selector, **({"state": "attached", "timeout": 30_000} | options))

    def text(self, selector):
        return self.page.locator(selector).first.inner_text()

    def count(self, selector):
        return self.page.locator(selector).count()

    def data(self, name):
        return self.page.evaluate(f"document.documentElement.dataset.{name}")

    def after(self, act):
        """Wait for the answer to what `act` does on the bench."""
        act()
        self.wait("html:not([aria-busy])")

    def slide(self, name, value, kind="change"):
        set_it = "(input, [value, kind]) => { input.value = value; input.dispatchEvent(new Event(kind, { bubbles: true })); }"
        self.page.locator(f'input[name="{name}"]').evaluate(set_it, [value, kind])


@pytest.fixture
def opened(tab, serving):
    """Opens views, the first in the tab and further ones beside it. At the end of a test nothing may have gone wrong in them
    but what the lab has refused."""
    views = []

    def open_view(view="", **options):
        views.append(View(tab.context.browser.new_page() if views else tab, serving, view, **options))
        return views[-1]

    yield open_view
    for one in views:
        one.close()
        if one.page is not tab:
            one.page.close()
        assert [fault for fault in one.faults if "status of 422" not in fault] == []


def bench(view):
    view.wait("html[data-answers]")
    return view


# -- the table of runs


def test_runs_are_searched_sorted_and_filtered(opened, place):
    view = opened()
    view.wait('#runs tr[data-name="gate-3"]')
    names = [tr.get_attribute("data-name") for tr in view.page.locator("#runs tbody tr[data-name]").all()]
    assert {"gate-3", "gate-4", "own", "cut", MARKUP} <= set(names)
    view.page.keyboard.press("/")
    view.page.keyboard.type("seed 4")
    view.wait('#runs tr[data-name="gate-3"]', state="detached")
    assert view.count("#runs tbody tr[data-name]") == 1
    assert "search=seed+4" in view.page.url
    view.page.locator("#search").fill("nothing like it")
    view.page.get_by_role("button", name="show all runs").click()
    view.wait('#runs tr[data-name="gate-3"]')
    view.page.get_by_role("button", name="held out").click()
    shown = [tr.inner_text() for tr in view.page.locator("#runs tbody tr[data-name] td:nth-child(5)").all()]
    scores = [float(text) for text in shown if text[0].isdigit()]
    assert scores == sorted(scores, reverse=True)


def test_two_browsers_see_a_run_come_run_be_killed_and_go(opened, place):
    views = [opened(), opened(width=800, dark=True)]
    for view in views:
        view.wait('#runs tr[data-name="gate-3"]')
    shutil.copytree(place / "gate-3", place / "new")
    for view in views:
        view.wait('#runs tr[data-name="new"] .state.finished', timeout=20_000)
    with lock.alone(place / "new" / SPEC):
        for view in views:
            view.wait('#runs tr[data-name="new"] .state.running', timeout=20_000)
    for view in views:
        view.wait('#runs tr[data-name="new"] .state.finished', timeout=20_000)
    shutil.rmtree(place / "new")
    for view in views:
        view.wait('#runs tr[data-name="new"]', state="detached", timeout=20_000)


def test_an_empty_folder_says_what_to_do(tab, tmp_path):
    serving = Serving(tmp_path)
    view = View(tab, serving, "")
    view.wait("#empty:not([hidden])")
    assert "evo run gate" in view.text("#empty")
    assert view.faults == []
    view.close()
    serving.close()


# -- a run


def test_a_run_that_goes_on_keeps_what_is_chosen(opened, place):
    view = opened("run?name=cut")
    view.wait("html[data-drawn]")
    before = evo.open_run(place / "cut")
    assert view.count("#wiring .edge") == before.front[0].circuit.synapse_count
    last = len(before.front) - 1
    view.page.locator("#members").evaluate(f"box => {{ box.scrollTop = {last} * 27; }}")
    view.page.locator(f'#members tr[data-rank="{last}"]').click()
    view.wait(f'html[data-drawn="{last}"]')
    chosen, edges = view.text("#circuit h3"), view.count("#wiring .edge")
    evo.resume(place / "cut", workers=0)
    view.wait("html[data-renewed]", timeout=20_000)
    after = evo.open_run(place / "cut")
    view.wait(f"#run:has-text('generation {after.generation} of {after.spec.search.generations}')", timeout=20_000)
    assert view.count("#wiring .edge") == edges
    assert chosen.startswith("Rank")


def test_a_folder_deleted_while_its_run_is_open_is_said_to_be(opened, place):
    shutil.copytree(place / "gate-3", place / "going")
    view = opened("run?name=going")
    view.wait("html[data-drawn]", timeout=20_000)
    view.page.wait_for_timeout(1500)
    shutil.rmtree(place / "going")
    view.wait("#trouble:not([hidden])", timeout=20_000)
    assert "moved or deleted" in view.text("#trouble")
    assert view.count("#wiring .edge") > 0


def test_the_run_view_draws_what_the_page_draws(opened, tab, place, tmp_path):
    from evo.inspect import page
    from tests.evo.inspect.browsing import Opened

    parts = ("#wiring svg", "#rasters svg", "#members tbody", "#lesions tbody", "#line svg")

    def drawn():
        return {part: tab.locator(part).first.evaluate("e => e.textContent") for part in parts}

    still = Opened(tab, page.write(evo.open_run(place / "gate-3"), tmp_path / "page.html"))
    there = drawn()
    still.close()
    opened("run?name=gate-3").wait("#descent:not(.late) #line svg")
    assert drawn() == there


def test_a_name_that_is_markup_is_text_everywhere(opened, place):
    view = opened()
    view.page.get_by_role("link", name=MARKUP).click()
    view.wait("html[data-drawn]")
    assert view.text("h1") == MARKUP
    other = opened("compare?run=gate-3&run=" + MARKUP)
    other.wait("html[data-compared]")
    assert MARKUP in other.text("#courses")


# -- the bench


def test_a_weight_is_dragged_and_taken_back(opened):
    view = bench(opened("bench?zoo=gate-3"))
    score = view.text("#value")
    hit = view.page.locator("#wiring .edge .hit").first
    hit.focus()
    view.page.keyboard.press("Enter")
    view.wait('input[name="weight, mV"]')
    view.after(lambda: view.slide("weight, mV", 1.0))
    assert view.text("#edited") == "1 edit"
    assert "against" in view.text("#score")
    changed = view.text("#value")
    assert changed != score
    view.wait("#compared:not([hidden]) svg")
    assert "weight" in view.text("#compared ul")
    view.after(
        lambda: view.page.keyboard.press("Control+z") or view.page.locator("#undo").evaluate("b => b.disabled || b.click()")
    )
    assert view.text("#value") == score
    view.after(lambda: view.page.locator("#redo").click())
    assert view.text("#value") == changed
    again = bench(opened(view.page.url.partition("/t0ken/")[2]))
    assert again.text("#value") == changed
    assert again.text("#edited") == "1 edit"


def test_dragging_a_synapse_changes_its_weight(opened):
    view = bench(opened("bench?zoo=gate-3"))
    middle = """path => {
        const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
        return [at.x, at.y];
    }"""
    x, y = view.page.locator("#wiring .edge .way").last.evaluate(middle)
    view.page.mouse.move(x, y)
    view.page.mouse.down()
    view.page.mouse.move(x, y + 30, steps=4)
    view.page.mouse.up()
    view.wait("#undo:not([disabled])")
    state = json.loads(view.page.evaluate("decodeURIComponent(location.hash.slice(1))"))
    assert [edit["edit"] for edit in state["edits"]] == ["weight"]
    assert state["edits"][0]["mv"] < circuits.zoo["gate-3"].circuit.synapses[-1].weight_mv


def test_a_lesion_by_clicking_silences_and_what_dale_forbids_is_refused(opened):
    view = bench(opened("bench?zoo=gate-3"))
    node = 'g.node.exc[aria-label*="output"] .shape'
    view.page.locator(f"#wiring {node}").click()
    view.page.get_by_role("button", name="Make it inhibitory").click()
    view.wait("#trouble:not([hidden])")
    assert "only excitatory neurons can be read" in view.text("#trouble")
    assert view.text("#edited") == "as it was"
    view.page.locator("#lesioning").click()
    view.after(lambda: view.page.locator("#wiring g.node.inh .shape").click())
    assert view.count("#wiring .node.off") == 1
    assert view.count("#trouble[hidden]") == 1


def test_a_sweep_is_a_curve_and_of_two_a_map(opened):
    view = bench(opened("bench?zoo=gate-3"))
    view.page.locator("#go").click()
    view.wait("#swept svg path.line")
    assert view.count("#swept svg circle") == 41
    view.page.locator("#against").select_option(index=1)
    view.page.locator("#go").click()
    view.wait("#swept svg rect", timeout=120_000)  # 289 circuits
    assert view.count("#swept svg rect") == 17 * 17


def test_a_hostile_motif_file_is_dropped_in_and_saved_with_its_parent(opened, tmp_path):
    text = dumps(circuits.zoo["gate-3"]).replace('"E5"', json.dumps(MARKUP)).replace('"a"', json.dumps(f"{MARKUP}a"))
    file = tmp_path / "hostile.json"
    file.write_text(text)
    view = opened("bench")
    view.page.locator("#file").set_input_files(str(file))
    bench(view)
    assert MARKUP in view.page.locator("#wiring").evaluate(
        "e => e.textContent + [...e.querySelectorAll('[aria-label]')].map(x => x.getAttribute('aria-label'))"
    )
    view.after(lambda: view.slide("membrane noise, mV", 0.5))
    with view.page.expect_download() as download:
        view.page.locator("#save").click()
    saved = loads(download.value.path().read_text())
    assert saved.provenance.parent.name == "hostile.json"
    assert saved.noise_mv == 0.5
    file.write_text("{")
    view.page.locator("#file").set_input_files(str(file))
    view.wait("#trouble:not([hidden])")
    assert "hostile.json" in view.text("#trouble")


def test_a_circuit_is_built_from_nothing(opened):
    view = bench(opened("bench?blank=gate"))
    view.after(lambda: view.page.locator('[data-place="I"]').click())
    view.page.locator('#wiring g.node[aria-label="input a"]').click()
    view.after(lambda: view.page.get_by_role("button", name="Add a synapse").click())
    assert view.count("#wiring .edge") == 1
    assert view.count("#wiring g.node.inh") == 1


def test_a_stimulus_is_drawn_by_hand(opened):
    view = bench(opened("bench?zoo=gate-3"))
    view.after(lambda: view.page.locator("#drawn").select_option("hand"))
    times = view.page.locator('#lanes input[type="text"]').first
    times.fill("5 10 15")
    view.after(lambda: times.press("Enter"))
    view.page.locator("#rasters").scroll_into_view_if_needed()
    assert "drawn by hand" in view.text("#rasters")
    assert "v" in view.page.locator('#rasters .row.inp[data-node="0"] path').get_attribute("d")


def test_a_task_of_ones_own_asks_before_it_is_executed(opened):
    view = bench(opened("bench?run=own"))
    assert view.count("#value") == 0
    assert "has not executed it" in view.text("#score")
    view.after(lambda: view.page.locator("#allow").click())
    view.wait("#value")


def test_code_and_figures_are_taken_along(opened):
    view = bench(opened("bench?zoo=gate-3"))
    view.page.locator("#copy").click()
    view.wait("#code:not([hidden])")
    space = {}
    exec(view.text("#code"), space)
    assert space["circuit"] == circuits.zoo["gate-3"].circuit


@pytest.mark.parametrize(
    ("path", "ready", "figure"),
    [
        ("bench?zoo=gate-3", "html[data-answers]", "Tuning"),
        ("compare?run=gate-3&run=gate-4", "html[data-compared]", "Courses"),
        ("run?name=gate-3", "html[data-drawn]", "Circuit"),
        ("study?name=mine", "html[data-study]", "Scores"),
    ],
)
def test_any_figure_is_saved_at_the_width_of_a_column(opened, path, ready, figure):
    view = opened(path)
    view.wait(ready)
    view.page.wait_for_timeout(200)
    view.page.locator("#figures").click()
    names = view.page.locator("#which option").all_inner_texts()
    assert len(names) == len(set(names)) > 2
    assert all(names)
    view.page.locator("#which").select_option(index=next(k for k, name in enumerate(names) if figure in name))
    with view.page.expect_download() as download:
        view.page.locator("#svg").click()
    drawing = download.value.path().read_text()
    assert 'width="85mm"' in drawing
    assert "class=" not in drawing
    assert "var(" not in drawing
    view.page.locator("#width").select_option("174")
    with view.page.expect_download() as download:
        view.page.locator("#pdf").click()
    content = download.value.path().read_bytes()
    assert download.value.suggested_filename.endswith(".pdf")
    assert content.startswith(b"%PDF")
    assert abs(float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", content)[1]) - 174 / 25.4 * 72) < 0.1
    view.page.keyboard.press("Escape")
    assert view.count("#drawings[open]") == 0


@pytest.mark.parametrize(
    ("path", "ready", "same"),
    [
        ("", "#runs tr[data-name]", ["#runs tbody", "#studies"]),
        ("run?name=gate-3", "html[data-drawn]", ["h1", "#circuit h3"]),
        ("compare?run=gate-3&run=gate-4", "html[data-compared]", ["h1", "#settings", "#courses", "#seeds", "#wirings"]),
        ("study?name=mine", "html[data-study]", ["h1", "#arms", "#tests", "#members", "#sentence"]),
        ("bench?zoo=gate-3", "html[data-answers]", ["h1", "#value", "#score .note", "#compared ul", "#tuned"]),
    ],
)
def test_any_view_is_saved_as_a_page_that_needs_no_lab(opened, tab, tmp_path, path, ready, same):
    view = opened(path)
    view.wait(ready)
    if path.startswith("bench"):
        view.after(lambda: view.slide("membrane noise, mV", 1.5))
        view.wait("#compared:not([hidden]) svg")
    with view.page.expect_download() as download:
        view.page.locator("#keep").click()
    file = tmp_path / "kept.html"
    download.value.save_as(file)
    other = tab.context.browser.new_page(viewport={"width": 1280, "height": 900})
    faults = []
    other.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    other.on("pageerror", lambda error: faults.append(str(error)))
    other.on("request", lambda r: faults.append(r.url) if not r.url.startswith((file.as_uri(), "blob:", "data:")) else None)
    other.goto(file.as_uri())
    other.wait_for_selector(ready, state="attached")
    if path.startswith("bench"):
        other.wait_for_selector("#compared:not([hidden]) svg", state="attached")
        other.locator("#wiring g.node.inh .shape").click()  # another neuron: its potentials are in the page too
        other.wait_for_timeout(200)
        assert other.locator("#traces path.v").count() == 1
    for selector in same:
        assert other.locator(selector).first.inner_text() == view.text(selector), selector
    assert other.locator("#trouble:not([hidden])").count() == 0
    assert not faults
    other.close()


# -- studies


def test_a_study_shows_its_arms_its_runs_and_what_was_tested(opened, place):
    view = opened()
    view.page.get_by_role("link", name="mine", exact=True).click()
    view.wait("html[data-study]")
    study = evo.open_study(place / "mine")
    assert view.count("#arms tbody tr") == len(study.design.arms) == 2
    assert view.count("#members tbody tr") == 4
    assert view.count("#scores circle") == 4
    assert view.count("#summed circle") == 2
    assert "Wilson" in view.text("#summed")
    assert "Holm's method" in view.text("#sentence")
    view.page.get_by_label("over").select_option("core_seconds")
    assert "seconds of a core" in view.text("#sooner")
    view.page.get_by_role("link", name="Compare its runs").click()
    view.wait('html[data-compared="4"]')


def test_a_study_says_what_is_wrong(opened):
    view = opened("study?name=none")
    view.wait("#trouble:not([hidden])")
    assert "there is no study 'none'" in view.text("#trouble")
    view.faults[:] = [fault for fault in view.faults if "422" not in fault]


# -- several runs, and new ones


def test_runs_are_selected_and_compared(opened):
    view = opened()
    for name in ("gate-3", "gate-4"):
        view.wait(f'#runs tr[data-name="{name}"]')
        view.page.get_by_label(f"Select {name}", exact=True).check()
    view.page.locator("#compare").click()
    view.wait("html[data-compared]")
    assert view.count("#courses path.line") == 2
    assert view.count("#fronts circle") > 4
    assert view.count("#seeds circle") == 2
    assert "same settings" in view.text("#settings")
    assert view.count("#wirings svg") > 0


def test_an_error_stands_at_its_field_and_a_run_is_started(opened, serving, place, monkeypatch):
    view = opened("new?task=gate")
    view.wait('html[data-checked="sound"]')
    population = view.page.locator("#f-search-population")
    population.fill("2")
    view.wait('html[data-checked="wrong"]')
    assert population.get_attribute("aria-invalid") == "true"
    assert "greater than or equal to 4" in view.text("#f-search-population-told")
    assert view.page.locator("#go").is_disabled()
    population.fill("12")
    view.wait('html[data-checked="sound"]')
    assert re.search(r"^population = 12$", view.page.locator("#toml").input_value(), re.MULTILINE)
    view.page.locator("#toml").evaluate(
        "t => { t.value = t.value.replace('population = 12', 'population = 16'); t.dispatchEvent(new Event('input')); }"
    )
    view.page.wait_for_timeout(400)
    view.wait('html[data-checked="sound"]')
    assert view.page.locator("#f-search-population").input_value() == "16"

    class Started:
        def __init__(self, command, cwd, **_):
            shutil.copytree(place / "gate-3", place / command[command.index("--out") + 1])

        def poll(self):
            return None

    monkeypatch.setattr("evo.web.control.subprocess.Popen", Started)
    view.page.locator("#run-name").fill("begun")
    view.page.locator("#go").click()
    view.wait("html[data-drawn]")
    assert view.text("h1") == "begun"


# -- for everyone


@pytest.mark.parametrize(
    "path",
    [
        "",
        "run?name=gate-3",
        "bench?zoo=gate-3",
        "compare?run=gate-3&run=gate-4",
        "study?name=mine",
        "new",
        "bench",
        "compare",
        "run",
        "study",
    ],
)
def test_every_control_has_a_name_and_nothing_is_wider_than_the_window(opened, path):
    view = opened(path, width=800, dark=True)
    view.page.wait_for_timeout(700)
    names = """() => [...document.querySelectorAll('button, a, input, select, textarea, [role=button], [role=application]')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.title))
        .map((e) => e.outerHTML.slice(0, 120))"""
    assert view.page.evaluate(names) == []
    assert view.page.evaluate("document.documentElement.scrollWidth") <= 800
    assert view.data("theme") == "dark"
