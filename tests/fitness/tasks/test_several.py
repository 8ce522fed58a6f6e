import pytest

import fitness
from circuits.errors import UserError


@pytest.mark.parametrize(
    ("tasks", "named"),
    [
        ([{"name": "agree.py:Agree"}], r"tasks\[0\]: must name a built-in task"),
        ([{"name": "gate"}, {"name": "itd"}], r"tasks\[1\]: all must have the same step; itd has 0\.05 ms, gate 0\.5 ms"),
        ([{"name": "toggle"}, {"name": "phonotaxis"}], r"tasks\[1\]: phonotaxis is a closed loop"),
        ([{"name": "gamma"}], r"tasks\[0\]: gamma listens to all neurons"),
        ([{"name": "gat"}], "did you mean gate"),
        ([{"name": "gate", "volley": 1}], "did you mean volleys"),
    ],
)
def test_tasks_that_do_not_go_together_are_named(tasks, named):
    with pytest.raises(UserError, match=named):
        fitness.task("several", tasks=tasks)


def test_tasks_share_channels_of_the_same_name_and_have_outputs_of_their_own():
    task = fitness.task("several", tasks=[{"name": "coincidence"}, {"name": "gate"}, {"name": "coincidence", "spikes": 3}])
    assert task.inputs == ("a", "b", "control")
    assert task.outputs == ("coincidence1.out", "gate.out", "coincidence2.out")
