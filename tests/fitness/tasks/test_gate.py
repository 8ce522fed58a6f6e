import fitness
from circuits.lesion import lesion
from fitness.reference import lesioned, reference

TASK = fitness.task("gate")
TRIALS = TASK.trials(4, 300)


def routes(circuit):
    """The share of volleys treated right in trials of route A and of route B."""
    credit = TASK.evaluate(circuit, TRIALS).credit
    return credit[TRIALS.labels == 0].mean(), credit[TRIALS.labels == 1].mean()


def test_one_interneuron_under_control_closes_one_gate_and_opens_the_other():
    assert min(routes(reference("gate"))) > 0.95


def test_without_it_the_route_is_always_a():
    a, b = routes(lesioned(TASK))
    assert a > 0.95
    assert b < 0.05


def test_without_its_synapse_on_a_both_pass_under_control():
    a, b = routes(lesion(reference("gate"), connections=[("I", "A")]))
    assert a > 0.95
    assert 0.4 < b < 0.6


def test_without_disinhibition_nothing_passes_under_control():
    a, b = routes(lesion(reference("gate"), connections=[("I", "T")]))
    assert a > 0.95
    assert 0.4 < b < 0.6
