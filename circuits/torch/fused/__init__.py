"""The forward and the backward pass through time as compiled kernels, faster than autograd step by step."""
