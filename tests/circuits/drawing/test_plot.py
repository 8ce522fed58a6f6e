import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EventCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from circuits import Circuit
from circuits.drawing.plot import E_COLOUR, I_COLOUR, INPUT_COLOUR
from circuits.simulation.simulate import simulate
from tests.products import some_of


def circuit_of(*names, channels=("left", "right")):
    """Neurons, E and I by turns; each channel makes all of them fire."""
    neurons = [{"id": name, "sign": "EI"[k % 2]} for k, name in enumerate(names)]
    synapses = [{"post": name, "weight_mv": 500.0, "delay_ms": 1.0} for name in names]
    return Circuit(dt_ms=0.5, neurons=neurons, inputs=[{"name": name, "synapses": synapses} for name in channels])


def drawn(ax):
    """The spike times of each row, from the top."""
    rows = [c for c in ax.collections if isinstance(c, EventCollection)]
    return {round(row.get_lineoffset()): sorted(row.get_positions()) for row in rows}


def render(axes):
    FigureCanvasAgg(axes[0].figure).draw()


@pytest.fixture(scope="module")
def raster():
    spikes = [[[3.0], [20.0, 40.0]], [[], []], [[5.0], []]]
    return simulate(circuit_of("E0", "I0", "E1"), spikes, 60, record=["E0", "I0"], record_trials=(0, 2))


def test_every_spike_is_drawn_in_the_row_of_its_channel_or_neuron(raster):
    axes = raster.plot(0)
    ax, rows = axes[0], drawn(axes[0])
    expected = [[3.0], [20.0, 40.0], *(times.tolist() for times in raster.times(0))]
    assert all(expected)
    assert [rows[k] for k in range(5)] == expected
    assert [label.get_text() for label in ax.get_yticklabels()] == ["left", "right", "E0", "I0", "E1"]
    assert ax.get_xlim() == (0, 60)
    render(axes)


def test_excitatory_and_inhibitory_neurons_have_their_colours(raster):
    ax = raster.plot(0)[0]
    colours = [to_hex(c.get_color()).upper() for c in ax.collections if isinstance(c, EventCollection)]
    assert colours == [INPUT_COLOUR.upper()] * 2 + [E_COLOUR, I_COLOUR, E_COLOUR]


def test_what_was_recorded_is_drawn_below(raster):
    for place, trial in enumerate((0, 2)):
        axes = raster.plot(trial)
        assert len(axes) == 3
        for n, panel in enumerate(axes[1:]):
            line = panel.lines[0]
            np.testing.assert_array_equal(line.get_xdata(), raster.traces.times_ms)
            np.testing.assert_array_equal(line.get_ydata(), raster.traces.v_mv[place, :, n])
            assert raster.traces.names[n] in panel.get_ylabel()
        assert axes[-1].get_xlabel() == "ms"
        render(axes)


def test_a_trial_that_was_not_recorded_has_spikes_alone(raster):
    axes = raster.plot(1)
    assert len(axes) == 1
    assert not any(drawn(axes[0]).values())
    assert axes[0].get_xlabel() == "ms"
    render(axes)


def test_a_trial_that_is_not_there_is_an_index_error(raster):
    with pytest.raises(IndexError, match="trial 3 is outside"):
        raster.plot(3)


def test_axes_that_are_given_are_drawn_on(raster):
    ax = Figure().subplots()
    assert raster.plot(0, ax) == [ax]
    assert sum(map(len, drawn(ax).values())) == 3 + raster.counts()[0].sum()


NAMES = ["$", "a$b$", "$x", r"\$", r"$\frac{$", "cost: 5 $ or 6 $", "_^{", "E\u03b1", 7]


@pytest.mark.parametrize("name", some_of(NAMES, few=["a$b$", r"$\frac{$", "E\u03b1", 7]))
def test_any_name_can_be_drawn(name):
    circuit = circuit_of(name, "other", channels=(str(name),))
    raster = simulate(circuit, [[[3.0]]], 20, record=[name])
    axes = raster.plot()
    render(axes)
    assert sum(map(len, drawn(axes[0]).values())) == 1 + raster.counts()[0].sum()


def test_circuits_without_channels_and_rasters_of_outputs_are_drawn_too():
    neurons = [{"id": 0, "sign": "E", "bias_mv": 30.0}, {"id": 1, "sign": "I"}]
    circuit = Circuit(dt_ms=1.0, neurons=neurons, outputs=[{"name": "out", "neurons": [0]}])
    raster = simulate(circuit, np.zeros((1, 50, 0), bool))
    for one, rows in ((raster, 2), (raster.outputs, 1)):
        axes = one.plot()
        assert len(axes) == 1
        assert len(axes[0].get_yticklabels()) == rows
        assert sum(map(len, drawn(axes[0]).values())) == raster.counts().sum() > 0
        render(axes)
