import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.neurons import LIF_PSC_EXP
from evo.spec.run_spec import parse, read
from tests.evo.tiny import ROOT, SPEC, one_line_of, own_task_spec, spec_file

RUNS = sorted((ROOT / "runs").glob("*.toml"))


def with_line(section, line):
    """The tiny spec with a line put into a section (which is made if it is absent)."""
    header = f"[{section}]"
    if header not in SPEC:
        return f"{SPEC}\n{header}\n{line}\n"
    key = line.partition(" =")[0]
    before, after = SPEC.split(header, 1)
    body, mark, rest = after.partition("\n[")
    body = "\n".join(old for old in body.splitlines() if not old.startswith(f"{key} ="))
    return f"{before}{header}\n{line}{body}\n{mark}{rest}"


BAD_LINES = [
    # section, line, what the message must name: the key, and what is wrong or would be right
    ("circuit", "nurons = [3, 6]", ["circuit.nurons", "unknown key", "did you mean neurons?"]),
    ("search", "speed = 1", ["search.speed", "unknown key", "did you mean seed?"]),
    ("serch", "seed = 1", ["serch", "unknown key", "did you mean search?"]),
    ("search", "zzzzzz = 1", ["search.zzzzzz", "unknown key", "known are seed, generations"]),
    ("circuit.parameters", "tau_m = 5.0", ["circuit.parameters.tau_m", "did you mean tau_m_ms?"]),
    ("task", "volley = 2", ["gate", "volley", "did you mean volleys?"]),
    ("search", 'population = "many"', ["search.population", "integer", "'many'"]),
    ("search", "population = 12.0", ["search.population", "integer", "12.0"]),
    ("search", "population = true", ["search.population", "integer", "True"]),
    ("search", 'objectives = "score"', ["search.objectives"]),
    ("search", "seed = []", ["search.seed", "integer"]),
    ("circuit", 'neurons = ["a", "b"]', ["circuit.neurons", "integer"]),
    ("circuit", "neurons = [3, 4, 5]", ["circuit.neurons"]),
    ("circuit", "neurons = []", ["circuit.neurons"]),
    ("search", "population = 3", ["search.population", "greater than or equal to 4", "3"]),
    ("search", "generations = 0", ["search.generations", "greater than or equal to 1"]),
    ("search", "seed = -1", ["search.seed", "-1"]),
    ("search", "crossover = 1.5", ["search.crossover", "less than or equal to 1"]),
    ("search", "mutation = 1.0", ["search.mutation", "less than 1"]),
    ("search", "mutation = nan", ["search.mutation"]),
    ("search", "trials = 0", ["search.trials"]),
    ("circuit", "neurons = [1, 65]", ["circuit.neurons", "must stay within 1 to 64"]),
    ("circuit", "delay_ms = [-1.0, 1.0]", ["circuit.delay_ms", "must stay within 0 to"]),
    ("circuit", "delay_ms = [1.0, inf]", ["circuit.delay_ms[1]", "finite"]),
    ("circuit", "excitatory_weight_mv = [-1.0, 1.0]", ["circuit.excitatory_weight_mv", "must stay within"]),
    ("circuit.parameters", "tau_m_ms = [0.0, 1.0]", ["circuit.parameters.tau_m_ms", "must stay within 0.01 to"]),
    ("circuit", "neurons = [6, 3]", ["circuit.neurons", "the minimum, 6, is above the maximum, 3"]),
    ("circuit.parameters", "bias_mv = [2.0, 1.0]", ["circuit.parameters.bias_mv", "the minimum, 2, is above"]),
    ("circuit", "delay_ms = [0.6, 0.9]", ["circuit.delay_ms", "[0.6, 0.9]", "whole steps", "0.5 ms"]),
    ("circuit", "delay_ms = [50_000.0, 90_000.0]", ["circuit.delay_ms", "65535"]),
    ("circuit.parameters", "t_ref_ms = [0.6, 0.9]", ["circuit.parameters.t_ref_ms", "whole steps"]),
    ("circuit", "excitatory_share = 0.0", ["circuit", "excitatory output neurons of task gate", "raise"]),
    ("circuit", "excitatory_share = [0.51, 0.52]", ["circuit", "no circuit has 3 to 6 neurons"]),
    ("circuit.parameters", "v_reset_mv = -55.0", ["circuit.parameters", "v_reset_mv must stay below v_th_mv"]),
    ("circuit.parameters", "v_reset_mv = -55.0001", ["circuit.parameters", "v_reset_mv must stay below v_th_mv"]),
    ("search", 'objectives = ["energy"]', ["search.objectives", "must hold score", "energy, joules"]),
    ("search", 'objectives = ["score", "sped"]', ["search.objectives", "score, worst, ", "robustness", "speed"]),
    ("search", "target = 0", ["search.target", "greater than 0"]),
    ("search", "target = 1.5", ["search.target", "less than or equal to 1"]),
    ("search", "task_seconds = 0", ["search.task_seconds", "greater than 0"]),
    ("search", 'objectives = ["score", "score"]', ["search.objectives", "each once"]),
    ("search", "objectives = []", ["search.objectives", "must hold score"]),
    ("search", "migrants = 13", ["search.migrants", "13", "population"]),
    ("task", 'name = "gat"', ["there is no task 'gat'", "did you mean gate?"]),
    ("task", 'name = "vision"', ["there is no task 'vision'", "gate, itd", "FILE.py:CLASS"]),
    ("task", "name = 3", ["task.name", "must name a task"]),
    ("task", "volleys = 11", ["task gate", "volleys", "less than or equal to 10", "11"]),
    ("task", "control_hz = 1.0", ["task gate", "control_hz", "20"]),
    ("task", 'spikes = "three"', ["task gate", "spikes", "integer"]),
    ("task", "control_hz = nan", ["task.control_hz", "finite"]),
    ("task", "control_hz = 2026-01-31", ["task.control_hz", "no dates", "2026-01-31"]),
]


