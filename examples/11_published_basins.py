# %% [markdown]
# # Published basins
#
# Basins of XOR in planes of initial weights, as Kolen & Pollack printed them in 1990: how long
# training takes from 200 x 200 starts, and what rounding changes.

# %% [markdown]
# All cores, before jax starts; the figure goes to the folder given, or to results/published
# %%
import os

from jaxnn import devices

devices.use_all_cores()

import jax.numpy as jnp
import numpy as np
from published import MAPS, given, heading, line, map_starts, percent, turned, xor_ends

from jaxnn import plots
from jaxnn.intervals import wilson

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
FOLDER = given("results/published")
SIZE, EPOCHS = (20 if SMALL else 200), 200
figure, axes = plots.figure(2, 5, width=11, height=4.9, sharex=True, sharey=True)
heading()


def draw(ax, title, solved, steps):
    """Epochs until solved as shades, black where more than EPOCHS."""
    ax.set_facecolor("black")
    shades = np.where(solved, steps, np.nan).reshape(SIZE, SIZE)
    image = ax.imshow(shades, cmap="viridis_r", extent=(-10, 10, -10, 10), origin="lower",
                      vmin=0, vmax=EPOCHS, interpolation="nearest")  # fmt: skip
    ax.set_title(title)
    return image


# %% [markdown]
# Two of the nine weights run from -10 to 9.9; the others are as printed. The interval is that of
# random starts in the plane
# %%
empty = []
for ax, (number, (weights, eta, momentum)) in zip(axes[0], MAPS.items(), strict=True):
    starts = map_starts(weights, SIZE)
    solved, steps = xor_ends(starts, eta, momentum, epochs=EPOCHS)
    double, steps64 = xor_ends(starts, eta, momentum, epochs=EPOCHS, dtype=jnp.float64)
    image = draw(ax, f"Fig. {number}", solved, steps)
    share = wilson(int(np.sum(solved)), len(solved))
    ends, times = np.mean(solved != double), np.mean(steps != steps64)
    why = "no number is printed: see the figure" if share.share else "not: a printed map has basins"
    what = f"Fig. {number}: solved in {EPOCHS} epochs"
    line(what, "picture", f"{share.share:.1%}", percent(*share[1:]), agrees=False, why=why)
    why = f"of starts; their epochs at {times:.3%}"
    line(f"Fig. {number}: outcome changed by float64", "-", f"{ends:.3%}", agrees=False, why=why)
    if not share.share:
        empty.append((number, eta, momentum, turned(weights)))

# %% [markdown]
# The printed weights were read by machine, which loses signs: an empty map, one sign turned
# %%
places = iter(axes[1])
for number, eta, momentum, others in empty:
    for what, weights in others.items():
        solved, steps = xor_ends(map_starts(weights, SIZE), eta, momentum, epochs=EPOCHS)
        if np.mean(solved) > 0.01 and (ax := next(places, None)):
            draw(ax, f"Fig. {number}, but {what}", solved, steps)
            said = percent(*wilson(int(np.sum(solved)), len(solved))[1:])
            line(f"Fig. {number}, but {what}", "picture", f"{np.mean(solved):.1%}", said,
                 agrees=False, why="no number is printed: see the figure")  # fmt: skip
figure.supxlabel("X")
figure.supylabel("Y")
figure.colorbar(image, ax=axes, label="epochs until solved")
print(*plots.save(figure, f"{FOLDER}/xor-basins"))
