"""The connectome of the C. elegans hermaphrodite with signs, as an edge list for `evo motifs --against`.

    pip download --no-deps cect
    python runs/celegans.py cect-*.whl celegans.csv

The wheel of cect (MIT licence) holds chemical synapses by transmitter (Wang et al., eLife 13, 2024), which are read from there.
A neuron that releases GABA counts as inhibitory, one that releases acetylcholine or glutamate as excitatory. That is a
simplification: glutamate inhibits where it meets glutamate-gated chloride channels. Neurons of which both are true are left
out, as are cells that project to nobody (muscles).
"""

import csv
import json
import sys
import zipfile

TABLE = "cect/cache/Wang2024HermReader.json"
SIGNS = {"GABA": "I", "Acetylcholine": "E", "Glutamate": "E"}


def main(wheel, out):
    with zipfile.ZipFile(wheel) as file:
        table = json.loads(file.read(TABLE))
    names = table["nodes"]
    edges, signs = set(), {name: set() for name in names}
    for transmitter, sign in SIGNS.items():
        for source, row in zip(names, table["connections"][transmitter], strict=True):
            targets = [target for target, weight in zip(names, row, strict=True) if weight > 0 and target != source]
            edges |= {(source, target) for target in targets}
            signs[source] |= {sign} if targets else set()
    signed = {name: next(iter(own)) for name, own in signs.items() if len(own) == 1}
    rows = sorted((a, b, signed[a]) for a, b in edges if a in signed and b in signed)
    with open(out, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("source", "target", "sign"), *rows])
    inhibitory = sum(sign == "I" for sign in signed.values())
    left = sum(len(own) > 1 for own in signs.values())
    print(
        f"{out}: {len(signed)} neurons, {inhibitory} of them inhibitory, {len(rows)} connections; {left} of both signs left out"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
