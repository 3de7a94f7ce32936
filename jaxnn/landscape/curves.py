"""Curves through control points, and the descent of their mean loss. `paths.curve` gives them
two ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxnn.descent import ready
from jaxnn.vocabulary import Landscape

Shares = Callable[[Array, int], Array]  # (ts, degree) -> (len(ts), degree + 1)


def _bernstein(ts: Array, degree: int) -> Array:
    """C(n, i) t^i (1 - t)^(n - i) for each t and i = 0 ... n: (len(ts), n + 1)."""
    i = jnp.arange(degree + 1)
    counts = jnp.array([math.comb(degree, k) for k in range(degree + 1)], ts.dtype)
    t = ts[:, None]
    return counts[None, :] * t ** i[None, :] * (1 - t) ** (degree - i)[None, :]


def _hats(ts: Array, degree: int) -> Array:
    """max(0, 1 - |n t - i|) for each t and i = 0 ... n: (len(ts), n + 1)."""
    return jnp.maximum(0.0, 1 - jnp.abs(degree * ts[:, None] - jnp.arange(degree + 1)[None, :]))


KINDS: dict[str, Shares] = {"bezier": _bernstein, "chain": _hats}


def mixed(shares: Array, stacked: Any) -> Any:
    """sum_i share_i point_i for each row of shares (rows, points): a stacked tree."""
    return jax.tree.map(
        lambda leaf: jnp.tensordot(shares.astype(leaf.dtype), leaf, 1, precision="highest"), stacked
    )


def train_bends(
    loss_fn: Landscape,
    ends: Any,
    inner: Any,
    key: Array,
    *,
    shares: Shares,
    rule: optax.GradientTransformation,
    steps: int,
    draws: int,
) -> tuple[Any, Array]:
    """All control points, after descending E(phi(t)) at uniform t on the inner ones, and its
    estimates (steps,).

    ends: a stacked tree of 2 points; inner: of the others. Each step draws `draws` new t and spends
    as many gradients.
    """
    rule = ready(rule)
    first = jax.tree.leaves(inner)[0]

    def whole(inner: Any) -> Any:
        return jax.tree.map(lambda e, w: jnp.concatenate([e[:1], w, e[1:]]), ends, inner)

    def mean_loss(inner: Any, ts: Array) -> Array:
        return jnp.mean(jax.vmap(loss_fn)(mixed(shares(ts, len(first) + 1), whole(inner))))

    def step(carry: tuple, ts: Array) -> tuple[tuple, Array]:
        inner, memory = carry
        value, slope = jax.value_and_grad(mean_loss)(inner, ts)
        updates, memory = rule.update(
            slope, memory, inner, value=value, grad=slope, value_fn=lambda w: mean_loss(w, ts)
        )
        return (optax.apply_updates(inner, updates), memory), value

    drawn = jax.random.uniform(key, (steps, draws), first.dtype)
    (inner, _), expected = jax.lax.scan(step, (inner, rule.init(inner)), drawn)
    return whole(inner), expected
