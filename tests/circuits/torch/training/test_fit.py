"""Training: it learns, in windows too, resumes bit for bit, stops when it no longer helps, and says what it cannot take."""

import copy

import numpy as np
import pytest
import torch

from circuits.errors import UserError
from circuits.torch import MotifLayer, MotifNetwork, fit
from circuits.torch.training.objective import Trials, gradients, judge, objective_of
from tests.circuits.torch.motifs import small_motif, spikes

STRONG = (60.0, 50.0, 30.0, 9.0)


def network(readout_ms=None, classes=2, batch_first=False, **options):
    torch.manual_seed(2)
    layer = MotifLayer(small_motif(weights=STRONG), 4, 4, share=False, spread=0.2, dtype=torch.float64, **options)
    return MotifNetwork([layer], classes, batch_first=batch_first, readout_ms=readout_ms)


def rates(count, rng, steps=40):
    """Two classes: which half of the lines fires more."""
    y = rng.integers(0, 2, count)
    rate = np.where((np.arange(4) >= 2) == y[:, None], 0.4, 0.1)
    return rng.random((count, steps, 4)) < rate[:, None], y


def test_a_network_learns_classes_and_says_how():
    net, told = network(), []
    history = fit(
        net,
        rates,
        rates(64, np.random.default_rng(9)),
        steps=20,
        look=5,
        batch=32,
        rate=0.1,
        progress=lambda h: told.append(h.line()),
    )
    assert history.step == [5, 10, 15, 20]
    assert history.validation_score[-1] > 0.9 > 0.7 > history.score[0]
    assert history.loss[-1] < history.loss[0]
    assert history.lost == 0
    assert len(told) == 4
    assert told[-1].startswith("step 20: loss ")


@pytest.mark.parametrize("readout_ms", [None, 10.0])
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_window_as_long_as_the_trial_has_the_gradient_of_the_trial(readout_ms, batch_first):
    net = network(readout_ms, batch_first=batch_first)
    y = torch.arange(6).remainder(2)
    trials = Trials(spikes(6, 40, 4, rate=0.3), y if readout_ms is None else y[:, None].repeat(1, 40))
    found = {}
    for window in (None, 40, 13):
        net.zero_grad()
        said = gradients(net, trials, objective_of(None), 0.01, window)
        found[window] = said, torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
    assert found[40][0] == pytest.approx(found[None][0])
    assert found[13][0] == pytest.approx(found[None][0])
    assert torch.allclose(found[40][1], found[None][1], rtol=1e-6, atol=1e-12)
    cosine = torch.cosine_similarity(found[13][1], found[None][1], 0)
    assert 0.5 < cosine < 1 - 1e-9


def test_outputs_that_are_0_or_1_learn_in_every_step_and_nan_is_not_judged():
    def follow(count, rng):
        x, y = rates(count, rng)
        wanted = np.repeat(np.stack([y, 1 - y], -1)[:, None].astype(float), 40, 1)
        wanted[:, :15] = np.nan
        return x, wanted

    history = fit(network(10.0), follow, steps=15, look=5, batch=32, rate=0.1, window=20)
    assert history.score[-1] > 0.8
    net, (x, y) = network(10.0), follow(8, np.random.default_rng(0))
    trials = Trials(torch.from_numpy(x), torch.from_numpy(y))
    before = judge(net, trials, objective_of(None), 8)
    trials.x[:, -1], trials.y[:, -1] = True, np.nan
    trials.y[:, 15] = np.nan
    after = judge(net, trials, objective_of(None), 3)
    assert before[0] != after[0]
    assert np.isfinite(after).all()


def test_a_resumed_training_ends_in_the_same_network(tmp_path):
    given = {"steps": 8, "look": 2, "batch": 8, "rate": 0.1, "spike_price": 0.01, "patience": 4}
    validation = rates(16, np.random.default_rng(1))
    whole, stopped, resumed = network(), network(), network()
    expected = fit(whole, rates, validation, **given)
    path = tmp_path / "training.safetensors"

    def stop(history):
        if history.step[-1] == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(stopped, rates, validation, **given, checkpoint=path, progress=stop)
    found = fit(resumed, rates, validation, **given, checkpoint=path)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert (found.loss, found.validation_score, found.step) == (expected.loss, expected.validation_score, expected.step)
    with pytest.raises(UserError, match="has a training with steps = 8, not 9"):
        fit(network(), rates, validation, **given | {"steps": 9}, checkpoint=path)
    with pytest.raises(UserError, match="training of another network"):
        fit(network(classes=3), rates, validation, **given, checkpoint=path)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"no file of circuits\.torch"):
        fit(network(), rates, validation, **given, checkpoint=path)


def test_training_stops_when_it_no_longer_helps_and_keeps_the_best():
    net, validation = network(), rates(32, np.random.default_rng(1))
    scores, best = [], {}

    def remember(history):
        scores.append(history.validation_score[-1])
        if scores.index(max(scores)) == len(scores) - 1:
            best.update(copy.deepcopy(net.state_dict()))

    history = fit(net, rates, validation, steps=60, look=1, batch=8, rate=0.5, patience=2, progress=remember)
    assert history.stopped
    assert len(history.step) < 60
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, best[name]), name


def test_spikes_with_a_price_become_fewer():
    cheap, dear = network(), network()
    few = fit(dear, rates, steps=12, look=4, batch=16, rate=0.1, spike_price=0.1)
    many = fit(cheap, rates, steps=12, look=4, batch=16, rate=0.1)
    assert few.spikes[-1] < 0.8 * many.spikes[-1]


def test_steps_without_usable_gradients_are_left_out_and_counted():
    net = network()
    before = copy.deepcopy(net.state_dict())
    history = fit(net, rates, steps=2, look=1, batch=4, loss=lambda logits, y: logits.sum() * float("nan"))
    assert history.lost == 2
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_other_optimisers_are_taken_and_modules_keep_their_manners():
    net, seen = network(), []
    hook = net.layers[0].register_forward_pre_hook(lambda module, args: seen.append(1))
    fit(
        net,
        rates,
        rates(8, np.random.default_rng(0)),
        steps=2,
        look=1,
        batch=4,
        optimiser=lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    )
    assert seen
    hook.remove()
    twin = copy.deepcopy(net).float()
    assert {p.dtype for p in twin.parameters()} == {torch.float32}
    twin.load_state_dict(net.state_dict())
    assert twin(spikes(10, 2, 4)).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit(network(), np.zeros(3), steps=2), "train: a pair of spikes .* not ndarray"),
        (
            lambda: fit(network(), (np.zeros((2, 5, 3)), np.zeros(2, int)), steps=2),
            r"train: spikes must be .trials, steps, 4 features.",
        ),
        (lambda: fit(network(), (np.zeros((2, 5, 4)), np.zeros(3, int)), steps=2), r"train: classes must be .2. .* not .3."),
        (lambda: fit(network(9.0), (np.zeros((2, 5, 4)), np.zeros((2, 2))), steps=2), r"train: real targets must be .2, 5, 2."),
        (
            lambda: fit(network(), (np.zeros((2, 5, 4)), np.array([0, 5])), steps=2),
            "train: classes are 0 to 1, or -1, not 0 to 5",
        ),
        (lambda: fit(network(), rates, steps=0), "steps: a whole number above 0"),
        (lambda: fit(network(), rates, steps=2, patience=1), "patience: needs validation trials"),
        (lambda: fit(network(), rates, steps=2, window=0), "window: a whole number above 0"),
    ],
)
def test_mistakes_are_named_in_one_line(call, message):
    with pytest.raises(UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
