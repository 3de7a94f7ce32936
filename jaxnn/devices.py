"""Which devices there are, and how members are laid over them. Nothing else knows devices."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn.numerics import FLAGS


def use_all_cores(cores: int | None = None) -> int:
    """Let jax see one CPU device per core (or this many) and give the number; call it before jax
    starts.

    XLA threads small loops poorly: two one-core devices train small ensembles about twice as fast
    as one two-core device. XLA is also told to compile short loops whole (`numerics.FLAGS`), by way
    of the environment, so child processes have it too. Accelerators are not touched.

    Raises:
        RuntimeError: jax has already started its backends, so that number and flags are fixed.
        ValueError: fewer than 1.
    """
    count = len(os.sched_getaffinity(0)) if cores is None else cores
    if count < 1:
        raise ValueError(f"cores is {count}: give a whole number, at least 1")
    try:
        jax.config.update("jax_num_cpu_devices", count + 1)  # refused once started
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError as error:
        raise RuntimeError(
            "jax has already started: call jaxnn.devices.use_all_cores() before the first array "
            "is made"
        ) from error
    there = os.environ.get("XLA_FLAGS", "")
    missing = [f"{flag}={value}" for flag, value in FLAGS.items() if flag not in there]
    os.environ["XLA_FLAGS"] = " ".join([*there.split(), *missing])
    return count


def join_others(
    coordinator: str | None = None, processes: int | None = None, process: int | None = None
) -> None:
    """Make this process one of many, on many hosts (jax.distributed); after `use_all_cores`.

    On Slurm, Kubernetes and TPU pods jax finds all three by itself; elsewhere give them: host:port
    of process 0, how many processes there are, and which this is, from 0.

    Raises:
        ValueError: nothing given, and nothing that jax detects.
    """
    jax.config.update("jax_enable_preemption_service", False)  # it would swallow SIGTERM
    try:
        jax.distributed.initialize(coordinator, processes, process)
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"--distributed: jax cannot join the other processes ({error}); give --coordinator "
            "host:port, --processes and --process"
        ) from error


def is_first_process() -> bool:
    """Whether this is process 0 of many, or the only one."""
    return jax.process_index() == 0


def side_by_side(form: str, floats: int) -> int:
    """The tile: how many members of this form train side by side on one device.

    The tile is part of a result's last bits, and members are filled up to whole tiles on every
    device. floats: numbers that one member touches in a step, such as units times cases.

    On CPU the numbers of 128 members with at most 10 each, or of 64, are vectors that stay in the
    first-level cache, and members as matrices share 256 KiB of the second level. A GPU hides
    latency by having 10^4 to 10^5 threads in flight and has no such cache to fit, so it takes
    16,384 members unit by unit, or as many as share 256 MiB; a TPU's vectors are 8 x 128 wide,
    which both divide.
    """
    if jax.default_backend() == "cpu":
        if form == "units":
            return 128 if floats <= 10 else 64
        return _power_of_two(2**18 // (4 * floats), most=64)
    return 16_384 if form == "units" else _power_of_two(2**28 // (4 * floats), most=4096)


def _power_of_two(wanted: int, *, most: int) -> int:
    return min(most, 1 << max(0, wanted.bit_length() - 1))


def count_of(members: Any) -> int:
    """How many members a tree with a leading members axis has."""
    return len(jax.tree.leaves(members)[0])


@functools.cache
def _mesh() -> jax.sharding.Mesh:
    count = jax.local_device_count()
    auto = (jax.sharding.AxisType.Auto,)
    return jax.make_mesh((count,), ("members",), axis_types=auto, devices=jax.local_devices())


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Placed:
    """Members in seats over all devices; made by `place`.

    members: a tree with a leading axis of seats, as many on every device.
    tiles: how many tiles are in use on each device, the first ones.
    tile: how many seats a tile has.
    """

    members: Any
    tiles: int | Array
    tile: int = dataclasses.field(metadata={"static": True})


def seats(count: int, tile: int, room: int | None = None) -> tuple[np.ndarray, int, int]:
    """Where so many members sit, (count,); how many seats there are; tiles in use on each device.

    Every device has the same number of seats, enough for `room` members in whole tiles (default
    count); members fill the first tiles of each. No device has room for one tile only: XLA would
    compile that without the loop, to other bits.
    """
    devices = jax.local_device_count()
    share = max(2, -(-(room or count) // (tile * devices))) * tile
    tiles = -(-count // (tile * devices))
    places = np.arange(devices)[:, None] * share + np.arange(tiles * tile)
    return places.ravel()[:count], share * devices, tiles


def place(members: Any, tile: int, chosen: np.ndarray | None = None) -> Placed:
    """The members (leading axis), or those chosen of them, in seats over all devices; room for all
    in either case, so that one program serves both.

    Empty seats hold copies of the last member.
    """
    count = count_of(members)
    chosen = np.arange(count) if chosen is None else chosen
    places, total, tiles = seats(len(chosen), tile, count)
    source = np.full(total, chosen[-1])
    source[places] = chosen
    whole = len(places) == total and np.array_equal(source, np.arange(count))
    sharding = jax.NamedSharding(_mesh(), jax.P("members"))

    def put(leaf: Any) -> Array:
        return jax.device_put(leaf if whole else leaf[source], sharding)

    return Placed(jax.tree.map(put, members), tiles, tile)


def spread(function: Callable[[Any], Any], placed: Placed) -> Any:
    """The map of `function` over the tiles of the members; called under jit.

    `function` takes `tile` members (leading axis) and gives a tree with that axis. Each device
    works through its tiles one after another, so what a member gives does not depend on how many
    others there are, nor on the devices; these exchange nothing. Behind the tiles in use are zeros.

    On CPU the function must not call batched LAPACK (jnp.linalg.eigh and the like): in jaxlib
    0.10.2 two devices that do so at once wait for each other for ever.
    """

    def share(part: Any, tiles: Array) -> Any:
        cut = jax.tree.map(lambda leaf: leaf.reshape(-1, placed.tile, *leaf.shape[1:]), part)
        done = _first_tiles(function, cut, tiles)
        return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), done)

    by_device = jax.shard_map(
        share,
        mesh=_mesh(),
        in_specs=(jax.P("members"), jax.P()),
        out_specs=jax.P("members"),
        check_vma=False,
    )
    return by_device(placed.members, jnp.asarray(placed.tiles))


def _first_tiles(function: Callable[[Any], Any], cut: Any, tiles: Array) -> Any:
    """The function of the first so many tiles, zeros behind."""

    def tile_at(t: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf[t], cut)

    def put(t: Any, done: Any) -> Any:
        return jax.tree.map(lambda whole, one: whole.at[t].set(one), done, function(tile_at(t)))

    shapes = jax.eval_shape(function, jax.eval_shape(lambda: tile_at(0)))
    empty = jax.tree.map(lambda leaf: jnp.zeros((count_of(cut), *leaf.shape), leaf.dtype), shapes)
    return jax.lax.fori_loop(0, tiles, put, empty)


def each(function: Callable[[Any], Any], items: Any, *, tile: int = 16) -> Any:
    """The function of each item (leading axis), `tile` at a time on all devices; compiled once for
    all functions of one structure (jax's Partial holds numbers as leaves).

    The function must not call batched LAPACK: see `spread`.
    """
    return collect(_each(function, place(items, tile)), count_of(items), tile)


@jax.jit
def _each(function: Callable[[Any], Any], placed: Placed) -> Any:
    return spread(jax.vmap(function), placed)


def one_by_one(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of one member as a function of a tile of one, without a members axis inside."""

    def of_tile(tile: Any) -> Any:
        alone = jax.tree.map(lambda leaf: leaf[0], tile)
        return jax.tree.map(lambda leaf: leaf[None], function(alone))

    return of_tile


def host_zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Zeros in the host's memory, where a CPU device can use them without a copy (`adopt`)."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    first = -raw.ctypes.data % 64  # XLA wants 64 bytes' alignment
    return raw[first : first + size].view(dtype).reshape(shape)


def adopt(array: np.ndarray) -> Array:
    """The array of `host_zeros` as jax's own; it must not be written to any more."""
    return jax.device_put(array, may_alias=True)


def collect(tree: Any, count: int, tile: int) -> Any:
    """What `spread` gave for so many members that were placed in tiles of this size, gathered
    through the host's memory.
    """
    places, _, _ = seats(count, tile)
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[places]), tree)
