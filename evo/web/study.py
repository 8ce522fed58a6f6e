"""The lab's data of a study: summaries of its arms, curves of reaching the target, and every run."""

from typing import Any

from evo.inspect.finite import finite
from evo.inspect.terminal import study_table
from evo.studies.study.folder import Study, StudyRun
from evo.studies.study.intervals import curve
from evo.studies.study.summary import summed_up
from evo.web.runs import Runs, stamp_of

COSTS = "evaluations", "core_seconds"


class Studies:
    """The studies below the lab's folder; a run is read again when it has changed, and its study summed up again."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self._runs: dict[tuple[str, str], tuple[tuple, StudyRun]] = {}
        self._answers: dict[str, tuple[tuple, dict]] = {}

    def answer(self, request: dict) -> dict:
        """The study of this name. Raises UserError."""
        name = request.get("name")
        study = _CachedStudy(self.runs.study(name), str(name), self._runs)
        runs = tuple(study.runs)
        key = (*runs, study.state, study.design.to_toml())
        if self._answers.get(str(name), (None,))[0] != key:
            self._answers[str(name)] = key, _shown(study, "" if name == "." else f"{name}/")
        return self._answers[str(name)][1]


class _CachedStudy(Study):
    """A study that reads only runs that have changed."""

    def __init__(self, folder, name, kept):
        super().__init__(folder)
        self._name, self._kept = name, kept

    def _run(self, arm, seed, name):
        stamp, key = stamp_of(self.folder / name), (self._name, name)
        if self._kept.get(key, (None,))[0] != stamp:
            self._kept[key] = stamp, super()._run(arm, seed, name)
        return self._kept[key][1]


def _shown(study: Study, prefix: str) -> dict[str, Any]:
    design, summary = study.design, study_table.as_json(summed_up(study))
    return {
        "title": study.name,
        "status": study_table.status_as_json(study),
        "seeds": len(design.seeds),
        "target": design.target,
        "worst": design.worst,
        "arms": [
            row | {"settings": arm.settings, "given": arm.given, "curves": {c: _curve(study, arm.name, c) for c in COSTS}}
            for row, arm in zip(summary["arms"], design.arms, strict=True)
        ],
        "tests": [test | {"text": study_table.MEASURES[test["measure"]]} for test in summary["tests"]],
        "methods": summary["methods"],
        "runs": [
            {key: finite(value) for key, value in run._asdict().items()} | {"name": prefix + run.run} for run in study.runs
        ],
    }


def _curve(study, arm, cost):
    """The share of runs that reached the target over the cost, as steps, and the cost of the last run."""
    over = [run for run in study.arm(arm) if run.over]
    spent, reached = [float(getattr(run, f"{cost}_to_target")) for run in over], [run.reached for run in over]
    if not any(reached):
        return {"x": [], "share": [], "low": [], "high": [], "end": max(spent, default=0.0)}
    names = ("x", "share", "low", "high")
    return {name: part.tolist() for name, part in zip(names, curve(spent, reached), strict=True)} | {"end": max(spent)}
