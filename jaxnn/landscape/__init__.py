"""Analyses of a landscape: each is f(loss_fn, point, ...) for any pytree of parameters, one idea a
file.
"""
