"""Strictness for the whole suite: rank promotion raises, keys are used once, four simulated
devices. Most of its time would be XLA's optimisation of programs that run once.
"""

import ctypes
import os
import signal

# for processes started by tests too; JAX_DISABLE_MOST_OPTIMIZATIONS=0 compiles as users do
if os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1") == "1":
    QUICK = "--xla_cpu_use_fusion_emitters=false"
    if QUICK not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK}".strip()

import jax
import psutil
import pytest

from jaxnn import numerics

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
numerics.SETTINGS["numpy_rank_promotion"] = "raise"  # in commands too

# what nohup or a script's & starts ignores these, and so would its children
for name, action in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    number = getattr(signal, name, None)  # Windows has no SIGHUP
    if number is not None and signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, action)


@pytest.fixture
def x64():
    """float64 for one test, to hold code against oracles at 1e-12."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(autouse=True, scope="session")
def _processes_share_what_they_compile(tmp_path_factory):
    """For processes started by tests: this one has read its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


@pytest.fixture(autouse=True)
def _bounded_memory():
    """Thousands of compiled programs are some GB: they are dropped, and given back, above 1.5."""
    yield
    if psutil.Process().memory_info().rss > 1.5e9:
        jax.clear_caches()
        if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):  # glibc
            libc.malloc_trim(0)
