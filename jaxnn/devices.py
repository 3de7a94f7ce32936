"""Which devices there are, and how members are laid over them. Nothing else knows devices."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def use_all_cores(cores: int | None = None) -> int:
    """Let jax see one CPU device per core (or this many) and give the number; call it before jax starts.

    XLA threads small loops poorly: two one-core devices train small ensembles about twice as fast as
    one two-core device. Accelerators are not touched.

    Raises:
        RuntimeError: jax has already started its backends, so that the number is fixed.
    """
    count = cores or len(os.sched_getaffinity(0))
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError as error:
        raise RuntimeError(
            "jax has already started: call jaxnn.devices.use_all_cores() before the first array is made"
        ) from error
    return count


def spread(function: Callable[..., Any], tile: int) -> Callable[..., Any]:
    """The map of `function` over the leading axis of its argument, over all devices, `tile` at a time.

    Every tile is run at the same vmap width: the last is filled up with copies of the last member, and
    what they give is cut off. So what a member gives does not depend on how many others there are.
    """

    def mapped(members: Any) -> Any:
        count = len(jax.tree.leaves(members)[0])
        devices = jax.local_device_count()
        padding = -count % (tile * devices)
        padded = jax.tree.map(lambda leaf: _fill(leaf, padding), members)
        mesh = jax.make_mesh((devices,), ("members",), axis_types=(jax.sharding.AxisType.Auto,))
        by_device = jax.shard_map(
            lambda share: _tiled(function, share, tile),
            mesh=mesh,
            in_specs=jax.P("members"),
            out_specs=jax.P("members"),
            check_vma=False,
        )
        return jax.tree.map(lambda leaf: leaf[:count], by_device(padded))

    return mapped


def _fill(leaf: Any, padding: int) -> Any:
    return jnp.concatenate([leaf, jnp.repeat(leaf[-1:], padding, axis=0)]) if padding else leaf


def _tiled(function: Callable[..., Any], members: Any, tile: int) -> Any:
    """Tile after tile, each tile's members side by side; at tile 1 without a members axis at all."""
    if tile == 1:
        return jax.lax.map(function, members)
    split = jax.tree.map(lambda leaf: leaf.reshape(-1, tile, *leaf.shape[1:]), members)
    done = jax.lax.map(jax.vmap(function), split)
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), done)
