"""The report page in a browser."""

import json
import re
from importlib.resources import files

import numpy as np
import pytest

import circuits
import evo
from circuits import Circuit, InputChannel, InputSynapse, Motif, Neuron, OutputPort, Synapse
from circuits.edit.lesion import lesion
from circuits.simulation.simulate import simulate
from evo.inspect import page
from evo.inspect.page import activity, page_data
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE
from fitness.analysis import trials_for
from tests.evo.fronts import with_front
from tests.evo.inspect.browsing import Opened, launched
from tests.evo.running.test_recording import csv, spec_over
from tests.evo.tiny import spec_file, stops_after
from tests.products import some_of

pytestmark = pytest.mark.long
ANALYSED = 100

HOSTILE = (
    '</script><script>alert("x")</script>',
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "&lt;b&gt; \"'`",
    "\u2028\u0000 ${x}",
)
MOST_NODES = 6000


@pytest.fixture(scope="module")
def tab():
    with launched() as tab:
        yield tab


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run and its page."""
    place = tmp_path_factory.mktemp("page")
    run = evo.run(spec_file(place, generations=12, population=24), place / "run", workers=0)
    page.write(run, place / "run" / "report.html")
    return place / "run"


@pytest.fixture(scope="module")
def run(folder):
    return evo.open_run(folder)


@pytest.fixture
def opened(tab):
    """Opens a page; at the end of the test it must have asked for nothing, and nothing may have gone wrong in it."""
    pages = []

    def open_page(path, **options):
        assert not pages, "the tab shows another page"
        pages.append(Opened(tab, path, **options))
        return pages[-1]

    yield open_page
    for one in pages:
        one.close()
        assert one.faults == []


# -- one thing chosen, the others follow


def test_choosing_in_the_table_changes_circuit_and_raster(opened, folder, run):
    shown = opened(folder / "report.html")
    for rank in (len(run.front) - 1, 1):
        shown.page.locator("#members").evaluate(f"box => {{ box.scrollTop = {rank} * 27; }}")
        shown.page.locator(f'#members tr[data-rank="{rank}"]').click()
        shown.drawn(rank)
        member = run.front[rank]
        assert shown.text("#circuit h3 >> nth=0").startswith(f"Rank {rank}")
        assert shown.count("#wiring .node.exc") == member.excitatory
        assert shown.count("#wiring .node.inh") == member.inhibitory
        assert shown.count("#wiring .edge") == member.circuit.synapse_count
        assert _raster(shown, 0) == _simulated(member.circuit, run, 0)
        assert shown.page.url.endswith(f"#rank-{rank}")
        assert shown.text("#chosen span") == f"rank {rank} · {member.held_out:.3f}"


def test_choosing_in_the_picture_of_the_front_changes_the_table_and_the_circuit(opened, folder, run):
    shown = opened(folder / "report.html")
    last = len(run.front) - 1
    dot = shown.page.locator(f'#cloud circle[data-rank="{last}"]')
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()
    shown.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.page.wait_for_selector('html:not([data-drawn="0"])', state="attached")
    rank = int(shown.page.evaluate("document.documentElement.dataset.drawn"))
    assert shown.count(f'#members tr[data-rank="{rank}"][aria-selected="true"]') == 1
    assert shown.count(f'#cloud circle.here[data-rank="{rank}"]') == 1
    assert shown.count("#wiring .edge") == run.front[rank].circuit.synapse_count


def test_a_neuron_chosen_in_the_circuit_is_the_one_whose_potential_is_shown(opened, folder, run):
    shown = opened(folder / "report.html")
    circuit = run.front[0].circuit
    for k, neuron in enumerate(circuit.neurons):
        node = len(circuit.inputs) + k
        shown.page.locator(f'#wiring .node[data-node="{node}"] .shape').click()
        assert shown.text("#traces h3").startswith(f"Inside {neuron.id},")
        assert shown.count(f'#rasters .row.here[data-node="{node}"]') == 1


def test_pointing_at_a_part_dims_what_it_is_not_connected_to(opened, folder, run):
    shown = opened(folder / "report.html")
    circuit = run.front[0].circuit
    first = circuit.neurons[0].id
    its = [s for s in circuit.synapses if first in (s.pre, s.post)] + [
        s for c in circuit.inputs for s in c.synapses if s.post == first
    ]
    shown.page.locator(f'#wiring .node[data-node="{len(circuit.inputs)}"]').locator(".shape").hover()
    assert shown.count("#wiring .edge.lit") == len(its)
    assert str(first) in shown.text("#tip")
    shown.page.mouse.move(2, 2)
    assert shown.count("#wiring.dim") == shown.count("#wiring .lit") == 0


def test_descent_shows_every_step_with_mother_and_child(opened, folder, run):
    shown = opened(folder / "report.html")
    steps = run.lineage(0)
    assert shown.count("#line .step") == len(steps)
    shown.page.locator("#line svg").focus()
    shown.page.keyboard.press("Home")
    assert "The founder" in shown.text("#diff")
    assert shown.count("#diff .edge") == steps[0].circuit.synapse_count
    for k, step in enumerate(steps[1:], 1):
        shown.page.keyboard.press("ArrowRight")
        assert f"step {k + 1} of {len(steps)}" in shown.text("#diff")
        assert f"{step.before:.3f} → {step.score:.3f}" in shown.text("#diff h3 >> nth=0")
        drawings = shown.page.locator("#diff svg.wiring")
        assert drawings.nth(0).locator(".edge").count() == step.mother.synapse_count
        assert drawings.nth(1).locator(".edge").count() == step.circuit.synapse_count


def test_it_is_said_how_often_the_wiring_came_up_and_who_else_has_it(opened, folder, run):
    shown = opened(folder / "report.html")
    found = [run.recurrence(rank) for rank in range(len(run.front))]
    rank = next(k for k, one in enumerate(found) if one.ranks)
    for k in (rank, min(range(len(found)), key=lambda k: found[k].circuits)):
        choose(shown, k)
        said = shown.text("#recurrence")
        if found[k].circuits > 1:
            assert f"is that of {found[k].circuits} circuits" in said
            assert f"first in generation {found[k].generation}" in said
        else:
            assert "Nothing else that the run remembers" in said
        assert shown.texts("#recurrence button") == [f"rank {other}" for other in found[k].ranks[:12]]
    choose(shown, rank)
    shown.page.locator("#recurrence button").first.click()
    shown.drawn(found[rank].ranks[0])


def test_the_lesion_table_is_that_of_the_chosen_circuit_and_of_a_fresh_simulation(opened, folder, run):
    shown = opened(folder / "report.html")
    task = run.spec.make_task()
    trials, _ = trials_for(task, run.spec.search.seed, run.spec.search.held_out)
    for rank in (0, 1):
        shown.page.locator(f'#members tr[data-rank="{rank}"]').click()
        shown.drawn(rank)
        circuit, found = run.front[rank].circuit, run.analysis(run.front[rank])
        rows = {(row[0], row[1]): row[2:4] for row in shown.rows("#lesions")}
        assert len(rows) == len(found["lesions"]) > 0
        for neuron in circuit.neurons:
            score = float(task.evaluate(lesion(circuit, neurons=[neuron.id]), trials, "float32").value)
            told, change = (float(cell.replace("\u2212", "-")) for cell in rows[str(neuron.id), "neuron"])
            assert told == pytest.approx(score, abs=5.01e-4)
            assert change == pytest.approx(score - found["base"]["score"], abs=5.01e-4)
        for s in circuit.synapses:
            cut = float(task.evaluate(lesion(circuit, connections=[(s.pre, s.post)]), trials, "float32").value)
            sign = "\u22a3" if any(n.id == s.pre and n.sign == "I" for n in circuit.neurons) else "\u2192"
            assert float(rows[f"{s.pre} {sign} {s.post}", "synapse"][0]) == pytest.approx(cut, abs=5.01e-4)
        assert f"{found['base']['score']:.3f}" in shown.text("#why")


def test_controls_energy_rates_and_curves_are_those_of_the_store(opened, folder, run):
    shown = opened(folder / "report.html")
    choose(shown, 1)
    found = run.analysis(run.front[1])
    assert shown.rows("#controls table") == [[one["control"], f"{one['score']:.3f}"] for one in found["controls"]]
    energy = shown.texts("#energy dd")
    assert [float(text) for text in energy[:2]] == [float(f"{found['energy'][key]:.4g}") for key in ("spikes", "events")]
    rates = {row.split()[0]: float(row.split()[-2]) for row in _firing(shown)}
    stored = zip(found["activity"]["neurons"], found["activity"]["rate_hz"], strict=True)
    assert rates == {str(name): float(f"{rate:.3g}") for name, rate in stored}
    for name, curve in found["perturbation"].items():
        label = name.replace(" [", ", ").replace("]", "")
        chart = shown.page.locator(f'#perturbation svg[aria-label="score against {label}"]')
        heights = chart.locator("circle").evaluate_all("dots => dots.map(dot => Number(dot.getAttribute('cy')))")
        top, bottom = 10, 190 - 38  # of the axes, from 1.03 to 0
        assert heights == pytest.approx([bottom - y / 1.03 * (bottom - top) for y in curve["score"]], abs=0.01)
    spikes = run.spec.make_task().simulate(run.front[1].circuit, _held_out(run), "float32").counts().sum()
    assert float(energy[0]) == pytest.approx(spikes / run.spec.search.held_out, rel=1e-3)


def test_pointing_at_a_lesion_shows_the_part_in_the_circuit(opened, folder, run):
    shown = opened(folder / "report.html")
    circuit = run.front[0].circuit
    channel = next(c for c in circuit.inputs if c.synapses)
    row = shown.page.locator(f'#lesions tr[data-part="{channel.name}"]').first
    row.hover()
    assert shown.count("#wiring .edge.lit") == len(channel.synapses)
    shown.page.mouse.move(2, 2)
    assert shown.count("#wiring .lit") == 0
    shown.page.locator("#why .chips button", has_text="neurons").first.click()
    assert {r[1] for r in shown.rows("#lesions")} == {"neuron"}


@pytest.mark.parametrize("width", [1280, 800])
def test_a_lesion_is_seen_beside_its_row_and_a_click_keeps_it(opened, folder, run, width):
    shown = opened(folder / "report.html", width=width)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    found = run.analysis(run.front[0])
    rows = shown.page.locator("#lesions tbody tr")
    first, second = rows.nth(0), rows.nth(1)
    name = {r[1]: r for r in shown.rows("#lesions")}
    assert len(name) > 1
    first.hover()
    picture, row = shown.page.locator("#without svg").bounding_box(), first.bounding_box()
    assert 0 <= picture["y"] < 900
    assert 0 <= row["y"] < 900
    lost = next(one for one in found["lesions"] if one["part"] == first.get_attribute("data-part"))
    assert f"{found['base']['score']:.3f} \u2192 {lost['score']:.3f}" in shown.text("#lesion")
    assert shown.count("#without .gone") > 0
    first.click()
    kept = shown.count("#without .gone")
    shown.page.mouse.move(2, 2)
    assert shown.count("#without .gone") == kept
    assert "kept" in shown.text("#lesion")
    assert first.get_attribute("aria-selected") == "true"
    second.hover()
    assert "kept" not in shown.text("#lesion")
    shown.page.mouse.move(2, 2)
    assert "kept" in shown.text("#lesion")
    first.focus()
    shown.page.keyboard.press("Escape")
    shown.page.locator("#why h2").click()
    assert shown.text("#lesion").startswith("The whole circuit")
    assert shown.count("#without .gone") == 0
    second.focus()
    shown.page.keyboard.press("Enter")
    assert second.get_attribute("aria-selected") == "true"
    choose(shown, 1)
    assert shown.count("#without .gone") == shown.count('#lesions [aria-selected="true"]') == 0


def test_the_core_alone_is_what_was_not_removed(opened, folder, run):
    shown = opened(folder / "report.html")
    rank, found = next((m.rank, a) for m in run.front if (a := run.analysis(m)) and a["core"] and a["core"]["removed"])
    shown.page.locator("#members").evaluate(f"box => {{ box.scrollTop = {rank} * 27; }}")
    shown.page.locator(f'#members tr[data-rank="{rank}"]').click()
    shown.drawn(rank)
    shown.page.locator("#core").click()
    core = circuits.motif_file.loads(json.dumps(found["core"]["motif"]))
    assert shown.count("#wiring .edge:not(.off)") == core.synapse_count
    assert f"{found['core']['score']:.3f}" in shown.text("#core-facts")


def choose(shown, rank):
    """Choose a circuit in the table, which holds the rows in sight alone."""
    shown.page.locator("#members").evaluate(f"box => {{ box.scrollTop = {rank} * 27; }}")
    shown.page.locator(f'#members tr[data-rank="{rank}"]').click()
    shown.drawn(rank)


def _held_out(run):
    return trials_for(run.spec.make_task(), run.spec.search.seed, run.spec.search.held_out)[0]


def _firing(shown):
    """Name and rate of each neuron, as written."""
    rows = shown.page.locator("#rates g").evaluate_all(
        "rows => rows.map(r => [...r.querySelectorAll('text')].map(t => t.textContent))"
    )
    return [f"{name} {text.split(',')[0]}" for name, text in rows]


def test_all_objectives_at_once_show_and_choose_the_same_circuits(opened, folder, run):
    shown = opened(folder / "report.html")
    shown.page.locator("#all").click()
    assert shown.count("#cloud path.way") == len(run.front)
    shown.page.locator("#cloud svg").focus()
    shown.page.keyboard.press("ArrowRight")
    shown.drawn(1)
    assert shown.count('#cloud path.way.here[data-rank="1"]') == 1
    ends = shown.page.locator("#cloud path.way").evaluate_all(
        "ways => ways.map(way => [Number(way.dataset.rank), Number(/,([-\\d.]+)/.exec(way.getAttribute('d'))[1])])"
    )
    height = dict(ends)  # the first axis is that of the score: the better the held-out score, the further up
    best, worst = (pick(run.front, key=lambda m: m.held_out).rank for pick in (max, min))
    assert height[best] == min(height.values()) < height[worst] == max(height.values())
    shown.page.keyboard.press("End")
    shown.drawn(len(run.front) - 1)
    box = shown.page.locator("#cloud svg").bounding_box()
    shown.page.mouse.click(box["x"] + 40, box["y"] + height[best])
    shown.page.wait_for_selector(f'html:not([data-drawn="{len(run.front) - 1}"])', state="attached")
    assert height[int(shown.page.evaluate("document.documentElement.dataset.drawn"))] == height[best]
    shown.page.locator("#all").click()
    assert shown.count("#cloud circle.dot") == len(run.front)


# -- filters, order, keyboard


def test_filters_leave_the_circuits_that_pass(opened, folder, run):
    shown = opened(folder / "report.html")
    assert shown.text("#passing") == f"{len(run.front)} circuits"
    least = int(100 * sorted(m.held_out for m in run.front)[len(run.front) // 2])
    shown.slide("score", least)
    passing = [m for m in run.front if m.held_out >= least / 100]
    assert 0 < len(passing) < len(run.front)
    assert shown.text("#passing") == f"{len(passing)} of {len(run.front)} circuits"
    assert shown.text('label:has(input[name="score"]) output') == f"{least / 100:.2f}"
    assert {row[0] for row in shown.rows("#members")} <= {str(m.rank) for m in passing}
    shown.slide("score", 0)
    size = min(m.excitatory + m.inhibitory for m in run.front)
    shown.slide("size", size)
    smallest = [m for m in run.front if m.excitatory + m.inhibitory == size]
    assert {row[0] for row in shown.rows("#members")} == {str(m.rank) for m in smallest}
    assert shown.count("#cloud circle.out") == len(run.front) - len(smallest)
    shown.slide("size", 99)
    share = sorted(m.excitatory / (m.excitatory + m.inhibitory) for m in run.front)[len(run.front) // 2]
    bound = int(20 * share)
    for name, passes in (("least", lambda s: s >= bound / 20), ("most", lambda s: s <= bound / 20)):
        ends = shown.page.locator(f'input[name="{name}"]').evaluate("one => [Number(one.min), Number(one.max)]")
        shown.slide(name, bound)
        unbounded = ends[0 if name == "least" else 1] == bound
        passing = [m for m in run.front if unbounded or passes(m.excitatory / (m.excitatory + m.inhibitory))]
        assert shown.text("#passing").startswith(f"{len(passing)} ")
        shown.slide(name, 0 if name == "least" else 99)


FILTER = """cases => {
  const wrong = [];
  const get = { score: (m) => m.held_out, size: (m) => m.e + m.i };
  for (const [number, members] of cases.entries()) for (const limit of limitsOf(members)) {
    const input = document.createElement("input"), value = get[limit.name] ?? ((m) => m.e / (m.e + m.i));
    const said = { type: "range", min: limit.min, max: limit.max, step: 1, value: limit.start };
    for (const [name, text] of Object.entries(said)) input.setAttribute(name, text);
    const passing = (test) => members.filter(test).length;
    const start = Number(input.value);
    if (start !== limit.start || passing((m) => limit.passes(m, start)) !== members.length) wrong.push([number, limit.name]);
    for (let p = limit.min; p <= limit.max; p++) {
      const bound = Number(limit.show(p).replace("\u2212", "-")), least = ["score", "least"].includes(limit.name);
      const expected = passing((m) => value(m) !== null && (least ? value(m) >= bound : value(m) <= bound));
      input.value = p;
      if (Number(input.value) !== p) wrong.push([number, limit.name, p]);
      if (p !== limit.start && passing((m) => limit.passes(m, p)) !== expected) wrong.push([number, limit.name, p]);
    }
  }
  return wrong;
}"""


def test_nothing_is_filtered_before_someone_filters_and_a_bound_is_what_its_label_says(tab):
    """Fronts with every pair of ends in hundredths and in shares of up to 12 neurons, with scores below chance and without."""

    def front(low, high):
        return [{"held_out": score, "e": e, "i": n - e} for score, (e, n) in (low, high)]

    shares = [(e, n) for n in range(1, 13) for e in range(n + 1)]
    cases = [front((low / 100, (1, 2)), (high / 100, (2, 3))) for low in range(-20, 101, 7) for high in range(low, 101, 9)]
    cases += [front((0.1 * k, low), (0.7, high)) for k, low in enumerate(shares) for high in shares[k::7]]
    cases += [front((None, (3, 5)), (score, (3, 4))) for score in (None, -0.001, 0.9999999, 0.6000000000000001, 1 / 3, 0.0)]
    tab.goto("about:blank")
    tab.add_script_tag(content=(files("evo.inspect") / "web" / "limits.js").read_text().replace("export ", ""))
    assert len(cases) > 600
    assert tab.evaluate(FILTER, cases) == []


def test_the_table_is_sorted_by_any_column_both_ways(opened, folder, run):
    shown = opened(folder / "report.html")
    for name, key, turn in (("synapses", lambda m: m.circuit.synapse_count, -1), ("spikes", lambda m: m.spikes, -1)):
        for sign in (turn, -turn):
            shown.page.locator("#members th button", has_text=name).click()
            expected = sorted(run.front, key=lambda m: (sign * key(m), m.rank))
            ranks = [row[0] for row in shown.rows("#members")]
            assert ranks == [str(m.rank) for m in expected][: len(ranks)]


def test_the_keyboard_alone_goes_everywhere(opened, folder, run):
    shown = opened(folder / "report.html")
    reached = set()
    for _ in range(120):
        shown.page.keyboard.press("Tab")
        reached.add(
            tuple(shown.page.evaluate("[document.activeElement.closest('section')?.id, document.activeElement.localName]"))
        )
    assert {("front", what) for what in ("svg", "input", "select", "button")} <= reached
    assert {("circuit", "g"), ("activity", "button"), ("activity", "select"), ("descent", "svg")} <= reached
    shown.page.locator("#members").focus()
    for key, rank in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", len(run.front) - 1), ("Home", 0)):
        shown.page.keyboard.press(key)
        shown.drawn(rank)
    shown.page.locator("#cloud svg").focus()
    for key, rank in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        shown.page.keyboard.press(key)
        shown.drawn(rank)
    circuit = run.front[1].circuit
    node = shown.page.locator(f'#wiring .node[data-node="{len(circuit.inputs) + len(circuit.neurons) - 1}"]')
    node.focus()
    assert str(circuit.neurons[-1].id) in shown.text("#tip")
    shown.page.keyboard.press("Enter")
    assert shown.text("#traces h3").startswith(f"Inside {circuit.neurons[-1].id},")


def test_trials_are_chosen_by_class(opened, folder, run):
    shown = opened(folder / "report.html")
    before = shown.count("#rasters text.title")
    shown.page.locator('#trials button[aria-pressed="false"]').first.click()
    assert shown.count("#rasters text.title") == before + 1
    while shown.count('#trials button[aria-pressed="true"]'):
        shown.page.locator('#trials button[aria-pressed="true"]').first.click()
    assert "Choose a trial" in shown.text("#rasters")


# -- numbers


def test_numbers_on_the_page_are_those_of_the_store(opened, folder, run):
    shown = opened(folder / "report.html")
    for row in shown.rows("#members"):
        m = run.front[int(row[0])]
        assert row[1].endswith("!") == m.overfitted
        numbers = [float(row[k].rstrip("!")) for k in (1, 3, 4, 5, 6)]
        assert numbers == pytest.approx([m.held_out, m.score, m.excitatory, m.inhibitory, m.circuit.synapse_count], abs=5.01e-4)
        assert [float(cell) for cell in row[7:9]] == pytest.approx([m.spikes, m.spikes + m.events], abs=0.0501)
        assert row[9] == str(m.generation)
    shown.page.locator("#parts summary").click()
    circuit = run.front[0].circuit
    for row, neuron, values in zip(shown.rows("#neurons"), circuit.neurons, circuit.parameters, strict=True):
        assert row[0].split()[0] == str(neuron.id)
        assert [float(cell.replace("\u2212", "-")) for cell in row[2:]] == pytest.approx(values, rel=1e-3)
    synapses = [(c.name, s) for c in circuit.inputs for s in c.synapses] + [(s.pre, s) for s in circuit.synapses]
    for row, (source, s) in zip(shown.rows("#synapses"), synapses, strict=True):
        assert row[:2] == [str(source), str(s.post)]
        assert [float(cell) for cell in row[2:4]] == pytest.approx([s.weight_mv, s.delay_ms], rel=1e-3)
    assert f"{run.evaluations:,}" in shown.text("#run")
    assert run.spec_sha256[:12] in shown.text("#run")


def test_traces_on_the_page_are_those_of_a_fresh_simulation(folder, run):
    shown = activity.of_run(run)
    circuit = run.front[0].circuit
    does = activity.activity(circuit, shown)
    raster = simulate(circuit, shown.spikes, record="all", record_trials=shown.traced)
    stride = does["traces"]["stride"]
    for k in range(len(shown.traced)):
        for n in range(len(circuit.neurons)):
            for name, fresh in (("v", raster.traces.v_mv), ("e", raster.traces.i_e_mv), ("i", raster.traces.i_i_mv)):
                low, step, differences = does["traces"][name][k][n]
                assert low + step * np.cumsum(differences) == pytest.approx(fresh[k, stride - 1 :: stride, n], abs=step)


# -- light, dark, paper, a small screen


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_can_be_read(opened, folder, dark):
    shown = opened(folder / "report.html", dark=dark)
    style = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    read = {name: _luminance(shown.page.evaluate(style, f"--{name}")) for name in ("ground", "ink", "soft", "e", "i", "input")}
    assert (read["ground"] < 0.1) == dark
    for name in ("ink", "soft", "e", "input"):
        assert _contrast(read[name], read["ground"]) >= 4.5, name
    assert _contrast(read["i"], read["ground"]) >= 3  # lines and shapes
    background = "getComputedStyle(document.body).backgroundColor"
    before = shown.page.evaluate(background)
    shown.page.locator("#theme").click()
    assert shown.page.evaluate(background) != before


def test_paper_is_light_and_has_no_buttons(opened, folder):
    shown = opened(folder / "report.html", dark=True)
    shown.page.emulate_media(media="print")
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert not shown.page.locator(".bar").is_visible()
    assert shown.page.locator("#neurons").is_visible()
    shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert shown.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_telephone_needs_no_sideways_scrolling(opened, folder):
    shown = opened(folder / "report.html", width=390)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_excitation_and_inhibition_differ_in_shape_as_well(opened, tmp_path):
    circuit = made(8, 12)
    shown = opened(page.write(Motif.of(circuit), tmp_path / "page.html"))
    assert shown.count("#wiring .node.inh circle.shape") == shown.count("#wiring .node.inh") == 2
    assert shown.count("#wiring .node.exc path.shape") == shown.count("#wiring .node.exc") == 6
    inhibits = [n.id for n in circuit.neurons if n.sign == "I"]
    bars = shown.page.locator("#wiring .edge .head").evaluate_all(
        "heads => heads.filter(h => !h.getAttribute('d').endsWith('Z')).length"
    )
    assert bars == sum(s.pre in inhibits for s in circuit.synapses) > 0


# -- a recording


def test_what_was_measured_stands_beside_what_the_circuit_does(opened, tmp_path):
    run = evo.open_run(evo.run(spec_over(tmp_path, csv()), tmp_path / "run", workers=0).folder)
    found = page_data.of_run(run)
    shown = opened(page.write(run, tmp_path / "run" / "report.html"))
    assert shown.text("#equally-good") == found["equally_good"]["text"]
    compared = run.spec.judge_class.comparison(run.spec.task, run.folder, run.interface)
    outputs = compared(run.front[0].circuit, run.spec.search.seed)["outputs"]
    assert shown.texts("#measured h3 >> text=/^[xy]/") == [
        f"{one['name']}in held-out windows, one repeat and one run each" for one in outputs
    ]
    drawn = "svgs => svgs.map(svg => [svg.getAttribute('aria-label'), svg.querySelectorAll('path.line').length])"
    charts = dict(shown.page.locator("#measured svg").evaluate_all(drawn))
    assert len(charts) == 3 * len(outputs)
    for one in outputs:
        rasters = f"Spikes of {one['name']} in held-out windows, measured and of the circuit"
        assert charts[rasters] == 2 * len(one["windows"])
        assert charts[f"Interspike intervals of {one['name']}, measured and of the circuit"] == 2
        for who in ("measured", "circuit"):
            ways = shown.page.locator(f'svg[aria-label="{rasters}"] path.{who}')
            ticks = ways.evaluate_all("paths => paths.map(path => (path.getAttribute('d') ?? '').split('M').length - 1)")
            assert ticks == [len(window[who]) for window in one["windows"]]


# -- how much there is


@pytest.mark.parametrize("count", some_of([1, 100, 1000], few=[1, 100]))
def test_fronts_of_any_size(opened, folder, tmp_path, count):
    run = with_front(folder, count, tmp_path / "run")
    assert len(run.front) == count
    path = page.write(run, tmp_path / "run" / "report.html")
    if count <= 100:
        assert path.stat().st_size < 8_000_000
    shown = opened(path)
    assert shown.page.evaluate("document.querySelectorAll('*').length") < MOST_NODES
    assert shown.text("#passing") == f"{count} circuit" + "s"
    shown.page.locator("#members").focus()
    shown.page.keyboard.press("End")
    shown.drawn(count - 1)
    assert shown.count(f'#members tr[data-rank="{count - 1}"][aria-selected="true"]') == 1
    assert shown.text("#circuit h3 >> nth=0").startswith(f"Rank {count - 1}")
    assert shown.count("#recurrence button") <= 12


def test_a_run_stopped_half_way(opened, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=stops_after(2))
    run = evo.open_run(tmp_path / "run")
    shown = opened(page.write(run, tmp_path / "run" / "report.html"))
    assert "stopped" in shown.text("#run")
    assert shown.count("#wiring .edge") == run.front[0].circuit.synapse_count


def test_a_run_that_has_not_stored_anything(opened, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=stops_after(1))
    with Store.open(tmp_path / "run" / STORE, write=True) as store:
        for table in ("state", "epoch", "migrants"):
            store._db.execute(f"DELETE FROM {table}")
    shown = opened(page.write(evo.open_run(tmp_path / "run"), tmp_path / "run" / "report.html"))
    assert "Nothing is stored yet" in shown.text("#front")


# -- motifs


def made(neurons, synapses=0, name="in", identity=str):
    """A circuit of so many neurons with random synapses."""
    rng = np.random.default_rng(neurons)
    signs = ["E"] + ["I" if k % 4 == 3 else "E" for k in range(1, neurons)]
    return Circuit(
        dt_ms=0.5,
        neurons=tuple(Neuron(id=identity(k), sign=s) for k, s in enumerate(signs)),
        inputs=(InputChannel(name=name, synapses=(InputSynapse(post=identity(0), weight_mv=30.0, delay_ms=1.0),)),),
        synapses=tuple(
            Synapse(pre=identity(int(a)), post=identity(int(b)), weight_mv=float(w), delay_ms=0.5)
            for a, b, w in zip(*rng.integers(0, neurons, (2, synapses)), rng.uniform(1, 9, synapses), strict=True)
        ),
        outputs=(OutputPort(name=f"{name} out", neurons=(identity(0),)),),
    )


@pytest.mark.parametrize(("neurons", "synapses"), [(1, 0), (1, 2), (64, 400)])
def test_motifs_of_any_size(opened, tmp_path, neurons, synapses):
    path = circuits.save(made(neurons, synapses), tmp_path / "motif.json")
    shown = opened(page.write(circuits.load(path), page.default_path(path)))
    assert shown.count("#wiring .node.exc, #wiring .node.inh") == neurons
    assert shown.count("#wiring .edge") == synapses + 1
    assert not shown.page.locator("#front").is_visible()


def test_a_motif_of_a_run_shows_what_it_does(opened, tmp_path, folder, run):
    path = circuits.save(run.motif(0), tmp_path / "motif.json")
    shown = opened(page.write(circuits.load(path), page.default_path(path)))
    assert shown.count("#rasters .row") == len(run.interface.inputs) + len(run.front[0].circuit.neurons)
    assert "gate" in shown.text("#run")
    assert f"{run.front[0].held_out:.4g}" in shown.text("#run")


def test_markup_in_a_strangers_motif_is_text(opened, tmp_path):
    circuit = made(3, 4, name=HOSTILE[0], identity=lambda k: f"{HOSTILE[1 + k]}")
    origin = {"run": HOSTILE[0], "task": {"name": HOSTILE[1], HOSTILE[2]: HOSTILE[3]}, "versions": {HOSTILE[0]: HOSTILE[1]}}
    path = circuits.save(Motif.of(circuit, **origin), tmp_path / "motif.json")
    shown = opened(page.write(circuits.load(path), page.default_path(path)))
    assert shown.count("#wiring .node") == 4
    assert shown.count("img") == 0
    assert shown.page.title() == f"Motif from {HOSTILE[0]}"
    assert shown.text("h1") == f"Motif from {HOSTILE[0]}"
    assert HOSTILE[1] in shown.text("#run")
    shown.page.locator("#wiring .node .shape").nth(1).hover()
    assert HOSTILE[1] in shown.text("#tip")
    shown.page.locator("#parts summary").click()
    assert shown.rows("#synapses")[0][0] == HOSTILE[0]


def test_markup_in_a_strangers_run_is_text(opened, tmp_path, folder):
    name = "<script>alert(1)<!--"
    elsewhere = tmp_path / name
    elsewhere.mkdir()
    (elsewhere / STORE).write_bytes((folder / STORE).read_bytes())
    (elsewhere / SPEC).write_bytes((folder / SPEC).read_bytes())
    channels = [HOSTILE[0], HOSTILE[1], HOSTILE[2]]
    with Store.open(elsewhere / STORE, write=True) as store:
        title, inputs, *rest = json.loads(store.fact("interface"))
        assert len(inputs) == len(channels)
        store._db.execute("UPDATE run SET value = ? WHERE key = 'interface'", (json.dumps([title, channels, *rest]),))
    shown = opened(page.write(evo.open_run(elsewhere), tmp_path / "page.html"))
    assert shown.text("h1") == name
    assert shown.count("img") == 0
    shown.page.locator("#parts summary").click()
    assert {row[0] for row in shown.rows("#synapses")} & set(channels)


def test_the_policy_of_the_page_lets_no_other_script_run(tab, folder):
    shown = Opened(tab, folder / "report.html")
    shown.page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
    }""")
    assert shown.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in fault for fault in shown.faults)
    shown.close()