@pytest.mark.parametrize(("section", "line", "named"), BAD_LINES, ids=[f"{s}: {line}" for s, line, _ in BAD_LINES])
def test_a_bad_line_is_named_in_one_line_with_the_file_and_the_remedy(tmp_path, section, line, named):
    message = one_line_of(lambda: read(spec_file(tmp_path, with_line(section, line))))
    for text in (str(tmp_path / "tiny.toml"), *named):
        assert text in message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[task\nname = 1", ["not valid TOML", "line 1"]),
        ('[task]\nname = "gate"\nname = "itd"', ["not valid TOML", "Cannot overwrite a value"]),
        ("", ["task: is missing"]),
        ('task = "gate"', ["task", "dictionary", "'gate'"]),
        ("[task]\nvolleys = 1", ["task.name", 'such as "itd"']),
        ('[task]\nname = "gate"\n[circuit]\nparameters = 3', ["circuit.parameters", "3"]),
        ('search = 3\n[task]\nname = "gate"', ["search"]),
        ('{"task": 1}', ["not valid TOML"]),
        ('[task]\nname = "gate"\n[search]\n"a\\u001b[31m\\nb" = 1', ["unknown key"]),
    ],
)
def test_a_file_that_is_no_spec_is_refused_in_one_line(tmp_path, text, named):
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    for call in (lambda: read(path), lambda: read(path, seed=3)):
        message = one_line_of(call)
        assert "\x1b" not in message
        for part in (str(path), *named):
            assert part in message


def test_a_spec_that_cannot_be_read_is_refused_in_one_line(tmp_path):
    assert "there is no such file" in one_line_of(lambda: read(tmp_path / "absent.toml"))
    assert "cannot be read" in one_line_of(lambda: read(tmp_path))
    (tmp_path / "binary.toml").write_bytes(b"\x80\x00\xff" * 10)
    assert "binary.toml: not a text file" in one_line_of(lambda: read(tmp_path / "binary.toml"))


