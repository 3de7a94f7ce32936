"""Exclusive or: can the initial weights tell what training will make of them, at a given scale?

Expected before it was run: at scale 1 the alignment of the tangent kernel with the targets tells
most (AUC above 0.7), the sharpness at the start nothing, and all quantities together foretell less
at scale 10, where most starts fail by saturation, than at scale 1.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from building import Store
from reading import LEVEL, params_of
from words import estimate, whole

import jaxnn
from jaxnn import data, plots, predictions, results
from jaxnn.landscape import predictors
from jaxnn.predictions import Prediction

STORES = ("scale",)
SCALES = (0.3, 1.0, 3.0, 10.0)
MOST = 1200  # networks of each scale
PERMUTATIONS = 19
SPOKEN = {
    "loss": "loss", "norm": "length of the weights", "gradient_norm": "length of the gradient",
    "sharpness": "sharpness", "saturated": "saturated units",
    "kernel_largest": "kernel's largest eigenvalue", "kernel_trace": "kernel's trace",
    "kernel_condition": "kernel's condition", "kernel_alignment": "kernel's alignment",
}  # fmt: skip


@functools.cache
def read(store: Store) -> dict[float, Prediction]:
    """What foretells success at each scale."""
    dataset = results.load(store.folder).isel(scheme=0)
    loss_fn = jaxnn.loss_on(data.xor())
    # a matrix at a time: LAPACK in one batch of all starts would hold them all at once
    measure = jax.jit(
        lambda pairs: jax.lax.map(
            lambda pair: predictors.quantities(loss_fn, *pair), pairs, batch_size=100
        )
    )
    found = {}
    for number, scale in enumerate(SCALES):
        part = dataset.sel(scale=[scale]).isel(member=slice(MOST))
        starts = jax.tree.map(jnp.asarray, params_of(part, "initial"))
        solved = part.final_loss.values.ravel() <= LEVEL
        keys = jax.random.split(jax.random.key(number), len(solved))
        features = measure((starts, keys))
        folds = min(5, int(min(solved.sum(), (~solved).sum())))
        found[scale] = predictions.predict(
            features, solved, seed=0, folds=folds, permutations=PERMUTATIONS
        )
    return found


def strength(found: Prediction, name: str) -> float:
    """How far from telling nothing, 0 to 1/2."""
    return abs(found.alone[found.names.index(name)].value - 0.5)


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """The best quantity, sharpness, alignment and all together, by scale."""
    store = stores["scale"]
    found = read(store)
    best = {s: max(f.names, key=functools.partial(strength, f)) for s, f in found.items()}

    def of(scale: float, name: str) -> Any:
        return found[scale].alone[found[scale].names.index(name)]

    one, ten = found[1.0], found[10.0]
    return {
        "n": whole(len(one.out_of_fold)),
        "permutations": str(PERMUTATIONS),
        "quantities": str(len(one.names)),
        "rows": [
            [f"{s:g}", SPOKEN[best[s]], estimate(of(s, best[s])),
             estimate(of(s, "kernel_alignment")), estimate(of(s, "sharpness")),
             estimate(f.together), f"{f.together_chance:.2f}"]
            for s, f in found.items()
        ],
        "best-one": SPOKEN[best[1.0]],
        "best-one-auc": estimate(of(1.0, best[1.0])),
        "alignment-one": estimate(of(1.0, "kernel_alignment")),
        "sharpness-one": estimate(of(1.0, "sharpness")),
        "together-one": estimate(one.together),
        "together-ten": estimate(ten.together),
        "together-small": estimate(found[0.3].together),
        "alignment-tells": bool(of(1.0, "kernel_alignment").low > 0.7),
        "alignment-does-not-tell": bool(of(1.0, "kernel_alignment").high < 0.7),
        "alignment-below-half": bool(of(1.0, "kernel_alignment").high < 0.5),
        "sharpness-tells": bool(not of(1.0, "sharpness").low <= 0.5 <= of(1.0, "sharpness").high),
        "alignment-is-weak": bool(of(1.0, "kernel_alignment").low > 0.4),
        "less-when-large": bool(ten.together.high < one.together.low),
        "more-when-large": bool(ten.together.low > one.together.high),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """The AUC of each quantity at each scale, and of all together."""
    found = read(stores["scale"])
    names = [*SPOKEN, "together"]
    figure, ((ax,),) = plots.figure(width=6.4, height=3.5)
    for number, (scale, made) in enumerate(found.items()):
        row = [*(made.alone[made.names.index(name)] for name in SPOKEN), made.together]
        value, low, high = np.array(row).T
        at = np.arange(len(names))[::-1] + 0.16 * (1.5 - number)
        ax.errorbar(value, at, xerr=[value - low, high - value], fmt="o", ms=3.5, lw=1,
                    color=plots.COLOURS[number], label=f"scale {scale:g}")  # fmt: skip
    ax.axvline(0.5, color="0.5", lw=0.8)
    ax.set_yticks(np.arange(len(names))[::-1], [*SPOKEN.values(), "all, out of fold"])
    ax.set_xlabel("AUC: probability to rank a success above a failure")
    ax.legend(fontsize=7)
    return figure
