"""The lab in a notebook: one page with everything in it, whose questions Python answers."""

import re

import pytest

import evo
from evo.web.single_page import single_page
from evo.web.widget import ASKED, answered


def test_the_page_of_a_widget_asks_for_nothing_and_knows_all_its_modules():
    text = single_page({"view": "bench", "run": ".", "circuit": "0"})
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?!\./)", text.partition("<body")[0])
    wanted = set(re.findall(r'(?:from |import\(|import )\\?"(evo/[^"\\]+)', text))
    named = set(re.findall(r'"((?:page|lab)/[a-z_]+\.js)":', text))
    assert {name.removeprefix("evo/") for name in wanted if "$" not in name} <= named
    assert "</script>" not in re.search(r'id="given">(.*?)</script>', text)[1]


def test_questions_of_a_widget_are_those_of_the_lab(shared):
    assert answered(shared, {"number": 1, "question": "circuits", "said": {}}) == {
        "number": 1,
        "answer": shared.answer("circuits", {}),
    }
    refused = answered(shared, {"number": 2, "question": "circuit", "said": {"name": "gate-3", "id": "x"}})
    assert "has left the front" in refused["error"]


def test_a_widget_starts_and_stops_no_run(shared):
    assert not ASKED & {"start", "stop", "resume", "fork", "job", "bench/keep"}
    for question in ("start", "no question", None):
        assert "does not answer" in answered(shared, {"number": 3, "question": question, "said": {}})["error"]


def test_evo_lab_is_a_widget(made):
    pytest.importorskip("anywidget", reason="no anywidget: pip install 'evocircuits[notebook]'")
    shown = evo.lab(made / "gate-3", rank=0)
    assert "gate-3" in shown.title
    assert '"view": "bench"' in shown.page
