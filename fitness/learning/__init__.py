"""Learning: how well a network of copies of a motif learns from data, for `fitness.judges.learning`.

settings   the [task] section of a spec               data       labelled trials: built-in data sets, a file, the user's own
streams    data sets over time: flip-flop, match, ... network    copies of a motif, a projection, and a readout
training   gradient descent that can pause             curve      record of a training, and its score
"""
