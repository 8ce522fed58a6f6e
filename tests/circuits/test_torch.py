"""A motif as a module: the simulator's spikes, Dale's law whatever the optimiser, weights that learn."""

import copy

import numpy as np
import pytest

import circuits
from circuits.errors import UserError

torch = pytest.importorskip("torch")

from circuits.torch import MotifCell, MotifLayer, MotifNetwork  # noqa: E402
from circuits.torch.dale import PARAMETRISATIONS  # noqa: E402

PARITY_CIRCUITS = 80


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def random_circuit(rng, neurons=None, channels=None):
    """A circuit with multapses, autapses, weights of 0, tau_m == tau_syn, biases, and delays of 1 to 20 steps."""
    n = int(rng.integers(1, 25)) if neurons is None else neurons
    channels = int(rng.integers(0, 5)) if channels is None else channels
    dt = float(rng.choice([0.05, 0.1, 0.25, 0.5, 1.0]))

    def wire(count, **ends):
        found = []
        for _ in range(count):
            weight = float(rng.choice([0.0, rng.uniform(0, 30)], p=[0.1, 0.9]))
            wired = {name: end() for name, end in ends.items()}
            found.append({**wired, "weight_mv": weight, "delay_ms": int(rng.integers(1, 21)) * dt})
        return found

    def any_neuron():
        return f"n{rng.integers(n)}"

    cells = []
    for k in range(n):
        tau_m = float(rng.uniform(1, 30))
        tau_e, tau_i = (tau_m if rng.random() < 0.3 else float(rng.uniform(0.3, 15)) for _ in range(2))
        rest = float(rng.uniform(-75, -65))
        cells.append(
            {
                "id": f"n{k}",
                "sign": "E" if k == 0 or rng.random() < 0.7 else "I",
                "tau_m_ms": tau_m,
                "tau_syn_e_ms": tau_e,
                "tau_syn_i_ms": tau_i,
                "v_rest_mv": rest,
                "v_th_mv": rest + float(rng.uniform(3, 20)),
                "v_reset_mv": rest - float(rng.uniform(0, 10)),
                "t_ref_ms": int(rng.integers(0, 11)) * dt,
                "bias_mv": float(rng.choice([0.0, rng.uniform(-5, 25)])),
            }
        )
    excitatory = [cell["id"] for cell in cells if cell["sign"] == "E"]
    return circuits.Circuit(
        dt_ms=dt,
        neurons=cells,
        inputs=[{"name": f"in{c}", "synapses": wire(2 * n, post=any_neuron)} for c in range(channels)],
        synapses=wire(int(rng.integers(0, 5 * n)), pre=any_neuron, post=any_neuron),
        outputs=[{"name": "first", "neurons": excitatory[:1]}, {"name": "all", "neurons": excitatory[::-1]}],
    )


def small_motif(weights=(8.0, 6.0, 5.0, 7.0), **provenance):
    """Two E neurons and an I neuron on two channels, dt 1 ms."""
    to_e, to_i, e_to_i, i_to_e = weights
    circuit = circuits.Circuit(
        dt_ms=1.0,
        neurons=[{"id": "a", "sign": "E"}, {"id": "b", "sign": "E"}, {"id": "i", "sign": "I"}],
        inputs=[
            {"name": "left", "synapses": [{"post": "a", "weight_mv": to_e, "delay_ms": 1.0}]},
            {
                "name": "right",
                "synapses": [
                    {"post": "b", "weight_mv": to_e, "delay_ms": 3.0},
                    {"post": "i", "weight_mv": to_i, "delay_ms": 1.0},
                ],
            },
        ],
        synapses=[
            {"pre": "a", "post": "i", "weight_mv": e_to_i, "delay_ms": 2.0},
            {"pre": "i", "post": "b", "weight_mv": i_to_e, "delay_ms": 1.0},
            {"pre": "a", "post": "b", "weight_mv": e_to_i, "delay_ms": 1.0},
        ],
        outputs=[{"name": "a", "neurons": ["a"]}, {"name": "b", "neurons": ["b"]}],
    )
    return circuits.Motif.of(circuit, **provenance)


def spikes(*shape, rate=0.2, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random(shape) < rate)


def weights(cell):
    return [kind.weight.detach() for kind in (cell.input, cell.excitatory, cell.inhibitory)]


def free_parameters(cell):
    return [kind.free for kind in (cell.input, cell.excitatory, cell.inhibitory)]


