"""A recording is the same from whatever file it comes, and a wrong file is one line."""

import io
from importlib.util import find_spec

import numpy as np
import pytest

from circuits.errors import MachineError, UserError
from fitness.recordings import Recording, packages, read
from tests.fitness.recordings import files


def test_csv_and_npz_hold_the_same_recording():
    expected = files.recording()
    assert read("cell.csv", files.as_csv()) == expected == read("cell.npz", files.as_npz())
    assert expected.inputs == ("a", "b")
    assert expected.outputs == ("x", "y")
    assert [trial.name for trial in expected.trials] == [str(k) for k in range(6)]
    assert files.recording(seed=2) != expected


@pytest.mark.long
def test_nwb_holds_the_same_recording(tmp_path):
    pytest.importorskip("pynwb")
    assert read("cell.nwb", files.as_nwb(tmp_path / "made.nwb")) == files.recording()


@pytest.mark.long
def test_neo_holds_the_same_recording(tmp_path):
    neo = pytest.importorskip("neo")
    pytest.importorskip("nixio")
    path = tmp_path / "cell.nix"
    with neo.NixIO(str(path), "ow") as file:
        file.write_block(files.as_neo())
    assert read(path) == files.recording()


@pytest.mark.long
def test_sampled_signals_are_the_same_in_files_of_every_kind(tmp_path):
    trials = files.driven()
    expected = Recording.of(trials)
    assert expected.signals == ("wave",)
    header = "# duration_ms = 200\n"
    assert read("cell.csv", files.as_csv(trials, header)) == expected == read("cell.npz", files.as_npz(trials))
    found = read("cell.csv", files.as_csv(trials, header)).trials[1].signals["wave"]
    assert (found.dt_ms, found.unit) == (0.5, "pA")
    assert np.array_equal(found.values, trials[1][4]["wave"].values)
    if find_spec("pynwb"):
        assert read("cell.nwb", files.as_nwb(tmp_path / "made.nwb", trials)) == expected
    if find_spec("neo") and find_spec("nixio"):
        import neo

        path = tmp_path / "cell.nix"
        with neo.NixIO(str(path), "ow") as file:
            file.write_block(files.as_neo(trials))
        assert read(path) == expected


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,signal,s,0,1\n0,signal,s,1,2\n0,signal,s,3,2\n", "evenly spaced samples, 1.5 ms apart; line 4 has 1 ms"),
        ("0,signal,s,1,1\n0,signal,s,2,2\n", "must have samples from time 0 on; found 2, the first at 1 ms"),
        ("0,signal,s,0,1\n0,signal,s,,2\n", "line 4: a sample of a signal needs time_ms and value"),
        ("0,signal,s,0,1\n0,signal,s,1,high\n", "line 4: value must be a number, not 'high'"),
        ("1,signal,s,0,1\n1,signal,s,1,1\n", "trial 1: has signals, but no row that names a train"),
    ],
)
def test_signals_that_are_none_are_one_line(rows, said):
    with pytest.raises(UserError) as caught:
        read("cell.csv", f"trial,role,name,time_ms,value\n0,output,x,1,\n{rows}".encode())
    assert said in str(caught.value)


def test_sonata_spikes_are_read_in_their_unit():
    pytest.importorskip("h5py")
    _, _, inputs, outputs = files.content(1)[0]
    found = read("spikes.h5", files.as_sonata())
    assert found.inputs == ("input-0",)  # the other one is silent, and so in no such file
    assert found.outputs == ("cortex-0", "cortex-1")
    np.testing.assert_allclose(found.trials[0].inputs[0], inputs["a"], atol=1e-6)
    np.testing.assert_allclose(found.trials[0].outputs[1], outputs["y"], atol=1e-6)


