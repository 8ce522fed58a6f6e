"""The fused backward pass is the gradient that autograd finds for the plain one; both are that of the equations."""

from itertools import product

import numpy as np
import pytest
import torch

from circuits.errors import UserError
from circuits.neurons.alif_psc_exp import P21_W, P_THETA, P_W, THETA_JUMP, W_JUMP
from circuits.neurons.lif_psc_exp import P21_E
from circuits.numerics.compiled import jit
from circuits.numerics.simd import LANES, aligned, load_unaligned, store
from circuits.torch import MotifCell
from circuits.torch.surrogate import SURROGATES, Spike, surrogate_derivative
from tests.circuits.torch.motifs import of_model, random_circuit, small_motif, spikes
from tests.products import few_of, some_of

EVERYTHING = ("weights", "bias", "time_constants", "thresholds", "delays")
COPIES = [(None, False), (3, False), (3, True)]  # and do they share their weights?
TOLERANCES = {"float64": 1e-10, "float32": 1e-4}
CREDITS = {
    "dampening": {"dampening": 0.3},
    "clip": {"clip": 0.05},
    "local": {"credit": "local"},
    "dampening and clip": {"dampening": 0.5, "clip": 0.2},
}
SOME = [
    *product(CREDITS, ["lif_psc_exp"], ["float64"]),
    ("dampening and clip", "lif_psc_exp", "float32"),
    ("dampening and clip", "alif_psc_exp", "float64"),
]
FEW = [  # that of every surrogate by itself is below
    *product(["fast_sigmoid"], COPIES, [("bias",), EVERYTHING], TOLERANCES),
    ("fast_sigmoid", COPIES[0], ("weights",), "float64"),
]


def disturbed(cell):
    """The cell with all its parameters a little off the motif's, so that nothing is equal by chance."""
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter) * (1 + parameter.abs()))
    return cell


def gradients(cell, first, second, of_spikes, adaptation=0.0):
    """Gradients of a loss of all spikes in two sequences, one after the other, and of the state at the end."""
    cell.zero_grad()
    first, second = first.clone().requires_grad_(), second.clone().requires_grad_()
    early, state = cell.run(first)
    late, state = cell.run(second, state)
    assert early.any()
    loss = (early * of_spikes).sum() + (late.square() * of_spikes).sum() + state.v.sum() + 2 * state.i_e.sum()
    loss = loss - state.i_i.sum() + 3 * state.spikes.sum() + 0.3 * state.inputs.sum()
    if adaptation:
        loss = loss + adaptation * (state.further[0].sum() - 2 * state.further[1].square().sum())
    loss.backward()
    found = [first.grad, second.grad, *(p.grad for p in cell.parameters() if p.requires_grad and p.numel())]
    return [torch.zeros(1) if grad is None else grad for grad in found]


def apart(found, wanted):
    """The largest difference, beside the largest value."""
    return ((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-12)).item() if wanted.numel() else 0.0


@pytest.mark.parametrize(
    ("surrogate", "copies", "trainable", "real"),
    few_of(SURROGATES, COPIES, [("weights",), ("bias",), EVERYTHING], TOLERANCES, few=FEW),
)
def test_the_fused_gradients_are_those_of_the_plain_code(surrogate, copies, trainable, real):
    copies, share = copies
    rng = np.random.default_rng([*surrogate.encode(), copies or 0, share, len(trainable)])
    circuit = random_circuit(rng, neurons=int(rng.integers(2, 12)), channels=int(rng.integers(1, 4)), longest=9)
    dtype, tolerance = getattr(torch, real), TOLERANCES[real]
    options = {"dtype": dtype, "surrogate": surrogate, "trainable": trainable, "copies": copies, "share": share}
    eager = disturbed(MotifCell(circuit, engine="eager", slope=0.7, **options))
    fused = MotifCell(circuit, engine="fused", slope=0.7, **options)
    fused.load_state_dict(eager.state_dict())
    shape = (35, 5) if copies is None else (35, copies, 5)
    shape, drive = (*shape, fused.channels), 2 / circuit.dt_ms
    first, second = (drive * torch.rand(*shape, dtype=dtype) * spikes(*shape, seed=seed) for seed in (1, 2))
    of_spikes = torch.randn(*shape[:-1], fused.neurons, dtype=dtype)
    wanted, found = (gradients(cell, first, second, of_spikes) for cell in (eager, fused))
    assert max(apart(b, a) for a, b in zip(wanted, found, strict=True)) < tolerance


