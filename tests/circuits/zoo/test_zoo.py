"""The zoo as a mapping, and that what is in it are sound motif files."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

import circuits
from circuits import zoo
from circuits.errors import UserError
from circuits.motif_file import digest, dumps, save
from circuits.zoo import Zoo
from circuits.zoo.learned_parts import LearnedParts
from tests.evo.tiny import one_line_of

VALIDATOR = jsonschema.Draft202012Validator(json.loads((Path(circuits.__file__).parent / "motif.schema.json").read_text()))


def test_it_is_a_read_only_mapping_from_names_to_motifs():
    assert isinstance(zoo, Mapping)
    assert zoo is circuits.zoo
    assert len(zoo) == len(list(zoo)) == len(set(zoo)) >= 20
    name = next(iter(zoo))
    assert isinstance(zoo[name], circuits.Motif)
    assert zoo[name] == zoo[name] == zoo.get(name) == dict(zoo)[name]
    assert name in zoo
    assert "nothing" not in zoo
    assert zoo.get("nothing", 3) == 3
    with pytest.raises(TypeError):
        zoo[name] = zoo[name]


def test_names_are_in_the_order_of_task_and_size():
    parts = [(name.rsplit("-", 1)[0], int(name.rsplit("-", 1)[1].rstrip("bcdefgh"))) for name in zoo]
    assert parts == sorted(parts)


def test_an_unknown_name_is_refused_naming_those_that_come_near():
    for call in (zoo.__getitem__, zoo.card):
        with pytest.raises(UserError, match=r"^the zoo has no 'itd-99'; did you mean .*itd-8.*\?$"):
            call("itd-99")
        with pytest.raises(UserError, match="the zoo has no 'gat-3'; did you mean gate-3"):
            call("gat-3")
        with pytest.raises(UserError, match="the zoo has no 'qqq'; evo zoo lists them"):
            call("qqq")
        with pytest.raises(UserError, match=r"the zoo has no '\.\./cards/itd-8'"):
            call("../cards/itd-8")


@pytest.mark.parametrize("name", zoo)
def test_every_motif_is_a_sound_file_that_obeys_dale(name):
    text = (zoo.folder / "motifs" / f"{name}.json").read_text()
    assert dumps(zoo[name]) == text
    data = json.loads(text)
    VALIDATOR.validate(data)
    sign = {neuron["id"]: neuron["sign"] for neuron in data["neurons"]}
    assert set(sign.values()) <= {"E", "I"}
    channels = [s for channel in data["inputs"] for s in channel["synapses"]]
    assert all(s["weight_mv"] > 0 for s in (*channels, *data["synapses"]))
    assert all(sign[neuron] == "E" for port in data["outputs"] for neuron in port["neurons"])


@pytest.mark.parametrize("name", zoo)
def test_every_card_is_that_of_its_motif(name):
    motif, card = zoo[name], zoo.card(name)
    assert card.name == name
    assert name.startswith(f"{card.task['name']}-{len(motif.neurons)}")
    assert (card.excitatory, card.inhibitory) == (sum(motif.excitatory), sum(~motif.excitatory))
    assert card.synapses == motif.synapse_count
    assert card.sha256 == digest(motif)
    assert motif.provenance.task == card.task
    if not card.made.forks:  # a fork has a spec of its own
        assert motif.provenance.seed == card.made.seed
        assert motif.provenance.spec_sha256 == card.made.spec_sha256
    assert (motif.provenance.parent is None) == card.made.whole
    scores = {"held_out": card.held_out.score, "low": card.held_out.low, "high": card.held_out.high}
    assert motif.provenance.scores == scores | ({"worst": card.worst.score} if card.worst else {})
    ElementTree.fromstring(card.picture)
    assert len(card.picture) < 60_000
    for part in (*(n.id for n in motif.neurons), *(c.name for c in motif.inputs), *(o.name for o in motif.outputs)):
        assert f">{part}</text>" in card.picture


def test_no_two_are_the_same_circuit():
    assert len({zoo.card(name).sha256 for name in zoo}) == len(zoo)


def test_zoo_and_cards_show_themselves_in_notebooks():
    page = zoo._repr_html_()
    assert all(f"<td>{name}</td>" in page for name in zoo)
    card = zoo.card("itd-8")
    shown = card._repr_html_()
    for part in ("<svg", "detectors = 4", f"{card.held_out.score:.3f}", *card.commands):
        assert part in shown
    assert "itd-8" in repr(zoo)
    assert "<svg" not in repr(card)


def test_a_damaged_card_is_named(tmp_path):
    for kind in ("motifs", "cards", "pictures"):
        (tmp_path / kind).mkdir()
    (tmp_path / "motifs" / "a-1.json").write_text("{}")
    (tmp_path / "cards" / "a-1.json").write_text('{"name": "a-1"}')
    with pytest.raises(UserError, match=r"a-1.json: is damaged: title: is missing .*; install evocircuits again"):
        Zoo(tmp_path).card("a-1")


def test_parts_that_were_evolved_for_learning_lie_beside_the_others():
    assert len(zoo.parts) > 0
    assert not set(zoo.parts) & set(zoo)
    for name in zoo.parts:
        card, motif = zoo.parts.card(name), zoo.parts[name]
        assert zoo[name] == motif
        assert card.sha256 == digest(motif)
        first, *controls = card.courses
        assert first == "evolved for learning"
        assert {"rewired", "random", "single neuron"} <= set(controls)
        for course in card.courses.values():
            assert len(course.final) == len(card.seeds)
            assert course.accuracy[-1] == pytest.approx(sum(course.final) / len(course.final), abs=1e-3)
            assert all(0 <= value <= 1 for value in course.accuracy)
        assert card.seed not in card.seeds
        assert card.spec in card.text
    assert "no part 'none'" in one_line_of(lambda: zoo.parts.card("none"))


def test_a_damaged_card_of_a_part_is_named(tmp_path):
    name = next(iter(zoo.parts))
    save(zoo.parts[name], tmp_path / f"{name}.json")
    (tmp_path / f"{name}.card.json").write_text("{}")
    assert "is damaged" in one_line_of(lambda: LearnedParts(tmp_path).card(name))
