"""Trials of a task of NeuroGym as a file from which networks learn, with a target at every step:
python neurogym_trials.py PerceptualDecisionMaking-v0 decision.npz [--trials N] [--step-ms MS] [--seed N]

Needs NeuroGym (pip install neurogym), in an environment of its own: it brings other versions of much. The file is plain arrays,
and is read without NeuroGym: [task] name = "learning", data = "decision.npz".

Observations are numbers, and circuits hear spikes: each is a pair of groups of fibres, one for what is above 0, one for what is
below, that fire at up to `PEAK` Hz for an observation of 1. Targets are the actions that NeuroGym calls right at each step (its
ground truth). Action 0, to fixate in most tasks, is right nearly always: it is asked in as many steps of a trial as the others,
the last ones. Trials that end earlier than the longest are silent from there on, and nothing is asked of them.
"""

import argparse

import numpy as np

PEAK, FIBRES = 200.0, 4  # Hz; for each sign of an observation


def trials(env, count, seed):
    """Observations [steps, numbers] and actions [steps] of trials, one pair each."""
    env.seed(seed) if hasattr(env, "seed") else env.reset(seed=seed)
    episodes = []
    for _ in range(count):
        env.new_trial()
        episodes.append((np.atleast_2d(np.array(env.ob, float)), np.array(env.gt)))
    return episodes


def as_spikes(episodes, step_ms, dt_ms, rng):
    """x bool [trials, steps, channels] in steps of step_ms, and targets int8 [trials, steps], from trials in steps of dt_ms."""
    times = max(1, round(dt_ms / step_ms))
    longest = max(len(actions) for _, actions in episodes) * times
    numbers = episodes[0][0].shape[1]
    x = np.zeros((len(episodes), longest, 2 * numbers * FIBRES), bool)
    targets = np.full((len(episodes), longest), -1, "i1")
    for k, (observed, actions) in enumerate(episodes):
        if np.shape(actions) != (len(observed),):
            raise SystemExit("the actions of this task are no classes; take one with a discrete action space")
        both = np.concatenate([np.clip(observed, 0, 1), np.clip(-observed, 0, 1)], axis=1)
        chance = np.repeat(np.repeat(both, FIBRES, axis=1), times, axis=0) * PEAK * step_ms / 1000
        x[k, : len(chance)] = rng.random(chance.shape) < chance
        targets[k, : len(chance)] = asked(np.repeat(actions, times))
    return x, targets


def asked(actions):
    """The actions of a trial, with -1 where 0 is right and not asked."""
    fixates, others = np.flatnonzero(actions == 0), int((actions != 0).sum())
    return actions if not others else np.where(np.isin(np.arange(len(actions)), fixates[:-others]), -1, actions)


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("out")
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--step-ms", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    import neurogym

    env = neurogym.make(chosen.task).unwrapped
    episodes = trials(env, chosen.trials, chosen.seed)
    x, targets = as_spikes(episodes, chosen.step_ms, float(env.dt), np.random.default_rng(chosen.seed))
    np.savez_compressed(chosen.out, x=x, targets=targets, dt_ms=chosen.step_ms)
    print(f"{chosen.out}: {len(x)} trials of {x.shape[1]} steps, {x.shape[2]} channels, {int(targets.max()) + 1} actions")


if __name__ == "__main__":
    main()