@pytest.mark.parametrize("copies", COPIES)
@pytest.mark.parametrize("trainable", [("weights",), EVERYTHING])
@pytest.mark.parametrize("real", some_of(TOLERANCES, few=["float64"]))
def test_the_fused_gradients_of_adaptive_neurons_are_those_of_the_plain_code(copies, trainable, real):
    copies, share = copies
    rng = np.random.default_rng([copies or 0, share, len(trainable)])
    circuit = of_model(random_circuit(rng, neurons=7, channels=2, longest=9), "alif_psc_exp", rng)
    dtype = getattr(torch, real)
    options = {"dtype": dtype, "trainable": trainable, "copies": copies, "share": share, "slope": 0.7}
    eager, fused = adaptive = [MotifCell(circuit, engine=engine, **options) for engine in ("eager", "fused")]
    fused.load_state_dict(disturbed(eager).state_dict())
    shape = (60, 5, 2) if copies is None else (60, copies, 5, 2)
    first, second = (2 / circuit.dt_ms * torch.rand(*shape, dtype=dtype) * spikes(*shape, seed=seed) for seed in (1, 2))
    of_spikes = torch.randn(*shape[:-1], 7, dtype=dtype)
    wanted, found = (gradients(cell, first, second, of_spikes, adaptation=0.7) for cell in adaptive)
    assert max(apart(b, a) for a, b in zip(wanted, found, strict=True)) < TOLERANCES[real]


def test_adaptation_takes_part_in_every_gradient_of_the_fused_kernels():
    rng = np.random.default_rng(3)
    circuit = of_model(random_circuit(rng, neurons=7, channels=2, longest=9), "alif_psc_exp", rng)
    table = MotifCell(circuit, engine="fused", dtype=torch.float64, trainable=EVERYTHING)
    constants = table.lif.constants().detach().requires_grad_()
    table.lif.constants = lambda: constants
    table.run(spikes(80, 5, 2).double())[0].sum().backward()
    assert all(constants.grad[:, column].any() for column in (P21_W, P_W, P_THETA, W_JUMP, THETA_JUMP))


@pytest.mark.parametrize(("credit", "model", "real"), few_of(CREDITS, ["lif_psc_exp", "alif_psc_exp"], TOLERANCES, few=SOME))
def test_the_fused_gradients_are_those_of_the_plain_code_however_they_are_passed_back(credit, real, model):
    credit, rng = CREDITS[credit], np.random.default_rng(7)
    circuit = of_model(random_circuit(rng, neurons=6, channels=2, longest=9), model, rng)
    dtype = getattr(torch, real)
    options = {"dtype": dtype, "trainable": EVERYTHING, "copies": 3, "slope": 0.7}
    eager, free = (disturbed(MotifCell(circuit, engine="eager", **options, **given)) for given in (credit, {}))
    fused = MotifCell(circuit, engine="fused", **options, **credit)
    for cell in (free, fused):
        cell.load_state_dict(eager.state_dict())
    first, second = (2 / circuit.dt_ms * torch.rand(60, 3, 5, 2, dtype=dtype) * spikes(60, 3, 5, 2, seed=s) for s in (1, 2))
    of_spikes = torch.randn(60, 3, 5, 6, dtype=dtype)
    wanted, found, without = (gradients(cell, first, second, of_spikes) for cell in (eager, fused, free))
    assert max(apart(b, a) for a, b in zip(wanted, found, strict=True)) < TOLERANCES[real]
    assert apart(without[0], wanted[0]) > 1e-3


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_bounds_follow_the_loss_and_what_they_do_not_reach_keeps_every_bit(engine):
    circuit = random_circuit(np.random.default_rng(7), neurons=6, channels=2, longest=9)
    x, weight = spikes(40, 70, 2).double(), torch.randn(40, 70, 6, dtype=torch.float64)
    found = {}
    for clip, factor in ((None, 1), (1e9, 1), (0.01, 1), (0.01, 4)):
        cell = MotifCell(circuit, clip=clip, dtype=torch.float64, engine=engine)
        (cell.run(x)[0] * factor * weight).sum().backward()
        found[clip, factor] = cell.excitatory.free.grad
    assert torch.equal(found[None, 1], found[1e9, 1])
    assert not torch.equal(found[None, 1], found[0.01, 1])
    assert torch.equal(4 * found[0.01, 1], found[0.01, 4])


