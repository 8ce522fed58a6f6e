"""The example that trains copies of a flip-flop over long trials, in short."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.long
SCRIPT = Path(__file__).parents[1] / "runs" / "examples" / "train_flip_flop.py"


@pytest.mark.parametrize("window", [pytest.param(None, marks=pytest.mark.slow), 200])
def test_no_training_step_is_lost(window, capsys):
    spec = importlib.util.spec_from_file_location("train_flip_flop", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    history = script.main(steps=2, length=800, window=window, batch=4)
    assert history.lost == 0
    assert history.spikes[-1] > 10
    assert capsys.readouterr().out.startswith("step 2: loss 0.")