@pytest.mark.parametrize("seed", range(PARITY_CIRCUITS))
def test_in_float64_the_spikes_are_those_of_the_simulator(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng)
    trials = rng.random((8, 120, len(circuit.inputs))) < rng.uniform(0.02, 0.3)
    expected = circuits.simulate(circuit, trials, dtype="float64")
    cell = MotifCell(circuit, dtype=torch.float64, batch_first=True).eval()
    with torch.no_grad():
        everything, _ = cell.run(torch.from_numpy(trials))
        out, _ = cell(torch.from_numpy(trials))
    assert np.array_equal(everything.numpy() == 1, expected.spikes())
    assert np.array_equal(out.numpy() == 1, expected.outputs.spikes())
    assert everything.unique().tolist() in ([], [0.0], [1.0], [0.0, 1.0])


def test_the_parity_circuits_do_spike():
    counts = []
    for seed in range(PARITY_CIRCUITS):
        rng = np.random.default_rng(seed)
        circuit = random_circuit(rng)
        trials = rng.random((8, 120, len(circuit.inputs))) < rng.uniform(0.02, 0.3)
        counts.append(circuits.simulate(circuit, trials).counts().sum())
    assert np.median(counts) > 200


def test_a_neuron_driven_exactly_to_threshold_by_its_bias_does_as_in_the_simulator():
    neurons = [{"id": k, "sign": "E", "tau_m_ms": tau, "bias_mv": 15.0} for k, tau in enumerate((0.5, 1.0, 2.0, 3.0, 7.0))]
    circuit = circuits.Circuit(dt_ms=1.0, neurons=neurons, outputs=[{"name": "out", "neurons": list(range(5))}])
    silence = np.zeros((1, 600, 0), bool)
    out, _ = MotifCell(circuit, dtype=torch.float64, batch_first=True)(torch.from_numpy(silence))
    expected = circuits.simulate(circuit, silence).spikes()
    assert expected.any()
    assert np.array_equal(out.detach().numpy() == 1, expected)


@pytest.mark.parametrize("seed", range(5))
def test_step_by_step_is_the_same_as_a_sequence_cut_anywhere(seed):
    rng = np.random.default_rng(seed)
    cell = MotifCell(random_circuit(rng, neurons=10, channels=3), dtype=torch.float64)
    x = spikes(60, 4, 3)
    whole, last = cell(x)
    state, one_by_one = None, []
    for row in x:
        out, state = cell(row, state)
        one_by_one.append(out)
    assert torch.equal(torch.stack(one_by_one), whole)
    first, state = cell(x[:23])
    second, state = cell(x[23:], state.detach())
    assert torch.equal(torch.cat([first, second]), whole)
    for mine, theirs in zip(state, last, strict=True):
        assert torch.allclose(mine.double(), theirs.double(), atol=1e-9)


def test_an_empty_sequence_changes_nothing():
    cell = MotifCell(small_motif())
    _, state = cell(spikes(10, 2, 2))
    out, after = cell(spikes(0, 2, 2), state)
    assert out.shape == (0, 2, 2)
    assert all(torch.equal(a, b) for a, b in zip(state, after, strict=True))


def test_real_valued_input_is_delayed_and_scaled_like_spikes():
    cell = MotifCell(small_motif(), dtype=torch.float64)
    x = torch.zeros(6, 1, 2, dtype=torch.float64)
    x[0, 0] = torch.tensor([0.5, 0.25])
    _, after_two = cell(x[:2])
    assert after_two.i_e[0].tolist() == [4.0, 0.0, 1.5]  # stamped in row 0 with a delay of 1: there at the end of row 1
    _, after_four = cell(x[:4])
    assert after_four.i_e[0, 1] == 2.0


def test_propagators_are_rounded_once_whatever_the_conversions():
    motif = small_motif()
    through_half = MotifCell(motif, dtype=torch.float64).float().double()
    assert torch.equal(through_half.lif.table, MotifCell(motif, dtype=torch.float64).lif.table)


