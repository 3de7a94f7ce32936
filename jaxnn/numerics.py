"""What a process may set that numbers depend on: jaxnn's commands fix it, or stores have it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import jax
from jax import Array

FLAGS = {
    # XLA starts a kernel an operation; a loop with less traffic than this it compiles into one
    # piece instead, which trains small networks 1.3 to 2 times as fast
    "--xla_backend_extra_options": "xla_cpu_small_while_loop_byte_threshold=1000000",
}
"""What `devices.use_all_cores` tells XLA's CPU compiler, unless XLA_FLAGS names the flag already.

Not among them: xla_cpu_prefer_vector_width=512. With AVX-512 it trains small networks up to 1.4
times as fast, and takes the arctan of a user's loss as 0, in training too (jaxlib 0.10.2)."""

IMPLEMENTATION = "threefry2x32"
"""The generator of every key that jaxnn makes from a seed."""

SETTINGS: dict[str, Any] = {
    "default_prng_impl": IMPLEMENTATION,
    "threefry_partitionable": True,
    "enable_x64": False,  # what wants float64 says so itself
    "default_matmul_precision": "highest",  # no TF32 nor bfloat16 where float32 is said
    "numpy_dtype_promotion": "standard",
    "numpy_rank_promotion": "allow",
    "disable_jit": False,
    "check_tracer_leaks": False,
    "debug_nans": False,  # probes of a landscape may give NaN, which is looked at
    "debug_infs": False,
    "transfer_guard": "allow",
}
"""How jax is set while a command computes, whatever its environment says: jax's context managers
by name."""

RECORDED = ("jax_threefry_partitionable", "jax_enable_x64", "jax_default_matmul_precision",
            "jax_disable_most_optimizations", "jax_optimization_level",
            "jax_exec_time_optimization_effort")  # fmt: skip
"""What of jax's configuration draws, and the last bits of compiled programs, depend on."""

OUTSIDE = ("LIBTPU_INIT_ARGS", "NVIDIA_TF32_OVERRIDE")
"""Other variables of the environment that change bits."""

HARMLESS = ("--xla_dump", "--xla_force_host_platform_device_count")
"""Beginnings of XLA's flags that change none."""


def key_of(seed: int) -> Array:
    """The random key of this seed, of one generator whatever jax's default is."""
    return jax.random.key(seed, impl=IMPLEMENTATION)


@contextlib.contextmanager
def fixed() -> Iterator[None]:
    """Jax set as SETTINGS say, so that what is computed within depends on its arguments alone."""
    offset = int(_set("jax_random_seed_offset"))
    jax.config.update("jax_random_seed_offset", 0)
    try:
        with contextlib.ExitStack() as stack:
            for name, value in SETTINGS.items():
                stack.enter_context(getattr(jax, name)(value))
            yield
    finally:
        jax.config.update("jax_random_seed_offset", offset)


def in_force() -> dict[str, Any]:
    """All that this process sets and bits depend on, for a manifest; without FLAGS."""
    told = os.environ.get("XLA_FLAGS", "").split()
    last = {flag.split("=")[0]: flag for flag in told}  # which is the one that counts
    return {
        **{name: _set(name) for name in RECORDED},
        "xla_flags": sorted(
            flag for name, flag in last.items() if name not in FLAGS and not _harmless(flag)
        ),
        **{name: os.environ[name] for name in OUTSIDE if name in os.environ},
    }


def _set(name: str) -> str:
    """How jax is set here, which its `read` tells only of what no context manager changes."""
    known = hasattr(jax.config, name)
    return str(getattr(jax.config, name) if known else jax.config.read(name))


def _harmless(flag: str) -> bool:
    return flag.startswith(HARMLESS)


def check_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse flags in XLA_FLAGS that XLA would end the process for.

    Raises:
        ValueError: with the first of them, as XLA says it.
    """
    if not environment.get("XLA_FLAGS", "").strip():
        return
    script = "from jaxlib import xla_client; xla_client.CompileOptions()"  # reads the flags
    words = [sys.executable, "-c", script]
    tried = subprocess.run(
        words, env=dict(environment), capture_output=True, text=True, check=False
    )
    if tried.returncode:
        said = next((line for line in tried.stderr.splitlines() if line.startswith("F")), "")
        why = said.partition("] ")[2] or "XLA cannot read them"
        raise ValueError(
            f"XLA_FLAGS is {environment['XLA_FLAGS']!r}: {why:.200}; unset it, or name flags that "
            "this jaxlib has"
        )


def check_platform() -> None:
    """Start jax's backends, and refuse a JAX_PLATFORMS that is not here.

    Raises:
        ValueError: with what jax says of it.
    """
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # the latter where jaxlib has no such backend
        asked = os.environ.get("JAX_PLATFORMS")
        said = " ".join(str(error).split()) or "no such device is found"
        raise ValueError(
            f"JAX_PLATFORMS is {asked!r}, which jax cannot start here ({said:.200}); unset it, or "
            "give cpu"
        ) from error
