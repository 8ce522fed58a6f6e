"""Rasters and traces as Neo objects and NWB files."""

import subprocess
import sys

import numpy as np
import pytest

import circuits
from circuits.errors import UserError


@pytest.fixture(scope="module")
def raster():
    motif = circuits.zoo["gate-3"]
    inputs = np.random.default_rng(0).random((3, 300, len(motif.inputs))) < 0.1
    found = circuits.simulate(motif.circuit, inputs, record="all", record_trials=(1, 2))
    assert found.counts().sum() > 10
    return found


@pytest.mark.long
def test_neo_has_every_trial_and_train(raster):
    neo = pytest.importorskip("neo")
    block = raster.to_neo()
    assert isinstance(block, neo.Block)
    assert [segment.name for segment in block.segments] == ["0", "1", "2"]
    for trial, segment in enumerate(block.segments):
        by_role = {role: [t for t in segment.spiketrains if t.annotations["role"] == role] for role in ("input", "output")}
        for trains, part in ((by_role["input"], raster.stimulus), (by_role["output"], raster)):
            assert [t.name for t in trains] == [str(name) for name in part.names]
            for train, times in zip(trains, part.times(trial), strict=True):
                assert np.array_equal(train.rescale("ms").magnitude, times)
                assert float(train.t_stop.rescale("ms")) == raster.duration_ms
        assert [t.annotations["sign"] for t in by_role["output"]] == ["E" if e else "I" for e in raster.excitatory]
        assert [t.annotations["read"] for t in by_role["output"]] == [k in raster.readout for k in range(len(raster.names))]
    assert len(block.segments[0].analogsignals) == 0
    for row, trial in enumerate((1, 2)):
        signals = {signal.name: signal for signal in block.segments[trial].analogsignals}
        assert set(signals) == {"v_mv", "i_e_mv", "i_i_mv"}
        assert np.array_equal(signals["v_mv"].rescale("mV").magnitude, raster.traces.v_mv[row])
        assert np.allclose(signals["v_mv"].times.rescale("ms").magnitude, raster.traces.times_ms)
        assert list(signals["v_mv"].array_annotations["neuron"]) == [str(name) for name in raster.traces.names]


@pytest.mark.long
def test_an_nwb_file_has_every_trial_and_train(raster, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    path = raster.to_nwb(tmp_path / "deep" / "r.nwb", description="a gate")
    assert pynwb.validate(path=str(path)) in ([], ([], 0))
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        nwb = file.read()
        assert nwb.session_description == "a gate"
        starts, stops = nwb.trials["start_time"][:], nwb.trials["stop_time"][:]
        assert np.allclose(1000 * (stops - starts), raster.duration_ms)
        names, roles = list(nwb.units["unit_name"][:]), list(nwb.units["role"][:])
        assert names == [*map(str, raster.stimulus.names), *map(str, raster.names)]
        for k, role in enumerate(roles):
            part, column = (raster.stimulus, k) if role == "input" else (raster, k - roles.count("input"))
            times = nwb.units["spike_times"][k]
            for trial, (start, stop) in enumerate(zip(starts, stops, strict=True)):
                mine = 1000 * (times[(times > start) & (times < stop + 1e-9)] - start)
                assert np.allclose(mine, part.times(trial)[column])
            assert len(times) == part.counts()[:, column].sum()
        series = nwb.acquisition["v_mv-2"]
        assert np.allclose(series.data[:] * series.conversion * 1000, raster.traces.v_mv[1])
        assert series.rate == pytest.approx(1000 / raster.dt_ms)
        assert series.starting_time == pytest.approx(starts[2] + raster.dt_ms / 1000)


@pytest.mark.long
def test_the_same_raster_has_the_same_content(raster, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    found = []
    for name in ("a.nwb", "b.nwb"):
        with pynwb.NWBHDF5IO(str(raster.to_nwb(tmp_path / name)), "r") as file:
            nwb = file.read()
            found.append((nwb.identifier, nwb.session_start_time, nwb.units["spike_times"].target.data[:].tolist()))
    assert found[0] == found[1]


@pytest.mark.long
def test_what_cannot_be_written_is_one_line(raster, tmp_path):
    pytest.importorskip("pynwb")
    (tmp_path / "there.nwb").touch()
    with pytest.raises(UserError, match="exists already"):
        raster.to_nwb(tmp_path / "there.nwb")
    many = circuits.Raster(raster.bits[None], raster.trials, raster.dt_ms, raster.names)
    with pytest.raises(UserError, match="one circuit"):
        many.to_nwb(tmp_path / "many.nwb")


@pytest.mark.long
def test_neo_is_imported_where_it_is_used():
    code = "import sys, circuits; assert not {'neo', 'pynwb', 'h5py', 'nir'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
