"""From settings to mathematics: the data, the network's sizes, the landscape, the rule and the
keys.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn import data, descent, ensembles, numerics
from jaxnn.activations import ACTIVATIONS
from jaxnn.backpropagation import GradientCheck, check_gradients
from jaxnn.losses import LossOn, loss_on
from jaxnn.network import init
from jaxnn.numerics import key_of
from jaxnn.studies import map_settings, ranges
from jaxnn.studies.bounds import check_room
from jaxnn.studies.data_settings import reading
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.progress import say
from jaxnn.studies.settings import Problem, as_json, resolved
from jaxnn.vocabulary import Batch, Layer, Params, lookup


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem, ready to be computed: everything but where the weights start."""

    source: data.Dataset
    train: Batch
    test: Batch | None
    sizes: tuple[int, ...]
    activation: tuple[str, ...]
    loss_fn: LossOn
    rule: Any
    init_key: Array
    order_key: Array

    @property
    def classifies(self) -> bool:
        """Whether the targets are classes, so that an accuracy means something."""
        return bool(self.source.classes)


def read(settings: Problem) -> data.Dataset:
    """The data of these settings, read from their files now; a command reads them once, where it
    begins, and hands them on. How a file was read is said on the way.

    Raises:
        ValueError: a setting out of its range, with what came and what was wanted; as `data.load`.
    """
    ranges.check(settings)
    source = data.load(settings.data, data_dir=settings.data_dir, **reading(settings))
    if source.read is not None:
        say(source.note)
    return source


def pose(settings: Problem, source: data.Dataset | None = None) -> Posed:
    """The problem of resolved settings, with the data that `read` gave, or else read now.

    Raises:
        ValueError: as `read`; what contradicts the data.
    """
    source = read(settings) if source is None else source
    ranges.check(settings)
    split_key, init_key, order_key = jax.random.split(key_of(settings.seed), 3)
    train, test = source.batch, source.test
    if source.splits:
        train, test = data.split(source.batch, split_key, settings.test_share)
    hidden = settings.hidden or ()
    sizes = (train.inputs.shape[1], *hidden, train.targets.shape[1])
    check_room(settings, sizes)
    if (settings.batch_size or 0) > len(train.inputs):
        raise ValueError(
            f"--batch-size {settings.batch_size}: there are {len(train.inputs)} training cases"
        )
    activation = _activation(settings.activation, layers=len(sizes) - 1, numbers=not source.classes)
    return Posed(
        source=source,
        train=train,
        test=test,
        sizes=sizes,
        activation=activation,
        loss_fn=loss_on(train, activation=activation, l2=float(settings.l2)),
        rule=descent.named(settings.rule, settings.step_size or 0.0),
        init_key=init_key,
        order_key=order_key,
    )


def _activation(names: tuple[str, ...], *, layers: int, numbers: bool) -> tuple[str, ...]:
    """One name per layer; numbers as targets get an identity output where one name was given."""
    for name in names:
        lookup(ACTIVATIONS, name, what="activation")
    if len(names) == 1:
        return names * (layers - 1) + (("identity",) if numbers else names)
    if len(names) != layers:
        raise ValueError(
            f"--activation has {len(names)} names for {layers} layers: give 1 or {layers}"
        )
    return names


def complete(settings: Problem) -> Any:
    """The settings with the data set's defaults filled in, refused where they contradict each
    other.

    Raises:
        ValueError: --steps together with --batch-size or --epochs.
    """
    by_batch = (settings.batch_size or 0) > 0 or (settings.epochs or 0) > 0
    if by_batch and settings.steps:
        raise ValueError("--steps counts full-batch updates: give it, or --batch-size and --epochs")
    if isinstance(settings, Basins):
        return map_settings.resolved(settings)
    return resolved(settings)


def certificate(posed: Posed, *, scheme: str, scale: float, seed: int) -> GradientCheck:
    """The gradient of this network on these data four ways, in float64, at one initial point."""
    with jax.enable_x64(True):
        params = init(key_of(seed), posed.sizes, scheme=scheme, scale=scale, dtype=jnp.float64)
        batch = Batch(*(jnp.asarray(part, jnp.float64) for part in posed.train))
        key, l2 = key_of(seed), float(posed.loss_fn.l2 or 0.0)
        check = _gradients_checked(params, batch, key, activation=posed.activation, l2=l2)
        return jax.block_until_ready(check)


@functools.partial(jax.jit, static_argnames=("activation", "l2"))
def _gradients_checked(
    params: Params, batch: Batch, key: Array, *, activation: tuple[str, ...], l2: float
) -> GradientCheck:
    return check_gradients(params, batch, activation=activation, l2=l2, key=key)


def manifest(settings: Problem, posed: Posed, *, study: str, scheme: str) -> dict[str, Any]:
    """All that a study's numbers follow from, and the check of its gradients on its own data."""
    check = certificate(posed, scheme=scheme, scale=1.0, seed=settings.seed)
    return {
        "study": study,
        "settings": as_json(settings),
        "network": {"sizes": list(posed.sizes), "activation": list(posed.activation)},
        "data": {
            "note": posed.source.note,
            "classes": list(posed.source.classes),
            "training_cases": len(posed.train.inputs),
            "test_cases": 0 if posed.test is None else len(posed.test.inputs),
            "sha256": digest(posed),
            **({} if posed.source.read is None else {"read": dict(posed.source.read)}),
        },
        "versions": versions(),
        "numerics": numerics.in_force(),
        "machine": machine(),
        "gradient_check": {
            "dtype": "float64",
            "exact": float(check.exact),
            "table": str(check).splitlines(),
        },
    }


def training_form(settings: Problem, posed: Posed) -> dict[str, Any]:
    """The form and the tile that members train in: the results' last bits depend on them."""
    if settings.batch_size:
        return {"form": "matrices", "tile": 1}
    starts = jax.eval_shape(lambda: ensembles.init(posed.init_key, posed.sizes, members=1))
    form = ensembles.form_of(posed.loss_fn, starts)
    return {"form": form, "tile": ensembles.tile_of(posed.loss_fn, starts, form=form)}


def digest(posed: Posed) -> str:
    """SHA-256 of the training and test cases, which tells data apart that have one name."""
    total = hashlib.sha256()
    for batch in (posed.train, posed.test):
        for part in batch or ():
            total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def versions() -> dict[str, str]:
    """The versions that the last bits of a result depend on."""
    packages = {name: version(name) for name in ("jax", "jaxlib", "numpy", "optax")}
    from jaxnn import __version__

    return {"jaxnn": __version__, **packages, "python": platform.python_version()}


def machine() -> dict[str, Any]:
    """What the results were computed on, as far as their last bits depend on it."""
    kinds = sorted({device.device_kind for device in jax.local_devices()})
    told = os.environ.get("XLA_FLAGS", "").split()
    return {
        "processor": platform.machine(),
        "platform": f"{jax.default_backend()} ({', '.join(kinds)})",
        "devices": jax.local_device_count(),
        "xla_flags": sorted(flag for flag in told if flag.split("=")[0] in numerics.FLAGS),
    }


def as_params(arrays: Any) -> Params:
    """Layers from a flat sequence of weights, biases, weights, biases ..."""
    pairs = zip(arrays[::2], arrays[1::2], strict=True)
    return tuple(Layer(jnp.asarray(w), jnp.asarray(b)) for w, b in pairs)
