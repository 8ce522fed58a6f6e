"""A DEAP script over the torch step loop of torch_loop.py: one circuit after the other, in two processes, no delays."""

from multiprocessing import Pool

from deap_search import Shape, individual_of, search, toolbox
from direction import objectives
from protocol import serve
from torch_loop import simulator

GENERATIONS = 5


def prepare(job, workers="2", *population):
    import torch

    global setting
    torch.set_num_threads(1)
    setting = job, Shape(int(job.channels), int(job.neurons)), simulator(job)
    box = toolbox(job, evaluate)
    box.register("map", Pool(int(workers)).map)
    run, circuits = search(box, GENERATIONS, *map(int, population))
    raster = simulated(individual_of(job))
    about = {"result": raster.sum((0, 1)).numpy(), "objectives": evaluate(individual_of(job)), "circuits": circuits}
    return run, about | {"version": torch.__version__, "leaves_out": ["delays"]}


def evaluate(individual):
    job = setting[0]
    return objectives(simulated(individual)[:, :, job.readout].T.numpy() > 0, job)


def simulated(individual):
    import torch

    job, shape, simulate = setting
    weights, tau_m, _ = shape.parts(individual)
    into, between = (torch.tensor(w, dtype=torch.float32) for w in (weights[: shape.channels], weights[shape.channels :]))
    first_i = int(job.excitatory.sum())
    with torch.inference_mode():
        return simulate(into, between[:first_i], -between[first_i:], tau_m[0])


if __name__ == "__main__":
    serve(prepare)