@pytest.mark.parametrize(("key", "value", "named"), [("seed", -1, "search.seed"), ("generations", 0, "search.generations")])
def test_an_override_is_checked_like_the_spec(tmp_path, key, value, named):
    message = one_line_of(lambda: read(spec_file(tmp_path), **{key: value}))
    assert str(tmp_path / "tiny.toml") in message
    assert named in message
    spec, _ = read(spec_file(tmp_path), **{key: 5})
    assert getattr(spec.search, key) == 5


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("import no_such_module", ["the file fails", "ModuleNotFoundError", "no_such_module"]),
        ("x = (", ["the file fails", "SyntaxError"]),
        ("raise SystemExit(3)", ["the file fails", "SystemExit"]),
        ("1 / 0", ["the file fails", "ZeroDivisionError"]),
        ("x = 1", ["defines no class Agree derived from fitness.Task"]),
        ("class Agree: pass", ["defines no class Agree derived from fitness.Task"]),
    ],
)
def test_a_task_file_that_does_not_work_is_named_in_one_line(tmp_path, code, named):
    path = own_task_spec(tmp_path, code)
    message = one_line_of(lambda: read(path))
    for part in (str(path), "agree.py:Agree", *named):
        assert part in message


def test_a_task_file_that_is_missing_is_named_with_the_spec(tmp_path):
    path = own_task_spec(tmp_path)
    (tmp_path / "agree.py").unlink()
    message = one_line_of(lambda: read(path))
    for part in (str(path), str(tmp_path / "agree.py"), "No such file"):
        assert part in message


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('("yes",)', "()", "outputs must be different names"),
        ('("yes",)', '"yes"', "outputs must be different names"),
        ('("a", "b")', '("a", "a")', "inputs must be different names"),
        ("1.0, 50.0, 0.5", "0.0, 50.0, 0.5", "duration_ms must be whole steps"),
        ("1.0, 50.0, 0.5", "1.0, 50.5, 0.5", "duration_ms must be whole steps"),
        ("1.0, 50.0, 0.5", "1.0, float('inf'), 0.5", "duration_ms must be whole steps"),
        ("1.0, 50.0, 0.5", "1.0, 50.0, 1.0", "chance must be at least 0 and below 1"),
    ],
)
def test_a_task_that_no_circuit_can_meet_is_refused(tmp_path, old, new, named):
    path = own_task_spec(tmp_path)
    file = tmp_path / "agree.py"
    file.write_text(file.read_text().replace(old, new))
    message = one_line_of(lambda: read(path))
    assert str(path) in message
    assert named in message


def test_a_user_tasks_settings_come_from_the_spec(tmp_path):
    path = own_task_spec(tmp_path)
    path.write_text(path.read_text().replace("[circuit]", "gap_ms = 7\n[circuit]", 1))
    spec, source = read(path)
    assert spec.make_task(source).gap_ms == 7
    path.write_text(path.read_text().replace("gap_ms", "gap"))
    assert "did you mean gap_ms?" in one_line_of(lambda: read(path))


@pytest.mark.parametrize("path", RUNS, ids=[p.name for p in RUNS])
def test_the_committed_specs_are_valid(path):
    spec, source = read(path)
    assert source is None
    assert spec.task["name"] == path.stem
    assert spec.encoding(spec.make_task().interface).bounds.allowed.any()


def test_the_three_tasks_have_a_committed_spec():
    assert {"gate.toml", "itd.toml", "order.toml"} <= {p.name for p in RUNS}


