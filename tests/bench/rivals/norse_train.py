"""Norse's LIFRecurrent, trained through time. Its weights start four times as large as it draws them, or nothing would fire."""

from protocol import serve
from training import prepare_with


def layer(job):
    import torch
    from norse.torch import LIFRecurrent

    cell = LIFRecurrent(int(job.channels), int(job.neurons), autapses=True)
    with torch.no_grad():
        for weight in cell.parameters():
            weight *= 4
    return cell, lambda x: cell(x)[0]


def version():
    import norse

    return norse.__version__


if __name__ == "__main__":
    serve(prepare_with(layer, version))
