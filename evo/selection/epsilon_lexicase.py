"""Epsilon-lexicase selection (La Cava, Spector and Danai, GECCO 2016): parents are selected by single trials in random order,
so that a circuit that alone solves a hard trial breeds whatever its other scores."""

from itertools import pairwise

import numpy as np

from circuits.numerics.compiled import compiled

# Bounds on the cost of one lexicase selection, so that it does not grow with the population.
HEAT = 1024
RACE = 32
SAMPLE = 64
FEW, MAX_VALUES = 6, 12


class EpsilonLexicase:
    """Epsilon-lexicase selection by case_scores [population, trials], larger is better; epsilon is the trial's median absolute
    deviation over the population, estimated from at most SAMPLE individuals.

    Individuals with equal case scores compete as one group; a winning group draws lots. More than HEAT groups compete in random
    heats; of more than RACE that pass the first trial, RACE go on, drawn at random.
    """

    def __init__(self, case_scores: np.ndarray):
        self.case_scores = np.ascontiguousarray(case_scores, "f4")
        sample = np.ascontiguousarray(self.case_scores[:: -(-len(case_scores) // SAMPLE)].T)
        self.epsilon = _middle(np.abs(sample - _middle(sample))).ravel()
        hashes = _hashes(self.case_scores)
        self.members = np.argsort(hashes, kind="stable")  # by group
        self.start, self.size = _groups(hashes, self.members)  # the first member and the size of each group

    def winners(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Indices [count] of selected individuals."""
        order = np.argsort(rng.random(len(self.start)), kind="stable")
        heats = np.array_split(order, -(-len(order) // HEAT)) if len(order) > HEAT else [order]
        ends = [k * count // len(heats) for k in range(len(heats) + 1)]
        chosen = []
        for heat, (first, last) in zip(heats, pairwise(ends), strict=True):
            start = self.start[heat]
            columns = np.ascontiguousarray(self.case_scores[self.members[start]].T)
            chosen.append(_lexicase(columns, self.epsilon, self.members, start, self.size[heat], last - first, rng))
        return np.concatenate(chosen)


def _middle(rows):
    """The median of each row, the upper of two, as a column."""
    middle = rows.shape[1] // 2
    return np.partition(rows, middle, axis=1)[:, middle, None]


@compiled
def _hashes(case_scores):
    out = np.empty(len(case_scores), np.uint64)
    words = case_scores.view(np.uint32)
    for k in range(len(words)):
        mixed = np.uint64(0x9E3779B97F4A7C15)
        for word in words[k]:
            mixed = (mixed ^ np.uint64(word)) * np.uint64(0xFF51AFD7ED558CCD)
            mixed ^= mixed >> np.uint64(32)
        out[k] = mixed
    return out


@compiled
def _groups(hashes, members):
    start, size, count = np.empty(len(members), np.int64), np.zeros(len(members), np.int64), 0
    for k in range(len(members)):
        if k == 0 or hashes[members[k]] != hashes[members[k - 1]]:
            start[count] = k
            count += 1
        size[count - 1] += 1
    return start[:count], size[:count]


@compiled
def _lexicase(columns, epsilon, members, start, sizes, count, rng):
    chosen = np.empty(count, np.int64)
    order = _telling(columns, epsilon)
    passing, passed = np.empty(columns.shape, np.int64), np.zeros(len(columns), np.int64)
    pool = np.arange(columns.shape[1])
    few, at, near = _by_score(columns, epsilon)
    bits = np.empty(at.shape[2], np.uint64)
    for c in range(count):
        size = len(pool)
        if len(order) > 0:
            trial = _next(order, 0, rng)
            if passed[trial] == 0:  # the groups that pass this trial as the first are the same every time
                passed[trial] = _first(columns, epsilon, trial, passing, rng)
            size = min(passed[trial], RACE)
            lot = np.int64(rng.random() * passed[trial])  # any stretch of a shuffled row is a random sample
            for k in range(size):
                pool[k] = passing[trial, lot]
                lot = lot + 1 if lot + 1 < passed[trial] else 0
            size = _race_set(at, near, order, pool, size, bits, rng) if few else _race(columns, epsilon, order, pool, size, rng)
        total = 0
        for k in range(size):
            total += sizes[pool[k]]
        lot = np.int64(rng.random() * total)
        for k in range(size):
            if lot < sizes[pool[k]]:
                chosen[c] = members[start[pool[k]] + lot]
                break
            lot -= sizes[pool[k]]
    return chosen


@compiled
def _next(order, t, rng):
    """The t-th of the trials in random order."""
    other = t + np.int64(rng.random() * (len(order) - t))
    order[t], order[other] = order[other], order[t]
    return order[t]


@compiled
def _race(columns, epsilon, order, pool, size, rng):
    """Filter the first `size` of the pool by trial after trial; returns the number left."""
    for t in range(1, len(order)):
        if size == 1:
            break
        size = _filter(columns, epsilon, _next(order, t, rng), pool, size)
    return size


@compiled
def _telling(columns, epsilon):
    """The trials in which not all are within epsilon of the best; the others filter nothing."""
    telling = np.empty(len(columns), np.int64)
    count = 0
    for trial in range(len(columns)):
        best = worst = columns[trial, 0]
        for score in columns[trial]:
            best, worst = max(best, score), min(worst, score)
        telling[count] = trial
        count += worst < best - epsilon[trial]
    return telling[:count]


@compiled
def _first(columns, epsilon, trial, passing, rng):
    """Fill in the groups that pass a trial, shuffled where there are too many; returns their number."""
    groups = passing.shape[1]
    for k in range(groups):
        passing[trial, k] = k
    passed = _filter(columns, epsilon, trial, passing[trial], groups)
    if passed > RACE:
        for k in range(passed):
            other = k + np.int64(rng.random() * (passed - k))
            passing[trial, k], passing[trial, other] = passing[trial, other], passing[trial, k]
    return passed


@compiled
def _filter(columns, epsilon, trial, pool, size):
    """Keep of the first `size` of the pool those within epsilon of their best in a trial; returns their number."""
    best = worst = columns[trial, pool[0]]
    for k in range(1, size):
        score = columns[trial, pool[k]]
        best = score if score > best else best
        worst = score if score < worst else worst
    threshold = best - epsilon[trial]
    if worst >= threshold:
        return size
    kept = 0
    for k in range(size):  # without a branch, which would be unpredictable
        individual = pool[k]
        pool[kept] = individual
        kept += columns[trial, individual] >= threshold
    return kept


# Where trials have few distinct case scores, such as right or wrong, a race of sets is faster than one of lists.


@compiled
def _by_score(columns, epsilon):
    """Are there few distinct case scores in a trial, at most MAX_VALUES? And sets [trials, MAX_VALUES, words]
    with a bit for each group: those with the best of the trial, the second best, ..., those within epsilon of it or better."""
    trials, groups = columns.shape
    at = np.zeros((trials, MAX_VALUES, (groups + 63) >> 6), np.uint64)
    near, case_scores, total = np.zeros_like(at), np.empty(MAX_VALUES, np.float32), 0
    for trial in range(trials):
        count = 0
        for g in range(groups):
            score, k = columns[trial, g], 0
            while k < count and case_scores[k] > score:
                k += 1
            if k == count or case_scores[k] < score:
                total += 1
                if count == MAX_VALUES or total > FEW * trials:
                    return False, at, near
                for later in range(count, k, -1):
                    case_scores[later] = case_scores[later - 1]
                case_scores[k] = score
                count += 1
        for g in range(groups):
            k = 0
            while case_scores[k] > columns[trial, g]:
                k += 1
            at[trial, k, g >> 6] |= np.uint64(1) << np.uint64(g & 63)
        for k in range(count):
            for other in range(count):
                if case_scores[other] >= case_scores[k] - epsilon[trial]:
                    for w in range(at.shape[2]):
                        near[trial, k, w] |= at[trial, other, w]
    return True, at, near


@compiled
def _race_set(at, near, order, pool, size, bits, rng):
    """`_race` by sets."""
    for w in range(len(bits)):
        bits[w] = 0
    for k in range(size):
        bits[pool[k] >> 6] |= np.uint64(1) << np.uint64(pool[k] & 63)
    alone = size == 1
    for t in range(1, len(order)):
        if alone:
            break
        alone = _filter_set(at, near, _next(order, t, rng), bits)
    kept = 0
    for k in range(size):
        individual = pool[k]
        pool[kept] = individual
        kept += np.int64((bits[individual >> 6] >> np.uint64(individual & 63)) & np.uint64(1))
    return kept


@compiled
def _filter_set(at, near, trial, bits):
    """Keep in the set those within epsilon of its best score in a trial; returns whether a single one is left."""
    k = w = 0
    while not bits[w] & at[trial, k, w]:
        w += 1
        if w == len(bits):
            k, w = k + 1, 0
    any_left = several = False
    for w in range(len(bits)):
        word = bits[w] & near[trial, k, w]
        bits[w] = word
        if word:
            several |= any_left or (word & (word - np.uint64(1))) != 0
            any_left = True
    return not several