@pytest.mark.parametrize("path", RUNS, ids=[p.name for p in RUNS])
def test_a_resolved_spec_as_toml_is_the_same_spec(path):
    spec, _ = read(path, seed=9)
    again = parse(spec.to_toml())
    assert again == spec
    assert again.digest() == spec.digest()
    assert again.to_toml() == spec.to_toml()
    for key in ("excitatory_weight_mv", "v_th_mv", "held_out", "objectives"):
        assert f"{key} =" in spec.to_toml()  # defaults are filled in


def test_any_change_to_the_spec_or_the_task_file_changes_the_digest_but_for_when_to_end():
    spec = parse(SPEC)
    assert len({spec.digest(), spec.digest("x = 1"), parse(SPEC, seed=4).digest(), parse(SPEC, trials=17).digest()}) == 4
    for end in ({"generations": 7}, {"target": 0.9}, {"evaluations": 10}, {"seconds": 1.0}, {"stagnation": 5}):
        assert parse(SPEC, **end).digest() == spec.digest()


@settings(deadline=None)
@given(st.floats(0.01, 100), st.integers(1, 64))
def test_a_number_stands_for_a_range(tau, neurons):
    spec = parse(f'[task]\nname = "gate"\n[circuit]\nneurons = {neurons}\n[circuit.parameters]\ntau_m_ms = {tau}')
    assert spec.circuit.neurons == (neurons, neurons)
    assert spec.circuit.parameters.tau_m_ms == (tau, tau)
    bounds = spec.encoding(spec.make_task().interface).bounds
    low, high = bounds.parameter[0, :, LIF_PSC_EXP.names.index("tau_m_ms")]
    assert low == high
    assert abs(low - tau) <= 0.5 / 256 + 1e-9
    assert not bounds.allowed[:neurons, 0][: neurons - 1].any()


@settings(deadline=None)
@given(st.floats(1e-6, 100), st.floats(1e-6, 100))
def test_bounds_hold_at_least_one_grid_point_and_stay_inside_the_range(a, b):
    low, high = sorted((a, b))
    spec = parse(f'[task]\nname = "gate"\n[circuit]\nexcitatory_weight_mv = [{low}, {high}]')
    least, most = spec.encoding(spec.make_task().interface).bounds.weight[0]
    assert 0 < least <= most
    assert least % (1 / 256) == 0 == most % (1 / 256)
    if high - low > 1 / 256:
        assert low - 1e-6 <= least
        assert most <= high + 1e-6
    assert np.isfinite([least, most]).all()


MODELS = """
[task]
name = "gate"
[circuit]
neuron_model = "aeif_psc_exp"
synapse_model = "short_term"
noise_mv = 1.5
delay_ms = [0.5, 4.0]
[circuit.parameters]
a = [-0.5, 0.5]
use = [0.1, 0.9]
[circuit.types.PYR]
sign = "E"
[circuit.types.PV]
sign = "I"
projects_to = ["PYR"]
parameters = { tau_w_ms = [20, 40], use = 0.3 }
[search.stop]
check_ms = 10
quiet_ms = 5
rate_hz = 300
"""


def test_a_spec_names_models_noise_and_cell_types():
    spec = parse(MODELS)
    form = spec.encoding(spec.make_task().interface)
    names = [*form.model.names, *form.synapse_model.parameters]
    assert (form.model.name, form.synapse_model.name, form.noise_mv) == ("aeif_psc_exp", "short_term", 1.5)
    assert form.types == ("PYR", "PV")
    assert form.bounds.projects.tolist() == [[True, True], [True, True], [True, False]]
    ranges = {name: form.bounds.parameter[:, :, names.index(name)].tolist() for name in ("a", "use", "tau_w_ms")}
    assert ranges["a"] == [[-0.5, 0.5]] * 2
    np.testing.assert_allclose(ranges["use"], [[0.1, 0.9], [0.3, 0.3]], atol=1e-6)  # small numbers have a fine grid
    assert ranges["tau_w_ms"] == [[144, 144], [20, 40]]
    assert parse(spec.to_toml()) == spec


