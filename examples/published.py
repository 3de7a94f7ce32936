"""What the examples of published results share: a table, published beside found here, and settings
as they were printed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxnn
from jaxnn import data, descent, ensembles, training

Pair = tuple[np.ndarray, np.ndarray]  # weights and biases of a layer, members axis first
ROW = "{:46} {:>13} {:>14} {:>17}  {}"


def given(otherwise: Any) -> Any:
    """What the command line gives beside the file's name, or this, as in a notebook."""
    words = [word for word in sys.argv[1:2] if not word.startswith("-")]
    return words[0] if words else otherwise


def heading() -> None:
    """Print the heading of the table."""
    print(ROW.format("", "published", "here", "interval", ""))


def line(
    what: str,
    published: Any,
    here: Any,
    interval: str = "",
    *,
    agrees: Any = None,
    why: str = "differs",
) -> None:
    """Print one row: agreed, or why not. By default numbers agree where they are equal.

    Where the environment names a file in JAXNN_EXAMPLE_ROWS, the row is added to it, as JSON.
    """
    agrees = bool(published == here if agrees is None else agrees)
    if file := os.environ.get("JAXNN_EXAMPLE_ROWS"):
        row = [what, str(published), str(here), interval, "agreed" if agrees else why]
        with Path(file).open("a") as rows:
            rows.write(json.dumps(row) + "\n")
    print(ROW.format(what, published, here, interval, "agreed" if agrees else why), flush=True)


def percent(low: float, high: float, digits: int = 1) -> str:
    """The range of two shares, as text."""
    return f"{low:.{digits}%} to {high:.{digits}%}"


def heavy_ball(eta: Any, momentum: Any, cases: int) -> optax.GradientTransformationExtraArgs:
    """Gradient descent with momentum on E = 1/2 sum over the cases, eta its step size.

    jaxnn's loss is the mean without 1/2, so the step on it is cases eta / 2; momentum stays.
    """
    step_size = 0.5 * cases * eta
    return descent.rule(optax.sgd, learning_rate=step_size, momentum=momentum)


def xor_ends(
    starts: Any, eta: Any, momentum: Any, *, epochs: int, dtype: Any = jnp.float32
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each network had every output of XOR on the right side of 0.5 after some epoch, and
    its epochs until then: Kolen & Pollack's rule. eta and momentum are numbers, or one a member.
    """
    with jax.enable_x64(dtype == jnp.float64):
        batch = jax.tree.map(lambda leaf: leaf.astype(dtype), data.xor())
        run = ensembles.train_until(
            jaxnn.loss_on(batch),
            jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), starts),
            heavy_ball(eta, momentum, 4),
            stop=training.all_correct(batch),
            max_steps=epochs,
            record_every=max(epochs, 1),
            rule_axes=0 if np.ndim(eta) else None,
        )
        return np.asarray(run.outcome) == jaxnn.Outcome.converged, np.asarray(run.steps)


# Kolen & Pollack 1990, Figs. 3 to 7, read by machine: the weights, eta, momentum. Left hidden unit:
# from left and right input, bias; the right one; the output: from left and right unit, bias
MAPS = {
    3: ("-5 -3 +3 +6 Y -1 -6 +7 X", 3.25, 0.4),
    4: ("+4 -7 +6 +0 -3 Y +1 X +1", 2.75, 0.0),
    5: ("-5 +5 +1 -6 +3 X Y +8 +3", 2.75, 0.8),
    6: ("Y X -3 +6 +8 +3 +1 +7 -3", 3.25, 0.0),
    7: ("Y +3 -9 -2 +6 +7 -3 X +7", 3.25, 0.6),
}


def map_starts(weights: str, size: int = 200) -> tuple[Pair, Pair]:
    """The initial 2-2-1 networks of a map, X across and Y up from -10 in steps of 20 / size.

    Members axis first, float64: member size * row + column has the row's Y and the column's X.
    """
    ticks = (np.arange(size) - size // 2) * (20 / size)
    Y, X = (axis.ravel() for axis in np.meshgrid(ticks, ticks, indexing="ij"))
    columns = [
        {"X": X, "Y": Y}[word] if word in "XY" else np.full(size**2, float(word))
        for word in weights.split()
    ]
    w = np.stack(columns, axis=1)
    hidden = np.stack([w[:, 0:2], w[:, 3:5]], axis=1), w[:, 2:6:3]
    return hidden, (w[:, None, 6:8], w[:, 8:])


def turned(weights: str) -> dict[str, str]:
    """The weights with one sign turned, for each that has one: {"w3 = -3": weights, ...}."""
    words, signs = weights.split(), {"+": "-", "-": "+"}
    changed = {}
    for number, word in enumerate(words):
        if word[0] in signs:
            new = signs[word[0]] + word[1:]
            changed[f"w{number + 1} = {new}"] = " ".join(
                [*words[:number], new, *words[number + 1 :]]
            )
    return changed
