import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from circuits.errors import UserError
from circuits.simulation.raster import Raster, lane_masks, pack, unpack

DT = 0.5
shapes = st.tuples(st.integers(1, 200), st.integers(1, 12), st.integers(0, 4))
rasters = shapes.flatmap(lambda shape: arrays(bool, shape, elements=st.booleans(), fill=st.booleans()))


def raster_of(spikes):
    return Raster(pack(spikes), len(spikes), DT, tuple(range(spikes.shape[2])))


@given(rasters)
def test_packing_loses_nothing(spikes):
    bits = pack(spikes)
    assert bits.dtype == np.uint64
    assert bits.shape == (-(-len(spikes) // 64), *spikes.shape[1:])
    np.testing.assert_array_equal(unpack(bits, len(spikes)), spikes)
    np.testing.assert_array_equal(raster_of(spikes).spikes(), spikes)


@given(rasters)
def test_bit_b_of_block_w_is_trial_64_w_plus_b(spikes):
    bits = pack(spikes)
    for trial in {0, len(spikes) // 2, len(spikes) - 1}:
        np.testing.assert_array_equal(bits[trial // 64] >> np.uint64(trial % 64) & np.uint64(1), spikes[trial])


@given(rasters)
def test_lanes_without_a_trial_are_silent_and_outside_the_masks(spikes):
    bits, masks = pack(spikes), lane_masks(len(spikes))
    assert not (bits & ~masks[:, None, None]).any()
    assert np.bitwise_count(masks).sum() == len(spikes)


@given(rasters, st.integers(0, 12), st.integers(0, 12))
def test_counts_are_those_of_the_spikes_after_start_up_to_stop(spikes, start, stop):
    raster = raster_of(spikes)
    np.testing.assert_array_equal(raster.counts(), spikes.sum(axis=1))
    stamps = np.arange(1, spikes.shape[1] + 1)[None, :, None]
    inside = spikes & (stamps > start) & (stamps <= stop)
    np.testing.assert_array_equal(raster.counts(start * DT, stop * DT), inside.sum(axis=1))
    np.testing.assert_allclose(raster.rates(), spikes.mean(axis=1) * 1000 / DT)


@given(rasters)
def test_first_spikes_are_stamped_at_the_end_of_their_step_or_never(spikes):
    expected = np.where(spikes.any(axis=1), (spikes.argmax(axis=1) + 1) * DT, np.inf)
    np.testing.assert_array_equal(raster_of(spikes).first_spikes(), expected)


@given(rasters)
def test_times_are_the_stamps_of_one_trial(spikes):
    raster = raster_of(spikes)
    for trial in {0, len(spikes) - 1, -1, -len(spikes)}:
        found = raster.times(trial)
        assert len(found) == spikes.shape[2]
        for column, times in enumerate(found):
            np.testing.assert_array_equal(times, (np.flatnonzero(spikes[trial, :, column]) + 1) * DT)


@pytest.mark.parametrize("trial", [70, -71])
def test_a_trial_that_is_not_there_is_an_index_error(trial):
    with pytest.raises(IndexError, match=r"outside 0 \.\. 69"):
        raster_of(np.zeros((70, 3, 2), bool)).times(trial)


def test_leading_axes_are_circuits():
    rng = np.random.default_rng(0)
    spikes = rng.random((5, 70, 9, 3)) < 0.2
    many = Raster(np.stack([pack(one) for one in spikes]), 70, DT)
    assert many.counts().shape == (5, 70, 3)
    np.testing.assert_array_equal(many.counts(1.0, 3.0), spikes[:, :, 2:6].sum(axis=2))
    for one, counts, first in zip(spikes, many.counts(), many.first_spikes(), strict=True):
        np.testing.assert_array_equal(counts, raster_of(one).counts())
        np.testing.assert_array_equal(first, raster_of(one).first_spikes())


@given(rasters, st.integers(0, 2**32 - 1))
def test_whether_a_neuron_fired_in_the_window_of_its_trial(spikes, seed):
    window = np.random.default_rng(seed).random(spikes.shape[:2]) < 0.4
    np.testing.assert_array_equal(raster_of(spikes).fired_in(window), (spikes & window[..., None]).any(axis=1))


def test_the_outputs_are_the_columns_of_the_port_in_its_order():
    spikes = np.random.default_rng(1).random((70, 9, 4)) < 0.3
    raster = Raster(pack(spikes), 70, DT, ("a", "b", "c", "d"), readout=(2, 0))
    assert raster.outputs.names == ("c", "a")
    np.testing.assert_array_equal(raster.outputs.spikes(), spikes[:, :, [2, 0]])
    np.testing.assert_array_equal(raster.outputs.outputs.bits, raster.outputs.bits)


def test_a_raster_knows_its_length():
    raster = raster_of(np.zeros((2, 9, 1), bool))
    assert raster.steps == 9
    assert raster.duration_ms == 4.5


def test_a_population_is_read_as_its_circuits_are():
    spikes = np.random.default_rng(5).random((3, 70, 20, 4)) < np.array([0.0, 0.1, 1.0])[:, None, None, None]
    raster = Raster(np.stack([pack(one) for one in spikes]), 70, 0.5)
    assert raster.spikes().dtype == bool
    assert np.array_equal(raster.spikes(), spikes)
    assert raster.spikes_per_step().dtype == np.int32
    assert np.array_equal(raster.spikes_per_step(), spikes.sum(axis=-1))


@pytest.mark.parametrize("templates", [(), (1,), (3,)])
def test_a_template_is_summed_over_the_spikes_of_each_column(templates):
    rng = np.random.default_rng(6)
    spikes, template = rng.random((2, 70, 20, 4)) < 0.2, rng.normal(size=(*templates, 20))
    raster = Raster(np.stack([pack(one) for one in spikes]), 70, 0.5)
    wanted = np.einsum("ctkn,...k->ctn...", spikes.astype(float), template)
    assert raster.weighted(template).shape == (2, 70, 4, *templates)
    assert np.allclose(raster.weighted(template), wanted, atol=1e-12)


@pytest.mark.parametrize("shape", [(19,), (2, 21), (1, 1, 20), ()])
def test_a_template_of_another_length_is_refused_in_one_line(shape):
    raster = Raster(pack(np.zeros((3, 20, 1), bool)), 3, 1.0)
    with pytest.raises(UserError, match=r"must be .* 20 steps"):
        raster.weighted(np.zeros(shape))
