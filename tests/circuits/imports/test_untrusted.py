"""Files that may be anybody's: one line whatever is in them, nothing outside of them, no more than makes sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import circuits
from circuits.errors import UserError
from circuits.imports import draft, hdf5, read

h5py = pytest.importorskip("h5py")
FORMATS = ("net.nir", "net.csv", "net.graphml", "net.tsv")


def refused(path):
    with pytest.raises(UserError) as caught:
        circuits.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def graph(path, change=lambda node: None):
    """A NIR file of one neuron, changed."""
    with h5py.File(path, "w") as file:
        node = file.create_group("node")
        node["type"] = "NIRGraph"
        node["edges"] = np.array([["input", "lif"], ["lif", "output"]], h5py.string_dtype())
        for name, kind, fields in (
            ("input", "Input", {"shape": [1]}),
            ("lif", "LIF", {"tau": [0.01], "r": [1.0], "v_leak": [0.0], "v_threshold": [1.0]}),
            ("output", "Output", {"shape": [1]}),
        ):
            group = node.create_group(f"nodes/{name}")
            group["type"] = kind
            for key, value in fields.items():
                group[key] = value
        change(node)
    return path


def replaced(node, key, **how):
    del node[f"nodes/lif/{key}"]
    if how:
        node["nodes/lif"].create_dataset(key, **how)


@pytest.mark.parametrize("name", FORMATS)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_one_line_or_a_motif(tmp_path_factory, name, content):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(content)
    refused(path)


@given(data=st.data())
def test_a_damaged_nir_file_is_one_line_or_a_motif(tmp_path_factory, data):
    path = graph(tmp_path_factory.mktemp("damaged") / "net.nir")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))]))
    said = ""
    try:
        circuits.load(path)
    except UserError as error:
        said = str(error)
    assert "\n" not in said


def test_a_heap_that_the_library_would_read_without_end_is_one_line(tmp_path):
    path = graph(tmp_path / "net.nir")
    content = bytearray(path.read_bytes())
    last = content.index(b"GCOL") + 16
    while int.from_bytes(content[last : last + 2], "little"):  # objects, then what is free
        last += 16 + -(-int.from_bytes(content[last + 8 : last + 16], "little") // 8) * 8
    content[last + 8 : last + 16] = bytes(8)
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"damaged: the sizes in the heap at byte \d+ do not add up"):
        circuits.load(path)


@pytest.mark.parametrize("size", [8, 12, 20])
def test_the_first_bytes_of_a_file_are_one_line(tmp_path, size):
    path = graph(tmp_path / "net.nir")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match="no HDF5 file, or damaged"):
        circuits.load(path)


def test_the_whole_file_is_read(tmp_path):
    assert len(circuits.load(graph(tmp_path / "net.nir")).neurons) == 1


@pytest.mark.parametrize("kind", ["external", "soft", "storage", "virtual"])
def test_other_files_are_not_followed(tmp_path, kind):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["tau"] = [0.01]

    def change(node):
        if kind == "storage":
            replaced(node, "tau", shape=(1,), dtype="f8", external=[(str(other), 0, 8)])
            return
        replaced(node, "tau")
        if kind == "virtual":
            layout = h5py.VirtualLayout((1,), "f8")
            layout[:] = h5py.VirtualSource(str(other), "tau", (1,))
            node["nodes/lif"].create_virtual_dataset("tau", layout)
        else:
            node["nodes/lif/tau"] = h5py.ExternalLink(str(other), "tau") if kind == "external" else h5py.SoftLink("/node/edges")

    message = refused(graph(tmp_path / "net.nir", change))
    assert "not followed" in message or "not read" in message


def test_a_small_file_that_unpacks_into_much_is_refused(tmp_path):
    much = {"shape": (hdf5.MAX_VALUES + 1,), "dtype": "f8", "compression": "gzip", "fillvalue": 1.0}
    assert "too large" in refused(graph(tmp_path / "net.nir", lambda node: replaced(node, "tau", **much)))


def test_a_graph_in_itself_is_refused(tmp_path):
    def change(node):
        node["nodes/again"] = node

    assert "too deep" in refused(graph(tmp_path / "net.nir", change))


def test_text_where_numbers_should_be_is_one_line(tmp_path):
    assert "must hold numbers" in refused(graph(tmp_path / "a.nir", lambda node: replaced(node, "tau", data="long")))
    assert "not finite" in refused(graph(tmp_path / "b.nir", lambda node: replaced(node, "tau", data=[np.nan])))
    assert "has no 'tau'" in refused(graph(tmp_path / "c.nir", lambda node: replaced(node, "tau")))


def test_a_pickle_in_an_hdf5_file_is_not_opened(tmp_path):
    tagged = {"data": np.array([b"cos\nsystem\n(S'false'\ntR."], dtype="V30")}
    assert "must hold numbers" in refused(graph(tmp_path / "net.nir", lambda node: replaced(node, "tau", **tagged)))


def test_too_many_neurons_are_refused(tmp_path):
    rows = "\n".join(f"a{k},b,1" for k in range(draft.MAX_NEURONS + 1))
    (tmp_path / "net.csv").write_text(f"source,target,weight\n{rows}\n")
    assert "too large for a motif" in refused(tmp_path / "net.csv")


def test_options_of_another_format_are_one_line(tmp_path):
    path = graph(tmp_path / "net.nir")
    with pytest.raises(UserError, match="outputs"):
        read(path, outputs=("lif",))
    with pytest.raises(UserError, match="dt_ms"):
        read(path, dt_ms=-1)
    with pytest.raises(UserError, match="spikes"):
        read(path, spikes="loud")
