"""Devices: one a core, members in seats over all of them, tile after tile, on 4 simulated ones."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn import devices


@pytest.mark.parametrize(("count", "tile"), [(1, 1), (7, 3), (24, 3), (25, 3), (100, 8)])
def test_members_are_placed_over_all_devices_spread_and_collected_whole(count, tile):
    members = {"a": np.arange(count), "b": jnp.ones((count, 2))}
    placed = devices.place(members, tile)
    there = placed.members["a"]
    assert len(there.sharding.device_set) == 4
    assert len(there) % (4 * tile) == 0
    widths = []

    def double(part):
        widths.append(len(part["a"]))
        return 2 * part["a"] + jnp.sum(part["b"], axis=1)

    done = jax.jit(lambda placed: devices.spread(double, placed))(placed)
    assert set(widths) == {tile}
    np.testing.assert_array_equal(devices.collect(done, count, tile), 2 * np.arange(count) + 2)


def test_the_chosen_sit_in_the_first_tiles_of_every_device_with_room_for_all():
    chosen = np.array([90, 3, 41, 7, 8, 20, 55])
    places, total, tiles = devices.seats(len(chosen), 2, 100)
    placed = devices.place(np.arange(100), 2, chosen)
    np.testing.assert_array_equal(np.asarray(placed.members)[places], chosen)
    assert (len(placed.members), placed.tiles) == (total, tiles) == (104, 1)
    some = jax.jit(lambda placed: devices.spread(lambda part: part + 1, placed))(placed)
    np.testing.assert_array_equal(np.asarray(some)[places], chosen + 1)
    assert not np.asarray(some).reshape(4, -1)[:, 2:].any()


def test_tiles_on_cpu_fit_the_caches():
    assert devices.side_by_side("units", 9) == 128
    assert devices.side_by_side("units", 49) == 64
    assert devices.side_by_side("matrices", 11 * 120) == 32
    assert devices.side_by_side("matrices", 42 * 1437) == 1
    assert devices.side_by_side("matrices", 10) == 64


def test_use_all_cores_says_when_it_comes_too_late():
    with pytest.raises(RuntimeError, match="before the first array"):
        devices.use_all_cores(3)


def test_use_all_cores_gives_one_device_a_core_in_a_fresh_process():
    script = (
        "import jax\nfrom jaxnn import devices; n = devices.use_all_cores(3)\n"
        "print(n, jax.local_device_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "3"]


def test_all_cores_are_asked_for_before_jax_starts_even_if_the_number_agrees():
    script = (
        "import jax; from jaxnn import devices; devices.use_all_cores(2); jax.numpy.ones(1)\n"
        "try:\n    devices.use_all_cores(2)\n"
        "except RuntimeError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "jax has already started" in done.stdout
    with pytest.raises(ValueError, match="cores is 0"):
        devices.use_all_cores(0)