def test_ports_name_the_columns_of_the_output():
    cell = MotifCell(random_circuit(np.random.default_rng(3), neurons=6, channels=1))
    out, _ = cell(spikes(50, 2, 1))
    assert list(cell.ports) == ["first", "all"]
    assert torch.equal(out[..., cell.ports["first"]], out[..., cell.ports["all"]][..., -1:])


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_the_weights_to_begin_with_are_those_of_the_motif(parametrisation):
    motif = small_motif(weights=(8.123456789, 1e-3, 45.0, 700.0))
    found = torch.cat(weights(MotifCell(motif, parametrisation=parametrisation, dtype=torch.float64)))
    wanted = [s.weight_mv for c in motif.inputs for s in c.synapses] + [motif.synapses[k].weight_mv for k in (0, 2, 1)]
    if parametrisation == "abs":
        assert found.tolist() == wanted
    assert found.tolist() == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
def test_dales_law_holds_under_any_optimiser(parametrisation, optimiser):
    motif = random_circuit(np.random.default_rng(1), neurons=8, channels=2)
    cell = MotifCell(motif, parametrisation=parametrisation)
    make = {
        "sgd": lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=1.0, weight_decay=0.5),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.5, weight_decay=0.5),
    }[optimiser]
    optimizer = make(cell.parameters())
    x = spikes(20, 4, 2)
    before = torch.cat(weights(cell))
    for step in range(20):
        optimizer.zero_grad()
        out, _ = cell.run(x)
        (out.sum() if step % 2 else -out.square().sum()).backward()
        torch.nn.utils.clip_grad_norm_(cell.parameters(), 5.0)
        optimizer.step()
    into, excites, inhibits = weights(cell)
    assert not torch.equal(torch.cat([into, excites, inhibits]), before)
    for weight in (into, excites, inhibits):
        assert torch.isfinite(weight).all()
        assert (weight >= 0).all()
    assert (cell.input.matrix() >= 0).all()
    assert (cell.excitatory.matrix() >= 0).all()
    assert (cell.inhibitory.matrix() <= 0).all()
    back = cell.to_motif()
    assert [(s.pre, s.post, s.delay_ms) for s in back.synapses] == [(s.pre, s.post, s.delay_ms) for s in motif.synapses]


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
@pytest.mark.parametrize("free", [0.0, 1e-12, -1e-12, -40.0, -1e4])
def test_no_weight_freezes(parametrisation, free):
    cell = MotifCell(small_motif(), parametrisation=parametrisation)
    with torch.no_grad():
        cell.excitatory.free.fill_(free)
    (-cell.excitatory.weight.sum()).backward()
    assert (cell.excitatory.free.grad.abs() >= 0.01).all()


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_weights_of_zero_learn(parametrisation):
    cell = MotifCell(small_motif(weights=(0.0, 0.0, 0.0, 0.0)), parametrisation=parametrisation)
    assert torch.cat(weights(cell)).max() <= 1.001e-6
    optimizer = torch.optim.Adam([cell.input.free], lr=1.0)
    for _ in range(30):
        optimizer.zero_grad()
        out, _ = cell.run(spikes(20, 4, 2))
        (-out.sum()).backward()
        assert (cell.input.free.grad != 0).all()
        optimizer.step()
    assert (cell.input.weight > 1).all()


def test_a_weight_pushed_through_zero_comes_back():
    cell = MotifCell(small_motif())
    optimizer = torch.optim.SGD(cell.parameters(), lr=6.0)
    for _ in range(3):
        optimizer.zero_grad()
        cell.excitatory.weight.sum().backward()
        optimizer.step()
    assert cell.excitatory.free.tolist() == [-1.0, -1.0] or (cell.excitatory.weight > 0).all()
    optimizer.zero_grad()
    (-cell.excitatory.weight.sum()).backward()
    before = cell.excitatory.weight.detach()
    optimizer.step()
    assert (cell.excitatory.weight > before).all()


@pytest.mark.parametrize("surrogate", ["fast_sigmoid", "arctan"])
def test_the_surrogate_is_a_bump_at_threshold_and_the_spike_is_exact(surrogate):
    from circuits.torch.surrogate import SURROGATES, Spike

    v = torch.tensor([-20.0, -0.5, 0.0, 0.5, 20.0], dtype=torch.float64, requires_grad=True)
    held, threshold = torch.zeros(5, dtype=torch.bool), torch.zeros((), dtype=torch.float64)
    fired = Spike.apply(v, threshold, held, SURROGATES[surrogate].tensor, 2.0)
    assert fired.tolist() == [0, 0, 1, 1, 1]
    fired.sum().backward()
    wanted = (1 + 2 * v.detach().abs()) ** -2 if surrogate == "fast_sigmoid" else 1 / (1 + (np.pi * v.detach()) ** 2)
    assert torch.allclose(v.grad, wanted)


