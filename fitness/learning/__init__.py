"""Learning: how well a network of copies of a motif learns from data, for `fitness.judges.learning`.

settings   what [task] of a spec may say              data       labelled trials: data sets that ship, a file, the user's own
streams    data sets over time: flip-flop, match, ... network    copies of a motif, what they hear, and how they are read
training   gradient descent that can stop and go on   curve      what is known of a training, and its score
"""
