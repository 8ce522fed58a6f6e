"""An algorithm with other selections: `search.parents` and `search.survivors` name some of DEAP's."""

from circuits.errors import UserError
from evo.algorithms.algorithm import Algorithm
from evo.selection.deaps import selection


def with_selections(kind: type[Algorithm], parents: str | None, survivors: str | None) -> type[Algorithm]:
    """The algorithm, who breeds or who survives in it selected by DEAP's selections of these names; None: by its own.
    Raises UserError where it selects none."""
    for what, name in (("parents", parents), ("survivors", survivors)):
        if name is not None and what not in kind.selects:
            raise UserError(f"search.{what}: the algorithm {kind.name} selects none; leave it out")
    found = kind
    if parents is not None:
        choose = selection(parents)

        class WithParents(found):  # type: ignore[valid-type, misc]
            def parents(self, count):
                return choose(self.losses(self.population.outcomes), self.population.case_scores, count, self.rng)

        found = WithParents
    if survivors is not None:
        keep = selection(survivors)

        class WithSurvivors(found):  # type: ignore[valid-type, misc]
            def survivors(self, outcomes, case_scores):
                return keep(self.losses(outcomes), case_scores, min(self.count, len(outcomes)), self.rng)

        found = WithSurvivors
    return found
