import pytest

from tests.bench.bench_inhibition import EXCITATORY_ONLY, best_held_out, gate_spec


@pytest.mark.slow
def test_gating_needs_inhibition():
    """Slow: two searches, of some 15 s together."""
    spec = gate_spec(generations=40)
    with_inhibition, without = best_held_out(spec, 1), best_held_out(spec, 1, EXCITATORY_ONLY)
    assert with_inhibition > 0.85
    assert without < 0.75
    assert with_inhibition - without > 0.2