def _raster(shown, trial):
    """Spikes of each row, by the id that its label begins with, in the first trial drawn."""
    read = """rows => rows.map(row => [row.querySelector('text').textContent.split(' ')[0],
        ((row.querySelector('path')?.getAttribute('d') ?? '').match(/M/g) ?? []).length])"""
    every = shown.page.locator("#rasters .row").evaluate_all(read)
    return dict(every)


def _simulated(circuit, run, trial):
    shown = activity.of_run(run)
    raster = simulate(circuit, shown.spikes)
    counts = raster.counts()
    # a row's first path is its first trial with a spike among those drawn
    first = [k for k, label in enumerate(shown.labels) if label not in shown.labels[:k]]
    found = {}
    for n, neuron in enumerate(circuit.neurons):
        found[str(neuron.id)] = next((int(counts[t, n]) for t in first if counts[t, n]), 0)
    for c, channel in enumerate(circuit.inputs):
        found[channel.name] = next((int(shown.spikes[t, :, c].sum()) for t in first if shown.spikes[t, :, c].any()), 0)
    return found


def _luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def _contrast(a, b):
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


# -- what a stranger asks


OWN = '''
import numpy as np
import fitness


class Agree(fitness.Task):
    """Say <b>yes</b> when both spikes
    come together.

    Ten milliseconds apart is apart.
    """

    inputs, outputs = ("a", "b"), ("yes",)
    dt_ms, duration_ms, chance = 1.0, 50.0, 0.5

    def make(self, rng, count):
        labels = np.arange(count) % 2
        spikes = np.zeros((count, 50, 2), bool)
        spikes[:, 9, 0] = True
        spikes[np.arange(count), np.where(labels, 9, 19), 1] = True
        return spikes, labels

    def trial_scores(self, raster, trials):
        """An output spike says that they are."""
        return (raster.counts()[..., 0] > 0) == trials.labels
'''


