"""Which devices there are, and how members are laid over them. Nothing else knows devices."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def use_all_cores(cores: int | None = None) -> int:
    """Let jax see one CPU device per core (or this many) and give the number; call it before jax
    starts.

    XLA threads small loops poorly: two one-core devices train small ensembles about twice as fast
    as one two-core device. Accelerators are not touched.

    Raises:
        RuntimeError: jax has already started its backends, so that the number is fixed.
    """
    count = cores or len(os.sched_getaffinity(0))
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError as error:
        raise RuntimeError(
            "jax has already started: call jaxnn.devices.use_all_cores() before the first array "
            "is made"
        ) from error
    return count


def _mesh() -> jax.sharding.Mesh:
    count = jax.local_device_count()
    auto = (jax.sharding.AxisType.Auto,)
    return jax.make_mesh((count,), ("members",), axis_types=auto, devices=jax.local_devices())


def place(members: Any, tile: int) -> Any:
    """The members (leading axis) over all devices, filled up to whole tiles on each.

    What fills is copies of the last member, for `collect` to cut off.
    """
    count = len(jax.tree.leaves(members)[0])
    padding = -count % (tile * jax.local_device_count())
    sharding = jax.NamedSharding(_mesh(), jax.P("members"))
    return jax.tree.map(lambda leaf: jax.device_put(_fill(leaf, padding), sharding), members)


def _fill(leaf: Any, padding: int) -> Any:
    leaf = jnp.asarray(leaf)
    return leaf[jnp.minimum(jnp.arange(len(leaf) + padding), len(leaf) - 1)] if padding else leaf


def spread(function: Callable[..., Any], members: Any, tile: int) -> Any:
    """The map of `function` over members that were placed with this tile; called under jit.

    Each device works through its share `tile` members at a time, all tiles at the same vmap width,
    so what a member gives does not depend on how many others there are. The devices exchange
    nothing.

    On CPU the function must not call batched LAPACK (jnp.linalg.eigh and the like): in jaxlib
    0.10.2 two devices that do so at once wait for each other for ever.
    """
    by_device = jax.shard_map(
        lambda share: _tiled(function, share, tile),
        mesh=_mesh(),
        in_specs=jax.P("members"),
        out_specs=jax.P("members"),
        check_vma=False,
    )
    return by_device(members)


def collect(placed: Any, count: int) -> Any:
    """The first `count` members of what `spread` gave, gathered through the host's memory."""
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[:count]), placed)


def _tiled(function: Callable[..., Any], members: Any, tile: int) -> Any:
    """Tile after tile, each tile's members side by side; at tile 1 without a members axis at
    all.
    """
    if tile == 1:
        return jax.lax.map(function, members)
    split = jax.tree.map(lambda leaf: leaf.reshape(-1, tile, *leaf.shape[1:]), members)
    done = jax.lax.map(jax.vmap(function), split)
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), done)
