"""What examples of published results share: a table, published beside found here, and settings as
they were printed.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxnn import Layer, descent

ROW = "{:46} {:>13} {:>14} {:>17}  {}"


def heading():
    """Print the table's heading."""
    print(ROW.format("", "published", "here", "interval", ""))


def line(what, published, here, interval="", *, agrees=None, why="differs"):
    """Print one row: agreed, or why not. By default numbers agree where they are equal."""
    agrees = published == here if agrees is None else agrees
    print(ROW.format(what, published, here, interval, "agreed" if agrees else why), flush=True)


def step_size(eta, cases):
    """The step on the mean of squares that is eta on E = 1/2 sum: cases eta / 2."""
    return 0.5 * cases * eta


def heavy_ball(eta, momentum, cases):
    """Gradient descent with momentum on E = 1/2 sum over the cases, for jaxnn's mean of squares."""
    return descent.rule(optax.sgd, learning_rate=step_size(eta, cases), momentum=momentum)


# Kolen & Pollack 1990, Figs. 3 to 7: the weights, eta, momentum. Left hidden unit <- left and right
# input, its bias; the right hidden unit; output <- left and right hidden unit, its bias
MAPS = {
    3: ("-5 -3 +3 +6 Y -1 -6 +7 X", 3.25, 0.4),
    4: ("+4 -7 +6 +0 -3 Y +1 X +1", 2.75, 0.0),
    5: ("-5 +5 +1 -6 +3 X Y +8 +3", 2.75, 0.8),
    6: ("Y X -3 +6 +8 +3 +1 +7 -3", 3.25, 0.0),
    7: ("Y +3 -9 -2 +6 +7 -3 X +7", 3.25, 0.6),
}


def map_starts(weights, size=200, dtype=jnp.float32):
    """The initial 2-2-1 networks of a map, X across and Y up from -10 in steps of 20 / size.

    Members axis first: member size * row + column is at Y of the row and X of the column.
    """
    ticks = -10 + np.arange(size) * (20 / size)
    Y, X = (axis.ravel() for axis in np.meshgrid(ticks, ticks, indexing="ij"))
    given = {"X": X, "Y": Y}
    values = [given.get(word, np.full(size**2, word, object)) for word in weights.split()]
    w = jnp.asarray(np.stack(values, axis=1).astype(float), dtype)
    return (
        Layer(w[:, jnp.array([[0, 1], [3, 4]])], w[:, jnp.array([2, 5])]),
        Layer(w[:, jnp.array([[6, 7]])], w[:, jnp.array([8])]),
    )