def test_gradients_of_the_subthreshold_dynamics_are_those_of_finite_differences():
    cell = MotifCell(small_motif(weights=(1.0, 1.5, 0.0, 0.0)), dtype=torch.float64, trainable=("weights", "bias"))
    x = torch.rand(25, 2, 2, dtype=torch.float64, requires_grad=True)

    def potential(x, *parameters):
        names = ["input.free", "lif.bias_mv"]
        _, state = torch.func.functional_call(cell, dict(zip(names, parameters, strict=True)), (x,))
        return state.v

    assert cell(x)[0].sum() == 0
    assert torch.autograd.gradcheck(potential, (x, cell.input.free, cell.lif.bias_mv))


def test_inhibitory_weights_get_gradients_of_the_right_sign():
    cell = MotifCell(small_motif(weights=(30.0, 90.0, 5.0, 2.0)))
    out, _ = cell(spikes(40, 8, 2, rate=0.5))
    out[..., cell.ports["b"]].sum().backward()
    assert (cell.inhibitory.free.grad < 0).all()
    assert (cell.input.free.grad[1] > 0).all()


def test_a_cell_learns_a_spike_count():
    cell = MotifCell(small_motif(), trainable=("weights", "bias"))
    optimizer = torch.optim.Adam(cell.parameters(), lr=1.0)
    x, losses = spikes(50, 16, 2), []
    for _ in range(40):
        optimizer.zero_grad()
        out, _ = cell(x)
        loss = (out.sum(0).mean(0) - torch.tensor([6.0, 3.0])).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]


@pytest.mark.parametrize("share", [True, False])
def test_a_network_of_motifs_learns_to_classify(share):
    motif = small_motif(weights=(20.0, 20.0, 10.0, 10.0))
    layers = [MotifLayer(motif, 4, 6, share=share), MotifLayer(motif, 3, 8, share=share)]
    network = MotifNetwork(layers, classes=2, batch_first=True)
    label = torch.arange(32) % 2
    x = spikes(32, 40, 6, rate=0.1).float()
    x[label == 0, :, :3] += spikes(16, 40, 3, rate=0.3, seed=1)
    x[label == 1, :, 3:] += spikes(16, 40, 3, rate=0.3, seed=2)
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=0.02), []
    for _ in range(40):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    grads = [parameter.grad for parameter in network.layers[0].parameters() if parameter.requires_grad]
    assert all((grad != 0).any() for grad in grads)


def test_copies_with_their_own_weights_behave_as_shared_ones_while_the_weights_are_equal():
    motif = random_circuit(np.random.default_rng(5), neurons=6, channels=2)
    shared = MotifLayer(motif, copies=3, in_features=4, dtype=torch.float64)
    own = MotifLayer(motif, copies=3, in_features=4, share=False, batch_first=True, dtype=torch.float64)
    own.projection.data.copy_(shared.projection.data)
    assert own.cell.excitatory.free.shape == (3, *shared.cell.excitatory.free.shape)
    x = spikes(50, 5, 4)
    out, state = shared(x)
    other, _ = own(x.transpose(0, 1))
    assert out.shape == (50, 5, shared.out_features)
    assert out.any()
    assert torch.equal(other.transpose(0, 1), out)
    step, _ = shared(x[0], state)
    assert step.shape == (5, shared.out_features)
    with torch.no_grad():
        own.cell.input.free[1] = 0
    changed, _ = own(x.transpose(0, 1))
    slots = own.out_features // 3
    assert torch.equal(changed[..., :slots], other[..., :slots])
    assert not torch.equal(changed[..., slots : 2 * slots], other[..., slots : 2 * slots])
    assert [s.weight_mv for c in own.cell.to_motif(1).inputs for s in c.synapses] == [0.0] * (2 * 2 * 6)


def test_a_projection_never_inhibits():
    layer = MotifLayer(small_motif(), copies=2, in_features=3)
    with torch.no_grad():
        layer.projection.mul_(-1)
    _, state = layer(torch.ones(5, 1, 3))
    assert (state.inputs >= 0).all()


