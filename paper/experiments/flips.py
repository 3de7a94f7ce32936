"""How often does a small change of the initial weights change where training ends? Exclusive or,
2-2-1 logistic, in float64: each start is trained again from a point |change| = size * |start| away
in a random direction of all nine parameters, and the two are compared by the cases that they get
right, after each of several numbers of steps.
"""

from __future__ import annotations

import functools

from keeping import keep, options

from jaxnn import devices

devices.use_all_cores()

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import data, ensembles, losses

SIZES = (2, 2, 1)


def main() -> None:
    """One chunk a scale."""
    asked = options(
        __doc__, members=1000, steps=(4000,), step_size=4.0, seed=0,
        scales=(0.1, 0.3, 1.0, 3.0, 10.0), changes=(1e-4, 1e-3, 1e-2, 1e-1),
    )  # fmt: skip
    jax.config.update("jax_enable_x64", True)
    batch = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), data.xor())
    loss_fn, rule = jaxnn.loss_on(batch), jaxnn.sgd(asked.step_size)
    keys = jax.random.split(jax.random.key(asked.seed), 2)
    right = jax.jit(jax.vmap(functools.partial(losses.correct, batch=batch)))

    def labels(params):
        """The cases right after each number of steps, as a number from 0 to 15, (steps, starts)."""
        found = []
        for steps in np.diff(asked.steps, prepend=0).tolist():
            run = ensembles.train(loss_fn, params, rule, steps=steps, record_every=steps)
            params = run.params
            found.append(np.asarray(right(params)).astype(int) @ np.array([8, 4, 2, 1]))
        return np.stack(found)

    def one_scale(number: int):
        draw = functools.partial(
            ensembles.init, sizes=SIZES, members=asked.members, dtype=jnp.float64
        )
        starts, ways = draw(keys[0], scale=asked.scales[number]), draw(keys[1])
        norm = jax.vmap(lambda tree: jnp.sqrt(sum(jnp.sum(a * a) for a in jax.tree.leaves(tree))))
        ratio = norm(starts) / norm(ways)

        def moved(change: float):
            return jax.tree.map(
                lambda p, way: p + change * ratio.reshape(-1, *[1] * (p.ndim - 1)) * way,
                starts, ways,
            )  # fmt: skip

        changed = np.stack([labels(moved(change)) for change in asked.changes], axis=1)
        return {"label": labels(starts), "changed_label": changed}

    keep(
        asked, study="flips", along="scale", chunk=one_scale,
        coordinates={"scale": list(asked.scales), "step": list(asked.steps),
                     "change": list(asked.changes), "member": list(range(asked.members))},
        variables={"label": ("scale", "step", "member"),
                   "changed_label": ("scale", "step", "change", "member")},
    )  # fmt: skip


if __name__ == "__main__":
    main()