def test_the_stop_rule_is_in_steps_and_waits_for_the_longest_delay():
    spec = parse(MODELS)
    assert spec.stop_rule(0.5) == (20, 10 + 8, 300 * 0.5 / 1000)
    assert parse(MODELS.replace("check_ms = 10", "check_ms = 0")).stop_rule(0.5).check == 0


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"aeif_psc_exp"', '"hodgkin"', ["circuit.neuron_model", "lif_psc_exp", "'hodgkin'"]),
        ('"short_term"', '"long_term"', ["circuit.synapse_model", "stdp", "'long_term'"]),
        ("a = [-0.5, 0.5]", "theta_jump_mv = 3", ["circuit.parameters.theta_jump_mv: unknown key; did you mean"]),
        ("a = [-0.5, 0.5]", "v_peak = 3", ["circuit.parameters.v_peak: unknown key; did you mean v_peak_mv?"]),
        ("a = [-0.5, 0.5]", "a = 5000", ["circuit.parameters.a", "-100 to 100", "5000"]),
        ("a = [-0.5, 0.5]", "v_peak_mv = [-80, 0]", ["circuit", "v_reset_mv must stay below v_peak_mv"]),
        ('["PYR"]', '["VIP"]', ["circuit.types", "PV.projects_to: there is no type 'VIP'; there are PYR, PV"]),
        ("tau_w_ms = [20, 40]", "tau_q_ms = 3", ["circuit.types", "PV.parameters.tau_q_ms: unknown key"]),
        ("tau_w_ms = [20, 40]", "tau_w_ms = 0", ["circuit.types", "PV.parameters.tau_w_ms", "0.01 to 10000"]),
        ("tau_w_ms = [20, 40]", "v_peak_mv = -70", ["circuit.types.PV.parameters", "v_reset_mv must stay below v_peak_mv"]),
        ('sign = "I"', 'sign = "X"', ["circuit.types.PV.sign", "'X'"]),
        ('sign = "I"', 'kind = "I"', ["circuit.types.PV"]),
        ("noise_mv = 1.5", "noise_mv = -1", ["circuit.noise_mv", "-1"]),
        ("rate_hz = 300", "rate_hz = 0", ["search.stop.rate_hz", "0"]),
        ("rate_hz = 300", "rates = 3", ["search.stop.rates: unknown key", "rate_hz"]),
    ],
)
def test_a_mistake_in_models_types_or_rule_is_named_in_one_line(tmp_path, old, new, named):
    assert old in MODELS
    path = tmp_path / "x.toml"
    path.write_text(MODELS.replace(old, new), encoding="utf-8")
    message = one_line_of(lambda: read(path))
    for part in (str(path), *named):
        assert part in message


def test_types_that_leave_no_way_from_the_inputs_to_an_output_are_refused_at_once():
    deaf = MODELS.replace('sign = "E"', 'sign = "E"\ninputs = false').replace("noise_mv = 1.5", "noise_mv = 0")
    spec = parse(deaf)
    assert spec.encoding(spec.make_task().interface)  # by way of PV, which projects to PYR
    deaf = deaf.replace('projects_to = ["PYR"]', 'projects_to = ["PV"]')
    spec = parse(deaf.replace("noise_mv = 0", "noise_mv = 1"))
    assert spec.encoding(spec.make_task().interface)  # noise makes it fire
    spec = parse(deaf)
    assert "no input reaches an excitatory neuron" in one_line_of(lambda: spec.encoding(spec.make_task().interface))


def test_types_of_one_sign_alone_allow_no_neurons_of_the_other():
    text = '[task]\nname = "gate"\n[circuit]\nexcitatory_share = [0, 1]\n[circuit.types.PYR]\nsign = "E"\n'
    spec = parse(text)
    allowed = spec.encoding(spec.make_task().interface).bounds.allowed
    assert allowed[:, 0].any()
    assert not allowed[:, 1:].any()
