"""The example script from evolution to training, in short."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.long
SCRIPT = Path(__file__).parents[1] / "runs" / "examples" / "from_motif_to_network.py"


def test_the_script_evolves_a_motif_and_trains_copies_of_it(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("from_motif_to_network", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.main(tmp_path / "run", workers=0, generations=14, trials=128, epochs=2, seeds=1)
    assert set(found) == {"evolved", "random"}
    for results in found.values():
        assert [len(accuracy) for accuracy, _ in results] == [2]
    assert max(max(accuracy) for accuracy, _ in found["evolved"]) > 0.2, "more than chance, 0.125"
    told = capsys.readouterr().out
    for part in ("evolve", "inspect", "assemble, train, compare", "evolved  seed 0", "random   seed 0", "means of 1 seeds"):
        assert part in told
    assert (tmp_path / "run" / "core.json").exists()
    assert (tmp_path / "run" / "report.html").exists()
