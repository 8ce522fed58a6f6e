import json
import math

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import circuits
from circuits import Motif, motif_file
from circuits.errors import MachineError, UserError
from circuits.neurons import MODELS
from tests.reference import random_circuit, random_input

VALIDATOR = jsonschema.Draft202012Validator(motif_file.schema())
seeds = st.integers(0, 2**32 - 1)
provenances = st.fixed_dictionaries(
    {},
    optional={
        "run": st.text(),
        "seed": st.integers(),
        "task": st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=3),
        "scores": st.dictionaries(st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=3),
        "versions": st.dictionaries(st.text(), st.text(), max_size=3),
    },
)


def motif_of(seed, /, **provenance):
    return Motif.of(random_circuit(np.random.default_rng(seed)), **provenance)


@pytest.fixture
def good():
    """The data of a motif file."""
    return json.loads(motif_file.dumps(Motif.of(random_circuit(np.random.default_rng(2), neurons=6), run="itd", seed=3)))


def refusal(path, contents):
    """The one line about a file that is refused; it names the file."""
    path.write_bytes(contents if isinstance(contents, bytes) else json.dumps(contents).encode())
    with pytest.raises(UserError) as caught:
        circuits.load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


@given(seeds, provenances)
def test_a_motif_comes_back_exactly(seed, provenance):
    motif = motif_of(seed, **provenance)
    text = motif_file.dumps(motif)
    again = motif_file.loads(text)
    assert again == motif
    assert again.circuit == motif.circuit
    assert again.provenance == motif.provenance
    assert motif_file.dumps(again) == text
    np.testing.assert_array_equal(again.parameters, motif.parameters)


def test_a_saved_file_comes_back_exactly_and_behaves_the_same(tmp_path):
    motif = motif_of(5, run="itd", generation=7, scores={"score": 0.1 + 0.2})
    path = circuits.save(motif, tmp_path / "new folder" / "m.json")
    again = circuits.load(path)
    spikes = random_input(np.random.default_rng(0), motif, 3, 300)
    assert again == motif
    assert isinstance(again.circuit, circuits.Circuit)
    assert not isinstance(again.circuit, Motif)
    np.testing.assert_array_equal(circuits.simulate(again.circuit, spikes).bits, circuits.simulate(motif.circuit, spikes).bits)


def test_saving_leaves_one_file_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "m.json"
    circuits.save(motif_of(1), path)
    circuits.save(motif_of(2).circuit, path)
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]
    assert circuits.load(path).circuit == motif_of(2).circuit


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"file.m\.json: cannot be written"):
        circuits.save(motif_of(1), tmp_path / "file" / "m.json")


def test_keys_are_in_the_documented_order(good):
    documented = ["format", "version", "dt_ms", "neuron_model", "neurons", "inputs", "synapses", "outputs", "provenance"]
    assert list(good) == documented
    assert good["format"] == "motif"
    assert good["version"] == 1
    assert good["provenance"] == {"run": "itd", "seed": 3, "timing_rule": "iaf_psc_exp"}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.json: there is no such file"):
        circuits.load(tmp_path / "absent.json")


def test_a_folder_is_no_motif_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        circuits.load(tmp_path)


@pytest.mark.parametrize("contents", [b"", b" \n\t"])
def test_an_empty_file_is_refused(tmp_path, contents):
    assert refusal(tmp_path / "m.json", contents) == "is empty, not a motif file"


def test_a_file_cut_short_anywhere_is_refused(tmp_path, good):
    text = json.dumps(good, indent=1).encode()
    for length in range(1, len(text), 50):
        assert "not a motif file, or cut short" in refusal(tmp_path / "m.json", text[:length])


@pytest.mark.parametrize(
    "contents",
    [
        b"hello",
        b"\x89PNG\r\n\x1a\n\x00\xff",
        b'{"a": 1}',
        b"[]",
        b'[{"format": "motif"}]',
        b"null",
        b"7",
        b'"motif"',
        b"[" * 100_000,
    ],
    ids=["text", "picture", "foreign", "list", "list of motifs", "null", "number", "string", "deep"],
)
def test_what_is_no_motif_file_is_refused(tmp_path, contents):
    assert "not a motif file" in refusal(tmp_path / "m.json", contents)


def test_a_newer_version_is_refused_with_the_remedy(tmp_path, good):
    line = refusal(tmp_path / "m.json", good | {"version": 2})
    assert line == "version: 2 is from a newer evocircuits (this one reads 1); update evocircuits to open it"


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.5])
def test_no_version_but_1_is_read(tmp_path, good, version):
    assert refusal(tmp_path / "m.json", good | {"version": version}).startswith("version: ")