@pytest.fixture(scope="module")
def own_run(tmp_path_factory):
    """A run of a task of one's own, whose file must not be read for its page: it is spoilt."""
    place = tmp_path_factory.mktemp("own")
    (place / "own.py").write_text(OWN)
    spec = spec_file(place, generations=2, population=8)
    text = spec.read_text()
    spec.write_text(re.sub(r"\[task\].*?(?=\n\[|\Z)", f'[task]\nname = "{place / "own.py"}:Agree"\n', text, flags=re.S))
    run = evo.run(spec, place / "run", workers=0)
    (place / "run" / "own.py").write_text("raise SystemExit('executed')")
    return run


def test_an_own_task_is_told_in_its_own_words_with_what_was_wanted_of_the_outputs(opened, own_run):
    shown = opened(page.write(evo.open_run(own_run.folder), own_run.folder / "report.html"))
    assert "Say <b>yes</b> when both spikes come together." in shown.text("#summary")
    assert "class 0: silence; class 1: yes" in shown.text("#run")
    shown.page.locator("#about summary").click()
    assert "Ten milliseconds apart is apart." in shown.text("#about")
    assert "An output spike says that they are." in shown.text("#about")
    titles = shown.page.locator("#rasters text.title").evaluate_all("all => all.map(one => one.textContent)")
    assert "class 0, wanted: silence" in titles
    assert "class 1, wanted: yes" in titles


