"""Strictness for the whole suite: rank promotion raises, keys are used once, four simulated
devices.
"""

import jax
import pytest

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture
def x64():
    """float64 for one test, to hold code against oracles at 1e-12."""
    with jax.enable_x64(True):
        yield