@pytest.mark.parametrize("key", ["version", "dt_ms", "neuron_model", "neurons", "inputs", "synapses", "outputs"])
def test_a_missing_key_is_named(tmp_path, good, key):
    del good[key]
    assert refusal(tmp_path / "m.json", good) == f"{key}: is missing"


BAD = [
    (("surprise",), 1, "surprise: unknown key"),
    (("neurons", 2, "tau"), 1.0, "neurons[2].tau: unknown key"),
    (("inputs", 0, "weight"), 1.0, "inputs[0].weight: unknown key"),
    (("provenance", "author"), "me", "provenance.author: unknown key"),
    (("a\nb\x1b[2J",), 1, "'a\\nb\\x1b[2J': unknown key"),
    (("dt_ms",), math.nan, "dt_ms: "),
    (("neurons", 1, "tau_m_ms"), math.nan, "neurons[1].tau_m_ms: "),
    (("synapses", 3, "weight_mv"), math.inf, "synapses[3].weight_mv: "),
    (("provenance", "scores"), {"score": math.nan}, "provenance.scores.score: "),
    (("provenance", "task"), {"rate": math.nan}, "provenance.task: must be plain JSON without NaN and infinity"),
    (("provenance", "timing_rule"), "euler", "provenance.timing_rule: "),
    (("dt_ms",), "0.1", "dt_ms: input should be a valid number, not '0.1'"),
    (("neurons", 1, "tau_m_ms"), "10", "neurons[1].tau_m_ms: input should be a valid number, not '10'"),
    (("synapses", 0, "weight_mv"), "5", "synapses[0].weight_mv: input should be a valid number, not '5'"),
    (("synapses", 0, "weight_mv"), True, "synapses[0].weight_mv: input should be a valid number, not True"),
    (("synapses", 0, "weight_mv"), -5, "synapses[0].weight_mv: "),
    (("synapses", 0, "post"), "gone", "synapses[0].post: there is no neuron 'gone'"),
    (("neurons", 0, "sign"), "e", "neurons[0].sign: "),
    (("neurons",), {}, "neurons: "),
    (("inputs",), None, "inputs: "),
    (("dt_ms",), 1e-310, "neurons[0].t_ref_ms: "),
]


@pytest.mark.parametrize(
    ("path", "value", "line"), BAD, ids=[f"{'.'.join(map(str, path))!a}={value}" for path, value, _ in BAD]
)
def test_a_refused_file_names_file_and_key(tmp_path, good, path, value, line):
    at = good
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    assert refusal(tmp_path / "m.json", good).startswith(line)


@given(seeds, provenances)
def test_the_schema_accepts_what_is_saved(seed, provenance):
    data = json.loads(motif_file.dumps(motif_of(seed, **provenance)))
    VALIDATOR.validate(data)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(motif_file.schema())