def test_a_run_of_before_tasks_were_told_still_has_a_page(own_run, tmp_path):
    for name in (SPEC, STORE):
        (tmp_path / name).write_bytes((own_run.folder / name).read_bytes())
    for told in (None, "{}", '{"text": "Agree."}'):
        with Store.open(tmp_path / STORE, write=True) as store:
            store._db.execute("DELETE FROM run WHERE key = 'about'")
            if told is not None:
                store._db.execute("INSERT INTO run VALUES ('about', ?)", (told,))
        assert "</html>" in page.write(evo.open_run(tmp_path), tmp_path / "page.html").read_text()


def test_whole_numbers_that_a_browser_rounds_are_text():
    large = 2**60 + 1
    given = {"seed": large, "task": {"ids": [large, -large, 5, True, 0.5, "x"]}}
    assert page_data.exact(given) == {"seed": str(large), "task": {"ids": [str(large), str(-large), 5, True, 0.5, "x"]}}
    motif = Motif.of(made(3, 2), seed=large, task={"name": "mine", "count": large})
    found = page_data.of_motif(motif)
    assert (found["motif"]["seed"], found["task"]["settings"]["count"]) == (str(large), str(large))


def test_the_page_says_what_each_figure_is_and_has_the_times_of_the_store(opened, folder, run):
    shown = opened(folder / "report.html")
    took = re.search(r"the search took\s+(.*?), ([\d,]+) evaluations/s", shown.text("#run"))
    seconds = run.progress.elapsed
    assert took[1] == f"{int(seconds + 0.5)} s"
    assert took[2] == f"{int(run.evaluations / seconds + 0.5):,}"
    assert "of its best on validation" in shown.text("#run")
    assert "validation: on those by which a target is judged" in shown.text("footer")
