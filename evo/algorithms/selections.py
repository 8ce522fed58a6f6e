"""An algorithm with other selections: `search.parents` and `search.survivors` name some of DEAP's."""

from circuits.errors import UserError
from evo.algorithms.algorithm import Algorithm
from evo.selection.deaps import selection


def with_selections(kind: type[Algorithm], parents: str | None, survivors: str | None) -> type[Algorithm]:
    """The algorithm with DEAP's selections of these names for its parents and its survivors; None keeps its own. Raises
    UserError where the algorithm makes no such selection."""
    for role, name in (("parents", parents), ("survivors", survivors)):
        if name is not None and role not in kind.selects:
            raise UserError(f"search.{role}: the algorithm {kind.name} selects none; leave it out")
    combined = kind
    if parents is not None:
        select_parents = selection(parents)

        class WithParents(combined):  # type: ignore[valid-type, misc]
            def parents(self, count):
                return select_parents(self.objectives(self.population.outcomes), self.population.case_scores, count, self.rng)

        combined = WithParents
    if survivors is not None:
        select_survivors = selection(survivors)

        class WithSurvivors(combined):  # type: ignore[valid-type, misc]
            def survivors(self, outcomes, case_scores):
                return select_survivors(self.objectives(outcomes), case_scores, min(self.count, len(outcomes)), self.rng)

        combined = WithSurvivors
    return combined
