"""The pages of the public Python names, from their docstrings."""

import inspect
from importlib import import_module

import fitness
from generate.markdown import page, prose

PAGES = {
    "circuits": ["circuits", "circuits.data"],
    "circuits-torch": ["circuits.torch"],
    "fitness": ["fitness", "fitness.spike_trains"],
    "evo": ["evo", "evo.deap", "evo.inspect.figures"],
}


def write():
    for file, modules in PAGES.items():
        page(f"{file}.md", f"# {modules[0]} in Python", *(block for name in modules for block in module(name)))


def module(name: str):
    """The docstring of a module, a list of its public names, and each of them by autodoc."""
    face = import_module(name)
    yield f"## `{name}`"
    yield prose(face.__doc__)
    public = [one for one in face.__all__ if callable(getattr(face, one)) and not inspect.ismodule(getattr(face, one))]
    yield rst(f".. currentmodule:: {name}", ".. autosummary::", *(f"   {one}" for one in public))
    for one in public:
        member = getattr(face, one)
        if not inspect.isclass(member):
            yield rst(f".. autofunction:: {name}.{one}")
            continue
        options = [":members:", ":exclude-members: model_post_init, model_config"]
        if member is fitness.Task:
            options.append(":inherited-members: BaseModel")  # those of its definition
        yield rst(f".. autoclass:: {name}.{one}", *(f"   {option}" for option in options))


def rst(*lines: str) -> str:
    body = "\n".join(
        line if line.startswith(" ") else f"\n{line}\n" if line.startswith(".. autosummary") else line for line in lines
    )
    return f"```{{eval-rst}}\n{body}\n```"