def test_a_trials_bounds_do_not_depend_on_the_other_trials():
    cell = MotifCell(small_motif(weights=(50.0, 40.0, 20.0, 9.0)), clip=0.01)
    x, price = spikes(40, 70, 2).float().requires_grad_(), torch.linspace(0.1, 10, 70)[:, None]
    of_x = {}
    for lanes in (slice(None), slice(3, 5)):
        (cell(x[:, lanes])[0] * price[lanes]).sum().backward()
        of_x[lanes.start], x.grad = x.grad[:, 3:5], None
    assert of_x[3].any()
    assert torch.equal(of_x[None], of_x[3])


def test_the_gradients_do_not_depend_on_threads():
    cell = MotifCell(random_circuit(np.random.default_rng(4), neurons=9, channels=2), copies=5, trainable=EVERYTHING)
    x = spikes(50, 5, 130, 2).float()
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        found.append(gradients(cell, x, x.flip(0), torch.ones(50, 1, 1, 1)))
    for mine in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], mine, strict=True))


def test_long_delays_and_long_sequences_are_recomputed_in_parts():
    rng = np.random.default_rng(8)
    circuit = random_circuit(rng, neurons=40, channels=2, longest=60)  # of so many neurons, 32 steps at a time
    x = spikes(150, 3, 2, rate=0.5).double()
    eager, fused = (MotifCell(circuit, dtype=torch.float64, engine=engine) for engine in ("eager", "fused"))
    weight = torch.randn(150, 3, 40, dtype=torch.float64)
    wanted, found = (gradients(cell, x, x, weight) for cell in (eager, fused))
    assert max(apart(b, a) for a, b in zip(wanted, found, strict=True)) < 1e-10


def test_gradients_that_are_the_same_in_every_step_or_spread_in_memory_are_read_rightly():
    fused, eager = (MotifCell(small_motif(weights=(50.0, 40.0, 20.0, 9.0)), engine=e) for e in ("fused", "eager"))
    x = spikes(40, 64, 2)
    for loss in (
        lambda out: out.sum(0).square().sum(),
        lambda out: out.mean((0, 1))[0],
        lambda out: (out.permute(1, 2, 0) @ torch.arange(40.0)).sum(),
        lambda out: out[3:20:2, 5:, 1:].sum(),
    ):
        found = []
        for cell in (fused, eager):
            cell.zero_grad()
            loss(cell(x)[0]).backward()
            found.append(torch.cat([p.grad for p in cell.parameters() if p.grad is not None]))
        assert found[0].abs().max() > 0
        assert torch.allclose(*found, rtol=1e-4)


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_gradients_of_the_subthreshold_dynamics_are_those_of_finite_differences(engine):
    motif = small_motif(weights=(1.0, 1.5, 0.0, 0.0))
    cell = MotifCell(motif, dtype=torch.float64, trainable=("weights", "bias", "time_constants", "delays"), engine=engine)
    with torch.no_grad():
        cell.input.free_delay.add_(0.3)
    names = ["input.free", "input.free_delay", "lif.bias_mv", "lif.log_tau_m", "lif.log_tau_syn_e", "lif.log_tau_syn_i"]
    x = torch.rand(9, 1, 2, dtype=torch.float64, requires_grad=True)

    def potential(x, *parameters):
        _, state = torch.func.functional_call(cell, dict(zip(names, parameters, strict=True)), (x,))
        return state.v

    assert cell(x)[0].sum() == 0
    assert torch.autograd.gradcheck(potential, (x, *(cell.get_parameter(name) for name in names)))


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_a_spikes_gradient_is_the_bump_at_its_potential_and_stops_at_the_reset(engine):
    cell = MotifCell(small_motif(weights=(300.0, 0.0, 0.0, 0.0)), dtype=torch.float64, slope=0.5, engine=engine)
    x = torch.zeros(4, 1, 2, dtype=torch.float64)
    x[0, 0, 0] = 1
    out, _ = cell(x)
    assert out[:, 0, 0].tolist() == [0, 0, 1, 0]  # arrives at the end of step 1, drives V in step 2
    out.sum().backward()
    p21 = cell.lif.table[0, P21_E].item()
    surrogate_derivative = 1 / (1 + 0.5 * abs(300 * p21 - 15)) ** 2
    assert cell.input.free.grad[0].item() == pytest.approx(surrogate_derivative * p21, rel=1e-12)


