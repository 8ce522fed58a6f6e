"""Public names: docstrings in numpydoc form, examples that run, types that a user's program can rely on."""

import doctest
import inspect
from functools import cached_property
from importlib import import_module
from types import FunctionType

import pytest

import fitness
from fitness.base.definition import TaskDefinition
from tests.examples import ROOT, example, in_example  # noqa: F401 - fixtures

FACES = (
    "circuits",
    "circuits.data",
    "circuits.torch",
    "circuits.zoo",
    "fitness",
    "fitness.spike_trains",
    "evo",
    "evo.deap",
    "evo.inspect.figures",
)
ONE_LINE, SECTIONS, EXAMPLE = (
    {"GL08", "SS01", "SS02", "SS03", "SS06"},
    {"PR01", "PR02", "PR03", "PR04", "PR07", "RT01", "RT03"},
    "EX01",
)
WITHOUT_EXAMPLES = {"evo.inspect.figures"}  # pictures of a run; the pages of the documentation have them
PLAIN = {"model_post_init"}  # pydantic's
MEMBERS = (FunctionType, property, cached_property)


def public():
    """Every public function and class, and the methods and properties of the classes: (name, object, is it a member?)"""
    pytest.importorskip("torch")
    for face in FACES:
        module = import_module(face)
        for name in module.__all__:
            found = getattr(module, name)
            if callable(found) and not inspect.ismodule(found):
                yield f"{face}.{name}", found, False
                for inner, member in _members(found) if inspect.isclass(found) else ():
                    member = getattr(member, "__func__", member)
                    if not inner.startswith("_") and inner not in PLAIN and isinstance(member, MEMBERS):
                        yield f"{face}.{name}.{inner}", member, True


def _members(kind):
    """The names and members of a class; those of fitness.Task include its definition's."""
    for owner in (kind, TaskDefinition) if kind is fitness.Task else (kind,):
        yield from vars(owner).items()


def faults(name, found, is_member) -> list[str]:
    """What numpydoc's validator finds in a docstring, of what is asked for here."""
    from numpydoc.validate import get_doc_object, validate

    value = isinstance(found, property | cached_property)
    wanted = ONE_LINE if value else ONE_LINE | SECTIONS
    if not is_member and not any(name.startswith(face) for face in WITHOUT_EXAMPLES):
        wanted = wanted | {EXAMPLE}
    doc = get_doc_object(getattr(found, "fget", getattr(found, "func", found)) if value else found)
    return [f"{name}: {text}" for code, text in validate(doc)["errors"] if code in wanted]


def test_public_docstrings_are_in_numpydoc_form():
    pytest.importorskip("numpydoc")
    names = list(public())
    assert len(names) > 150
    assert not [fault for one in names for fault in faults(*one)]


@pytest.mark.long
@pytest.mark.usefixtures("in_example")
@pytest.mark.parametrize("face", FACES)
def test_the_examples_of_public_docstrings_run(face):
    runner = doctest.DocTestRunner(verbose=False)
    for name, found, _ in public():
        if name.startswith(f"{face}.") and ">>>" in (found.__doc__ or ""):
            runner.run(doctest.DocTestParser().get_doctest(inspect.getdoc(found), {}, name, None, 0))
    assert runner.summarize(verbose=False).failed == 0


def test_the_packages_say_that_they_have_types():
    """`make lint` checks tests/user_program.py, which uses them, as strictly as mypy can."""
    assert all((ROOT / package / "py.typed").exists() for package in ("circuits", "fitness", "evo"))