@pytest.mark.parametrize(
    "path", [(), ("neurons", 0), ("inputs", 0), ("inputs", 0, "synapses", 0), ("synapses", 0), ("provenance",)]
)
def test_the_schema_rejects_unknown_keys(good, path):
    at = good
    for part in path:
        at = at[part]
    at["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        VALIDATOR.validate(good)


@pytest.mark.parametrize(
    ("key", "value"), [("version", 2), ("format", "nir"), ("dt_ms", 0), ("dt_ms", "1"), ("neurons", []), ("neuron_model", "x")]
)
def test_the_schema_rejects_wrong_values(good, key, value):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(good | {key: value})


@pytest.mark.parametrize("key", ["format", "version", "dt_ms", "neuron_model", "neurons", "inputs", "synapses", "outputs"])
def test_the_schema_wants_every_key(good, key):
    del good[key]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(good)


# Neuron models, plastic synapses, noise

PLASTIC = ("short_term", "stdp", "both")
kinds = st.tuples(st.sampled_from(list(MODELS)), st.sampled_from([None, *PLASTIC]), st.sampled_from([0.0, 0.1, 3.0]))


def of_kind(seed, model, plastic=None, noise_mv=0.0):
    circuit = random_circuit(np.random.default_rng(seed), neurons=4, neuron_model=model, plastic=plastic)
    return Motif.of(circuit.model_copy(update={"noise_mv": noise_mv}))


def data_of(*kind):
    return json.loads(motif_file.dumps(of_kind(*kind)))


def synapses_of(data):
    return [s for channel in data["inputs"] for s in channel["synapses"]] + data["synapses"]


@given(seeds, kinds)
def test_a_motif_of_any_model_comes_back_exactly_and_the_schema_accepts_it(seed, kind):
    motif = of_kind(seed, *kind)
    text = motif_file.dumps(motif)
    again = motif_file.loads(text)
    assert again == motif
    assert [type(n) for n in again.neurons] == [MODELS[kind[0]].neuron] * 4
    assert motif_file.dumps(again) == text
    VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize("model", MODELS)
def test_a_saved_circuit_of_any_model_behaves_the_same(tmp_path, model):
    motif = of_kind(3, model)
    spikes = random_input(np.random.default_rng(0), motif, 3, 300)
    again = circuits.load(circuits.save(motif, tmp_path / "m.json"))
    np.testing.assert_array_equal(circuits.simulate(again.circuit, spikes).bits, circuits.simulate(motif, spikes).bits)


@pytest.mark.parametrize("model", MODELS)
def test_what_a_circuit_does_not_have_is_not_in_its_file(model):
    data = data_of(1, model)
    assert "noise_mv" not in data
    assert data["neuron_model"] == model
    for synapse in synapses_of(data):
        assert set(synapse) <= {"pre", "post", "weight_mv", "delay_ms"}
    for neuron in data["neurons"]:
        assert set(neuron) == {"id", "sign", "type", *MODELS[model].names}


def test_what_a_circuit_has_is_in_its_file():
    data = data_of(1, "lif_psc_exp", "both", 2.5)
    assert data["noise_mv"] == 2.5
    sections = [{key: s[key] for key in ("short_term", "stdp") if key in s} for s in synapses_of(data)]
    assert {tuple(section) for section in sections} == {(), ("short_term",), ("stdp",)}
    for section in sections:
        if "short_term" in section:
            assert set(section["short_term"]) == {"use", "tau_rec_ms", "tau_fac_ms"}
        if "stdp" in section:
            assert set(section["stdp"]) == {"a_plus", "a_minus", "tau_plus_ms", "tau_minus_ms", "bound"}


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_key_in_a_neuron_of_any_model_is_refused_by_file_and_schema(tmp_path, model):
    data = data_of(1, model)
    data["neurons"][1]["surprise"] = 1
    assert refusal(tmp_path / "m.json", data) == "neurons[1].surprise: unknown key"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(data)


@pytest.mark.parametrize("model", MODELS)
def test_neurons_of_another_model_are_refused(tmp_path, model):
    """The file says which parameters do not belong there."""
    for other in MODELS:
        foreign = set(MODELS[other].names) - set(MODELS[model].names)
        data = data_of(1, other) | {"neuron_model": model}
        if foreign:
            line = refusal(tmp_path / "m.json", data)
            assert line.startswith("neurons[0].")
            assert line.split(":")[0].removeprefix("neurons[0].") in foreign
            assert "unknown key" in line


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"short_term": {}, "stdp": {}}, "synapses[1]: a synapse has a section short_term or stdp, not both"),
        ({"short_term": {"surprise": 1}}, "synapses[1].short_term.surprise: unknown key"),
        ({"stdp": {"a_plus": "0.1"}}, "synapses[1].stdp.a_plus: input should be a valid number, not '0.1'"),
        ({"stdp": {"a_plus": 3.0}}, "synapses[1].stdp.a_plus: "),
        ({"stdp": []}, "synapses[1].stdp: "),
    ],
)
@pytest.mark.parametrize("onto", ["neurons", "inputs"])
def test_a_bad_section_of_a_synapse_is_refused_naming_the_place(tmp_path, sections, line, onto):
    data = data_of(2, "lif_psc_exp")
    place = data if onto == "neurons" else data["inputs"][0]
    place["synapses"][1] |= sections
    start = "" if onto == "neurons" else "inputs[0]."
    assert refusal(tmp_path / "m.json", data).startswith(start + line)


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ({"stdp": {"bound": 3.0}}, True),
        ({"short_term": {}}, True),
        ({"short_term": None}, True),
        ({"stdp": {"surprise": 1}}, False),
        ({"short_term": {"use": 2.0}}, False),
        ({"stp": {}}, False),
    ],
)
def test_the_schema_knows_the_sections_of_synapses(change, accepted):
    data = data_of(2, "lif_psc_exp")
    data["synapses"][0] |= change
    assert VALIDATOR.is_valid(data) == accepted


@pytest.mark.parametrize("noise", [-1.0, "1", None, 2e3])
def test_noise_that_makes_no_sense_is_refused_by_file_and_schema(tmp_path, noise):
    data = data_of(2, "lif_psc_exp") | {"noise_mv": noise}
    assert refusal(tmp_path / "m.json", data).startswith("noise_mv: ")
    assert not VALIDATOR.is_valid(data)
