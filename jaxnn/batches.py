"""Batches: trees of arrays with a leading cases axis, all cut alike."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxnn.vocabulary import Batch


def cases_of(batch: Any) -> int:
    """How many cases a batch has: any pytree of arrays whose leading axis is that of cases.

    Raises:
        ValueError: no arrays, no cases, or not one number of them everywhere.
    """
    shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(batch)]
    counts = {shape[0] if shape else None for shape in shapes}
    if len(counts) != 1 or counts & {None, 0}:
        raise ValueError(
            f"the batch's arrays have shapes {', '.join(map(str, shapes)) or 'of none'}: wanted "
            "one number of cases, at least 1, along the first axis of each"
        )
    return shapes[0][0]


def as_batch(batch: Any) -> Any:
    """The batch with arrays as leaves; a plain pair is (inputs, targets), a `Batch`."""
    batch = jax.tree.map(jnp.asarray, batch)
    return Batch(*batch) if type(batch) in (list, tuple) and len(batch) == 2 else batch


def chosen(batch: Any, which: Any) -> Any:
    """These cases of the batch, of all its arrays alike."""
    return jax.tree.map(lambda leaf: leaf[which], batch)