@pytest.mark.parametrize("name", SURROGATES)
def test_the_surrogate_is_a_bump_at_threshold_and_the_spike_is_exact(name):
    x = torch.tensor([-20.0, -0.5, 0.0, 0.5, 20.0], dtype=torch.float64)
    wanted = {
        "fast_sigmoid": (1 + 2 * x.abs()) ** -2,
        "superspike": (1 + 2 * x.abs()) ** -2,
        "arctan": 1 / (1 + (np.pi * x) ** 2),
        "sigmoid": 2 * torch.exp(-2 * x.abs()) / (1 + torch.exp(-2 * x.abs())) ** 2,
        "gaussian": torch.exp(-2 * x**2),
        "triangle": (1 - 2 * x.abs()).clamp(min=0),
    }[name]
    v, v_th = x.clone().requires_grad_(), torch.zeros(5, dtype=torch.float64, requires_grad=True)
    held = torch.tensor([False, False, False, False, True])
    fired = Spike.apply(v, v_th, held, SURROGATES[name].tensor, 2.0)
    assert fired.tolist() == [0, 0, 1, 1, 0]
    fired.sum().backward()
    assert torch.allclose(v.grad, torch.where(held, 0, wanted))
    assert torch.equal(v_th.grad, -v.grad)


@pytest.mark.parametrize(("real", "tolerance"), [("f8", 1e-14), ("f4", 1e-6)])
@pytest.mark.parametrize("name", SURROGATES)
def test_the_bump_of_the_fused_kernels_is_that_of_the_plain_code(name, real, tolerance):
    kind, tensor = SURROGATES[name]
    x, found = np.linspace(-6, 6, LANES, dtype=real), aligned(LANES, real)
    _bump(kind(x.dtype.type(0.7)), x, found)
    np.testing.assert_allclose(found, tensor(torch.from_numpy(x), 0.7).numpy(), rtol=0, atol=tolerance)


@jit()
def _bump(kind, x, found):
    store(found, 0, surrogate_derivative(kind, load_unaligned(x, 0)))  # x may lie anywhere


def test_what_is_kept_for_the_backward_pass_grows_by_bits():
    cell = MotifCell(random_circuit(np.random.default_rng(1), neurons=24, channels=1))

    def kept(steps):
        found = {}

        def pack(tensor):
            found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        x = spikes(steps, 64, 1).float()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            out, _ = cell(x)
        assert out.requires_grad
        return sum(found.values())

    steps = 640
    input_itself = steps * 64 * 4
    assert (kept(2 * steps) - kept(steps) - input_itself) / (steps * 64 * 24) < 0.4  # bytes; a potential alone has 4


def test_a_backward_pass_may_be_repeated():
    cell = MotifCell(small_motif(weights=(50.0, 40.0, 20.0, 9.0)))
    out, _ = cell(spikes(30, 4, 2))
    loss = out.sum()
    loss.backward(retain_graph=True)
    once = cell.input.free.grad.clone()
    loss.backward()
    assert torch.equal(cell.input.free.grad, 2 * once)


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_a_gradient_that_is_not_finite_is_named_with_the_remedy(engine):
    cell = MotifCell(small_motif(), engine=engine)
    out, _ = cell(spikes(20, 3, 2).float())
    loss = out.sum() * float("nan")
    with pytest.raises(UserError, match=r"^the gradient of the \w+ weights is not finite: .*state.detach") as caught:
        loss.backward()
    assert "\n" not in str(caught.value)
