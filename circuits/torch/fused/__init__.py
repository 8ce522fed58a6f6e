"""The forward and the backward pass through time as kernels of their own, faster than autograd step by step."""