def test_the_source_and_its_digest_are_kept(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_bytes(files.as_csv())
    found = read(path)
    assert found.source == "cell.csv"
    assert len(found.sha256) == 64
    assert read(path, files.as_csv(header="")).sha256 != found.sha256


def test_the_order_of_columns_and_rows_and_the_unit_say_nothing():
    lines = files.as_csv().decode().splitlines()[2:]
    split = [line.split(",") for line in lines]
    rows = [
        f"{name},{float(ms) / 1000!r},{trial},{role}" if ms else f"{name},,{trial},{role}" for trial, role, name, ms, _ in split
    ]
    text = "\n".join(["# duration_s: 0.2", "name,time_s,trial,role", *reversed(rows)])
    assert read("cell.csv", text.encode()) == files.recording()


def test_trials_without_a_duration_last_until_the_last_spike_of_any_rounded_up():
    text = "trial,role,name,time_ms\n1,input,a,5\n1,output,x,730.5\n2,output,x,12\n"
    assert [trial.duration_ms for trial in read("cell.csv", text.encode()).trials] == [800.0, 800.0]


def test_trains_are_chosen_by_name_whatever_role_the_file_gives_them():
    found = files.recording().select(inputs=("a", "x"), outputs=("y*",), until_ms=100)
    assert found.inputs == ("a", "x")
    assert found.outputs == ("y",)
    assert all(train.max(initial=0) <= 100 for trial in found.trials for train in trial.inputs)
    with pytest.raises(UserError, match="has no train 'z'; found x, y, a, b"):
        files.recording().select(outputs=("z",))


HEAD = "trial,role,name,time_ms\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; wanted is a first line trial,role,name,time_ms"),
        ("trial,role,unit,time_ms\n", "line 1: lacks name of trial, role, name, time_ms; found trial, role, unit, time_ms"),
        ("trial,role,name,time\n", "line 1: lacks time_ms of"),
        ("trial;role;name;time_ms\n", "line 1: separate columns by commas"),
        ("trial,role,name,time_ms,time_s\n", "line 1: has time_ms and time_s; give times once"),
        (HEAD, "holds no spike below its first line"),
        (HEAD + "1,stimulus,a,3\n", "line 2: role must be input or output, not 'stimulus'"),
        (HEAD + "\n1,input,a,soon\n", "line 3: time_ms must be a number, not 'soon'"),
        (HEAD + "1,input,a,nan\n", "line 2: time_ms must be a number, not 'nan'"),
        (HEAD + "1,input\n", "line 2: has 2 columns, the first line names 4"),
        (HEAD + "1,input,a,3\n", "holds no output, which is a measured neuron; found inputs a"),
        (
            "# duration_ms = 10\n" + HEAD + "1,output,x,30\n",
            "trial 1, output x: a spike at 30 ms lies outside the trial, 0 to 10",
        ),
        (HEAD + "1,output,x,-3\n", "a spike at -3 ms lies outside the trial"),
    ],
)
def test_a_wrong_csv_is_one_line_that_says_what_is_missing_and_what_was_found(text, said):
    with pytest.raises(UserError, match=r"^cell\.csv: ") as caught:
        read("cell.csv", text.encode())
    assert said in str(caught.value)


def _saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"trial": [1]}, "lacks role, name, time_ms of trial, role, name, time_ms; found trial"),
        ({"trial": [1, 2], "role": ["input"], "name": ["a"], "time_ms": [1.0]}, "must be arrays of one length"),
        ({"trial": [1], "role": ["input"], "name": ["a"], "time_ms": ["x"]}, "time_ms must hold numbers"),
        (
            {"trial": [1], "role": np.array([{}], object), "name": ["a"], "time_ms": [1.0]},
            "it holds objects, which are not read",
        ),
    ],
)
def test_a_wrong_npz_is_one_line(arrays, said):
    with pytest.raises(UserError, match=r"^cell\.npz: ") as caught:
        read("cell.npz", _saved(**arrays))
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["cell.npz", "cell.h5"])
def test_bytes_of_another_kind_are_one_line(name):
    if name.endswith(".h5"):
        pytest.importorskip("h5py")
    with pytest.raises(UserError, match=f"^{name}: is no "):
        read(name, b"something else")


def test_a_pickle_is_never_read():
    with pytest.raises(UserError, match="for they may hold code"):
        read("cell.pkl", b"")


@pytest.mark.long
def test_an_nwb_without_units_says_what_it_found(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    from datetime import UTC, datetime

    nwb = pynwb.NWBFile("recorded", "one", datetime(2026, 1, 1, tzinfo=UTC))
    nwb.add_acquisition(pynwb.TimeSeries(name="current", data=[1.0, 2.0], unit="A", rate=10.0))
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "w") as file:
        file.write(nwb)
    with pytest.raises(UserError, match=r"a\.nwb: lacks units with spike times; found current"):
        read(tmp_path / "a.nwb")


@pytest.mark.long
def test_what_is_sampled_in_an_nwb_is_a_signal_and_events_are_inputs(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    from datetime import UTC, datetime

    nwb = pynwb.NWBFile("recorded", "one", datetime(2026, 1, 1, tzinfo=UTC))
    nwb.add_unit(spike_times=[0.1, 0.2])
    nwb.add_stimulus(pynwb.TimeSeries(name="current", data=[1.0, 2.0, 3.0], unit="A", rate=10.0))
    nwb.add_stimulus(pynwb.TimeSeries(name="clicks", data=[1.0, 1.0], unit="n/a", timestamps=[0.05, 0.15]))
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "w") as file:
        file.write(nwb)
    found = read(tmp_path / "a.nwb")
    assert found.inputs == ("clicks",)
    assert found.trials[0].inputs[0].tolist() == [50.0, 150.0]
    assert found.trials[0].signals["current"].dt_ms == 100.0
    assert found.trials[0].duration_ms == 200.0


def test_a_package_that_is_missing_is_named_with_its_install_line():
    with pytest.raises(
        MachineError, match=r"cell.nwb: needs nothere, which is not installed: pip install 'evocircuits\[recordings\]'"
    ):
        packages.needed("nothere.io", "cell.nwb")


def test_two_trials_of_one_name_and_no_trial_are_refused():
    with pytest.raises(UserError, match="two trials are called '1'"):
        Recording.of([("1", 10, {}, {"x": [1]}), ("1", 10, {}, {"x": [1]})])
    with pytest.raises(UserError, match="holds no trial"):
        Recording.of([])
