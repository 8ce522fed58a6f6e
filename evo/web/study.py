"""A study as the lab shows it: its arms summed up, how soon their runs reached the target, and every run."""

import math
from typing import Any

from evo.inspect import study_table
from evo.studies.study.folder import Study, StudyRun
from evo.studies.study.intervals import curve
from evo.studies.study.summary import summed_up
from evo.web.runs import Runs, stamp_of

COSTS = "evaluations", "core_seconds"


class Studies:
    """The studies below the lab's folder: a run is read again when it has changed, a study summed up when a run of it has."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self._runs: dict[tuple[str, str], tuple[tuple, StudyRun]] = {}
        self._answers: dict[str, tuple[tuple, dict]] = {}

    def answer(self, said: dict) -> dict:
        """The study of this name. Raises UserError."""
        name = said.get("name")
        study = _Kept(self.runs.study(name), str(name), self._runs)
        runs = tuple(study.runs)
        key = (*runs, study.state, study.design.to_toml())
        if self._answers.get(str(name), (None,))[0] != key:
            self._answers[str(name)] = key, _shown(study, "" if name == "." else f"{name}/")
        return self._answers[str(name)][1]


class _Kept(Study):
    """A study whose runs are those that were read before, as far as they have not changed."""

    def __init__(self, folder, name, kept):
        super().__init__(folder)
        self._name, self._kept = name, kept

    def _run(self, arm, seed, name):
        stamp, key = stamp_of(self.folder / name), (self._name, name)
        if self._kept.get(key, (None,))[0] != stamp:
            self._kept[key] = stamp, super()._run(arm, seed, name)
        return self._kept[key][1]


def _shown(study: Study, prefix: str) -> dict[str, Any]:
    design, found = study.design, study_table.as_json(summed_up(study))
    return {
        "title": study.name,
        "status": study_table.status_as_json(study),
        "seeds": len(design.seeds),
        "target": design.target,
        "worst": design.worst,
        "arms": [
            arm | {"settings": one.settings, "given": one.given, "curves": {c: _curve(study, one.name, c) for c in COSTS}}
            for arm, one in zip(found["arms"], design.arms, strict=True)
        ],
        "tests": [test | {"text": study_table.MEASURES[test["measure"]]} for test in found["tests"]],
        "methods": found["methods"],
        "runs": [
            {key: _plain(value) for key, value in run._asdict().items()} | {"name": prefix + run.run} for run in study.runs
        ],
    }


def _curve(study, arm, cost):
    """Share of the runs that reached the target by what was spent, from each point on, and where the last run ended."""
    over = [run for run in study.arm(arm) if run.over]
    spent, reached = [float(getattr(run, f"{cost}_to_target")) for run in over], [run.reached for run in over]
    if not any(reached):
        return {"x": [], "share": [], "low": [], "high": [], "end": max(spent, default=0.0)}
    names = ("x", "share", "low", "high")
    return {name: part.tolist() for name, part in zip(names, curve(spent, reached), strict=True)} | {"end": max(spent)}


def _plain(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value
