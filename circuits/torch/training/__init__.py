"""Training of networks: the loss in windows or at once, learning curves, optimisers, checkpoints that resume."""
