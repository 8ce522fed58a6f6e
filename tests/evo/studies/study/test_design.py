"""What a study is made of: specs, settings and seeds, and the file that says so."""

import pytest

from circuits.errors import UserError
from evo.running.study import begin_study
from evo.studies.study.design import STUDY, arms, read_design, seeds_of, stems, values_of
from tests.evo.tiny import one_line_of, spec_file


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", [1, 2, 3]), ("4-6", [4, 5, 6]), ("3,5,8", [3, 5, 8]), ("1,7-9", [1, 7, 8, 9]), ("0-0", [0])]
)
def test_seeds_are_how_many_or_which(text, seeds):
    assert seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "-3", "5-3", "x", "1,,2", "1,1", "1.5", "2-", "1-99999999999"])
def test_other_seeds_are_refused_in_one_line(text):
    assert text in one_line_of(lambda: seeds_of(text))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1,0.5", ["0.1", "0.5"]),
        ("true", ["true"]),
        ("[1, 2],[3, 4]", ["[1, 2]", "[3, 4]"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("{a = 1, b = 2}, 3", ["{a = 1, b = 2}", "3"]),
    ],
)
def test_commas_separate_values_outside_brackets_and_quotes(text, values):
    assert values_of(text) == values


def test_every_spec_has_an_arm_for_every_combination_of_settings(tmp_path):
    settings = {"search.crossover": ["0.0", "0.5"], "search.islands": ["1", "2"], "search.trials": ["16"]}
    found = arms(["gate", spec_file(tmp_path)], settings)
    assert [arm.name for arm in found][:3] == [
        "gate crossover=0.0 islands=1",
        "gate crossover=0.0 islands=2",
        "gate crossover=0.5 islands=1",
    ]
    assert len(found) == 8
    assert found[-1].name == "tiny crossover=0.5 islands=2"
    assert found[-1].checked.spec.search.islands == 2
    assert found[-1].checked.spec.search.trials == 16


def test_a_seed_among_the_settings_is_refused_in_one_line():
    assert "--seeds" in one_line_of(lambda: arms(["gate"], {"search.seed": ["7"]}))


def test_keys_with_the_same_last_part_are_shown_whole(tmp_path):
    settings = {"task.noise": ["1", "2"], "circuit.noise": ["1", "2"]}
    with pytest.raises(UserError):  # there are no such keys; how they are called is seen with keys that exist
        arms(["gate"], settings)
    found = arms(
        {"a": spec_file(tmp_path)}, {"circuit.neurons": ["[3, 6]", "[3, 5]"], "search.stop.check_ms": ["10.0", "20.0"]}
    )
    assert found[0].name == "a neurons=[3, 6] check_ms=10.0"


def test_the_names_of_folders_are_plain_and_each_another_one():
    assert stems(["gate x=0.5", "Gate x=0.5", "a/b [1, 2]", "..", "-"]) == [
        "gate-x=0.5",
        "Gate-x=0.5.2",
        "a-b-1-2",
        "run",
        "run.2",
    ]


def test_specs_of_the_same_name_are_told_apart(tmp_path):
    (tmp_path / "other").mkdir()
    names = [arm.name for arm in arms([spec_file(tmp_path), spec_file(tmp_path / "other")], {})]
    assert names == ["tiny.1", "tiny.2"]


def test_the_file_says_all_about_the_study(tmp_path):
    design = begin_study([spec_file(tmp_path)], tmp_path / "s", 2, {"search.crossover": ["0.0", "0.5"]}, worst=0.75)
    assert read_design(tmp_path / "s") == design
    assert [name for *_, name in design.runs] == [f"tiny-crossover={x}-{seed}" for seed in (1, 2) for x in ("0.0", "0.5")]
    arm = design.arms[1]
    assert arm.spec(7).search.seed == 7
    assert arm.spec(7).search.crossover == 0.5
    assert arm.task == "gate"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target = 0.9", "target = true", "target"),
        ('stem = "tiny"', 'stem = "../tiny"', "stem"),
        ('stem = "tiny"', 'stem = ".."', "stem"),
        ("seeds", "sedes", "seeds"),
        ("[[arms]]", "[[arms]", "not valid TOML"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path, old, new, said):
    begin_study([spec_file(tmp_path)], tmp_path / "s", 1)
    path = tmp_path / "s" / STUDY
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    message = one_line_of(lambda: read_design(tmp_path / "s"))
    assert STUDY in message
    assert said in message


def test_what_is_wrong_is_said_before_anything_is_made(tmp_path):
    spec = spec_file(tmp_path)
    for settings, said in (
        ({"search.crossover": ["0.5", "7"]}, "crossover"),
        ({"search.cross": ["0.5"]}, "search.cross"),
        ({"task.volley": ["1"]}, "volley"),
    ):
        assert said in one_line_of(lambda s=settings: begin_study([spec], tmp_path / "s", 2, s))
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


def test_a_folder_that_is_taken_is_left_alone(tmp_path):
    spec = spec_file(tmp_path)
    begin_study([spec], tmp_path / "s", 1)
    assert "already holds a study" in one_line_of(lambda: begin_study([spec], tmp_path / "s", 1))
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "mine").touch()
    assert "is no study" in one_line_of(lambda: begin_study([spec], tmp_path / "t", 1))
    assert "holds no study" in one_line_of(lambda: read_design(tmp_path / "t"))
