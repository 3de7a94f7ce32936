"""Strictness for the whole suite: rank promotion raises, keys are used once, four simulated
devices. Most of its time would be XLA's optimisation of programs that run once.
"""

import os

# for processes started by tests too; JAX_DISABLE_MOST_OPTIMIZATIONS=0 compiles as users do
if os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1") == "1":
    QUICK = "--xla_cpu_use_fusion_emitters=false"
    if QUICK not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK}".strip()

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
