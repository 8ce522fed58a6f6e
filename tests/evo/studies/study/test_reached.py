"""When a run reached its target, and its cost until then."""

from evo.studies.study.reached import cost_of, reached_in


def row(generation, validation, held_out, evaluations=10, **more):
    return {"generation": generation, "validation": validation, "held_out": held_out, "evaluations": evaluations, **more}


def test_the_circuit_that_does_best_on_validation_trials_decides():
    rows = [row(1, 0.5, 0.95), row(1, 0.6, 0.2), row(2, 0.7, 0.9), row(2, 0.6, 0.1)]
    assert reached_in(rows, 0.9) == 2
    assert reached_in(rows[:2], 0.9) is None


def test_the_worst_condition_has_to_be_reached_too():
    rows = [row(1, 0.9, 0.95, worst=0.5), row(2, 0.9, 0.95, worst=0.8), row(3, 0.9, 0.95)]
    assert reached_in(rows, 0.9) == 1
    assert reached_in(rows, 0.9, 0.75) == 2
    assert reached_in(rows[2:], 0.9, 0.75) == 3  # a task without conditions


def test_all_islands_count_until_then_and_epochs_in_part():
    def epoch(first, held_out):
        log = [row(first + k, 0.5, held_out) for k in (0, 1)]
        return {"log": log, "timings": {"total": 2.0}}

    epochs = [epoch(1, 0.1), epoch(1, 0.1), epoch(3, 0.1), epoch(3, 0.1)]
    epochs[2]["log"][0] = row(3, 0.6, 0.9)
    assert cost_of(epochs, 0.9) == (3, 60, 6.0)  # 4 rows of the first epochs, and one of two rows of each of the others
    assert cost_of(epochs[:2], 0.9) == (None, 40, 4.0)
    assert cost_of([], 0.9) == (None, 0, 0.0)
