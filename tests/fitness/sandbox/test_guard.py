import signal
import time

import pytest

from circuits.errors import UserError
from fitness.sandbox.guard import guarded


def test_what_takes_too_long_is_given_up_where_the_system_has_a_timer_and_goes_on_where_it_has_none(monkeypatch):
    with pytest.raises(UserError, match=r"the task did not return within 0\.01 s"):
        guarded("the task", 0.01, time.sleep, 5)
    monkeypatch.delattr(signal, "setitimer")
    guarded("the task", 0.01, time.sleep, 0.05)