def test_a_trained_cell_goes_back_to_the_simulator():
    motif = small_motif(run="r", seed=3)
    cell = MotifCell(motif, dtype=torch.float64, trainable=("weights", "bias"))
    assert cell.to_motif() == motif
    with torch.no_grad():
        for free in free_parameters(cell):
            free.mul_(-1.7)
        cell.lif.bias_mv.add_(3.0)
    trained = cell.to_motif()
    assert trained.provenance == motif.provenance
    assert trained.inputs[0].synapses[0].weight_mv == 8.0 * 1.7
    assert trained.neurons[0].bias_mv == 3.0
    x = spikes(16, 200, 2)
    out, _ = cell(x.transpose(0, 1))
    assert out.any()
    assert np.array_equal(out.transpose(0, 1).detach().numpy() == 1, circuits.simulate(trained, x.numpy()).outputs.spikes())


def test_what_no_motif_may_hold_does_not_become_one():
    cell = MotifCell(small_motif())
    with torch.no_grad():
        cell.excitatory.free[0] = float("nan")
    with pytest.raises(UserError, match=r"^the trained cell is no motif: .*weight_mv"):
        cell.to_motif()


def test_copies_and_state_dicts_are_the_same_cell():
    motif = small_motif(weights=(40.0, 30.0, 10.0, 5.0))
    cell = MotifCell(motif, parametrisation="softplus", trainable=("weights", "bias"))
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.rand_like(parameter))
    twin, fresh = copy.deepcopy(cell), MotifCell(motif, parametrisation="softplus")
    fresh.load_state_dict(cell.state_dict())
    x = spikes(60, 4, 2, rate=0.5)
    out, _ = cell(x)
    assert out.any()
    assert torch.equal(twin(x)[0], out)
    assert torch.equal(fresh(x)[0], out)
    assert fresh.to_motif() == cell.to_motif()
    with torch.no_grad():
        twin.excitatory.free.zero_()
    assert torch.equal(cell(x)[0], out)


def test_what_is_not_trainable_keeps_still():
    assert not any(p.requires_grad for p in MotifCell(small_motif(), trainable=()).parameters())
    cell = MotifCell(small_motif())
    assert not cell.lif.bias_mv.requires_grad
    assert all(free.requires_grad for free in free_parameters(cell))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MotifCell("motif.json"), "motif: a Motif or a Circuit"),
        (
            lambda: MotifCell(small_motif(), parametrisation="relu"),
            "parametrisation: one of abs, softplus, exp, clamp, not 'relu'",
        ),
        (lambda: MotifCell(small_motif(), surrogate="step"), "surrogate: one of fast_sigmoid, superspike, arctan"),
        (lambda: MotifCell(small_motif(), slope=0), "slope: a number above 0"),
        (lambda: MotifCell(small_motif(), trainable="weights"), "trainable: a tuple"),
        (lambda: MotifCell(small_motif(), trainable=("signs",)), "trainable: a tuple of weights, bias"),
        (lambda: MotifCell(small_motif(), dtype=torch.float16), "dtype: torch.float32 or torch.float64"),
        (lambda: MotifCell(small_motif())(torch.zeros(5, 3, 4)), r"x: must be \[batch, 2 channels\].*not a tensor \[5, 3, 4\]"),
        (lambda: MotifCell(small_motif())(torch.zeros(2)), r"x: must be \[batch, 2 channels\]"),
        (lambda: MotifCell(small_motif())(np.zeros((5, 2))), "not a ndarray"),
        (lambda: MotifCell(small_motif())(torch.zeros(3, 2), MotifCell(small_motif()).init_state(4)), "state: of a batch of"),
        (lambda: MotifCell(small_motif(), copies=2)(torch.zeros(3, 5, 2)), "x: must be .2 copies, batch, 2 channels"),
        (lambda: MotifLayer(small_motif(), 0, 4), "copies: a whole number above 0"),
        (lambda: MotifLayer(small_motif(), 2, 4)(torch.zeros(3, 5)), "x: must be .batch, 4."),
        (lambda: MotifNetwork([], 2), "layers: at least one MotifLayer"),
        (lambda: MotifNetwork([MotifLayer(small_motif(), 2, 4), MotifLayer(small_motif(), 2, 5)], 2), r"layers\[1\]: takes 5"),
        (lambda: MotifNetwork([MotifLayer(small_motif(), 2, 4)], 2)(torch.zeros(3, 4)), "x: must be a sequence"),
    ],
)
def test_mistakes_are_named_in_one_line(call, message):
    with pytest.raises(UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
