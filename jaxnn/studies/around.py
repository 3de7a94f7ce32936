"""The landscape around one network of a store: `jaxnn slice` and `jaxnn spectrum`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from jaxnn import losses, plots
from jaxnn.devices import each
from jaxnn.landscape import curvature, directions, slices, spectra, traces
from jaxnn.losses import LossOn
from jaxnn.numerics import key_of
from jaxnn.studies.members import Network, figures_in, label, taken
from jaxnn.studies.problem import Posed
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.run_planes import draw_run
from jaxnn.studies.settings import Slice, Spectrum

HALVINGS = 6
"""Of a plane's reach, at most, until its mesh shows the landscape at its centre."""


def draw_slice(settings: Slice) -> Report:
    """Draw a plane and a band of lines through a network, check both against the true landscape,
    and give the report.

    Raises:
        ValueError: settings out of range; as `members.taken`.
    """
    if settings.points < 3 or settings.lines < 1:
        raise ValueError(
            f"--points is {settings.points} and --lines is {settings.lines}: give at least 3 and 1"
        )
    if settings.reach is not None and not 0 < settings.reach < float("inf"):
        raise ValueError(f"--reach is {settings.reach}: give a finite number above 0")
    posed, (network,) = taken(settings, 1)
    if settings.along == "run":
        return draw_run(settings, posed, network)
    value = _value(settings, posed)
    pair, reaches, unit = _directions(settings, posed, network)
    (xs, ys), values, checked = _plane(settings, posed, value, network.point, pair, reaches)
    made, axes = plots.figure(width=6.5, height=5.0)
    shown = settings.value.replace("_", " ")
    ax = plots.contours(
        axes[0, 0], np.asarray(xs), np.asarray(ys), np.asarray(values),
        points=np.zeros((1, 2)), labels=[f"{float(value(network.point)):.4g}"],
        name=f"{shown} on the training cases", unit=unit,
    )  # fmt: skip
    ax.set_title(f"{plots.plain(posed.source.name)}, {network.name}", loc="left")
    folder, name = (
        figures_in(settings),
        f"slice-{settings.along}-{settings.value}-{label(settings, [network])}",
    )
    files = plots.save(made, folder / name)
    centre = float(value(network.point))
    seen = {"network": network.name, settings.value: centre, "x": xs, "y": ys, "values": values}
    parts = [Part([f"{posed.source.name}, {network.name}: {shown} {centre:.6g}"], seen)]
    if checked is not None:
        parts.append(_checked(checked, float(xs[-1]), reaches[0]))
    if settings.along in ("filter", "layer", "weight", "unit"):
        files += _band(settings, network, value, float(xs[-1]), unit)
    said = together(*parts)
    return Report("\n".join(said.lines), said.values, files, settings=vars(settings))


def _plane(
    settings: Slice, posed: Posed, value: Any, point: Any, pair: Any, reaches: list[float]
) -> tuple[Any, Any, Any]:
    """The plane's axes and values, and of losses how they show their centre. Where no --reach is
    given it is halved until they do, HALVINGS times at most.
    """
    check, tried = jax.jit(slices.self_check), []
    for halved in range(1 + HALVINGS):
        axes = [jnp.linspace(-r, r, settings.points) for r in np.asarray(reaches) / 2**halved]
        values = slices.plane(value, point, *pair, *axes, over=each)
        if settings.value != "loss":
            return axes, values, None
        seen = check(posed.loss_fn, point, list(pair[::-1]), axes[::-1], values)
        tried.append((axes, values, seen))
        if settings.reach is not None or bool(seen.resolved):
            return tried[-1]
    return tried[0]


def _value(settings: Slice, posed: Posed) -> Any:
    if settings.value == "accuracy":
        if not posed.classifies:
            raise ValueError("--value accuracy: the targets are numbers, not classes; choose loss")
        return Partial(_accuracy, posed.loss_fn)
    ways = {"loss": posed.loss_fn, "gradient_norm": slices.gradient_norm(posed.loss_fn)}
    return ways[settings.value]


def _accuracy(loss_fn: LossOn, point: Any) -> Any:
    return losses.accuracy(point, loss_fn.batch, activation=loss_fn.activation)


def _directions(
    settings: Slice, posed: Posed, network: Network
) -> tuple[tuple[Any, Any], list[float], str]:
    """The two directions, how far to go along each, and what one unit of them is."""
    key = key_of(settings.seed)
    reach = settings.reach or 1.0
    if settings.along == "eigenvectors":
        find = jax.jit(lambda f, p, k: spectra.extreme(f, p, k, k=2, which="largest"))
        vectors = find(posed.loss_fn, network.point, key).vectors
        pair = (
            jax.tree.map(lambda leaf: leaf[0], vectors),
            jax.tree.map(lambda leaf: leaf[1], vectors),
        )
        suggest = jax.jit(directions.suggest_range)
        far = [float(suggest(posed.loss_fn, network.point, v)) for v in pair]
        length = float(jnp.linalg.norm(ravel_pytree(network.point)[0]))
        farthest = max(f if np.isfinite(f) else length for f in far)
        return pair, [settings.reach or farthest] * 2, "distance between parameters"
    if settings.along == "start":
        if settings.at == "initial":
            raise ValueError("--along start: the network is at its start; take --at final")
        back = directions.between(network.point, network.start)
        length = jnp.linalg.norm(ravel_pytree(back)[0])
        across = directions.gaussian(network.point, key)
        v, w = directions.orthonormal(back, across)
        pair = jax.tree.map(lambda leaf: length * leaf, (v, w))
        return pair, [1.2 * reach] * 2, "in units of the way from the initial weights"
    pair = directions.pair(network.point, key, normalise=settings.along)
    unit = (
        "distance between parameters"
        if settings.along == "unit"
        else (f"in units of a random direction with the network's lengths ({settings.along})")
    )
    return pair, [reach] * 2, unit


def _checked(check: slices.SelfCheck, reach: float, asked: float) -> Part:
    """The plane's centre, slopes and curvatures as it shows them and as they are."""
    rows = [("loss", check.centre)]
    rows += [(f"slope along {n}", check.slope[:, k]) for n, k in (("x", 1), ("y", 0))]
    rows += [
        (f"curvature along {n}", check.curvature[:, i, j])
        for n, i, j in (("x", 1, 1), ("y", 0, 0), ("x and y", 0, 1))
    ]
    said = (
        "the plane shows what is there, to a tenth of its own scale"
        if bool(check.resolved)
        else "the plane does NOT resolve its centre: more --points, or a shorter --reach"
    )
    if not np.isclose(reach, asked):
        said += (
            f"; it goes {reach:g} each way, as its mesh does not resolve the centre at "
            f"{2 * reach:g}: --reach {asked:g} looks farther"
        )
    lines = [
        f"{'at the centre':22}{'as drawn':>14}{'exact':>14}",
        *(f"{name:22}{float(seen):>14.5g}{float(true):>14.5g}" for name, (seen, true) in rows),
        said,
    ]
    pairs = {name: {"drawn": drawn, "exact": exact} for name, (drawn, exact) in rows}
    return Part(lines, {"at_the_centre": pairs, "resolved": bool(check.resolved), "reach": reach})


def _band(settings: Slice, network: Network, value: Any, reach: float, unit: str) -> list:
    """The figure of many lines."""
    ts = jnp.linspace(-reach, reach, settings.points)
    bundle = jax.jit(
        lambda f, p, key, ts: slices.bundle(
            f, p, key, ts, lines=settings.lines, normalise=settings.along
        )
    )(value, network.point, key_of(settings.seed), ts)
    made, axes = plots.figure(width=6.0, height=4.0)
    parts = {name: np.asarray(getattr(bundle, name)) for name in ("low", "middle", "high")}
    ax = plots.band(
        axes[0, 0], np.asarray(ts), np.asarray(bundle.values), **parts, xlabel=unit,
        ylabel=f"{settings.value.replace('_', ' ')} on the training cases",
    )  # fmt: skip
    ax.set_title(f"{settings.lines} random lines, {network.name}", loc="left")
    return plots.save(
        made,
        figures_in(settings)
        / f"lines-{settings.along}-{settings.value}-{label(settings, [network])}",
    )


def draw_spectrum(settings: Spectrum) -> Report:
    """Print and draw the Hessian's eigenvalues at a network, and give the report.

    Up to spectra.EXACT parameters all of them, in float64.

    Raises:
        ValueError: k out of range; as `members.taken`.
    """
    posed, (network,) = taken(settings, 1)
    size = ravel_pytree(network.point)[0].size
    small = size <= spectra.EXACT
    if settings.starts < 2:
        raise ValueError(f"--starts is {settings.starts}: give at least 2")
    with jax.enable_x64(small):
        loss_fn, point = _in_dtype(
            (posed.loss_fn, network.point), np.float64 if small else np.float32
        )
        found = _measured(settings, loss_fn, point, small)
    folder, name = figures_in(settings), f"spectrum-{label(settings, [network])}"
    made, axes = plots.figure(width=6.0, height=4.0)
    title = f"{plots.plain(posed.source.name)}, {network.name}: {size} parameters"
    if small:
        plots.eigenvalues(axes[0, 0], found["all"], tolerance=found["tolerance"])
        axes[0, 0].set_title(title, loc="left")
    else:
        note = f"{title}\n{settings.starts} starts of {found['steps']} Lanczos steps, smoothed"
        plots.density(axes[0, 0], found["grid"], found["density"], note=note)
    files = plots.save(made, folder / name)
    text = "\n".join([title, *found.pop("report")])
    named = {"network": network.name, "parameters": size, **found}
    return Report(text, named, files, settings=vars(settings))


def _in_dtype(tree: Any, dtype: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, dtype)), tree)


def _measured(settings: Spectrum, loss_fn: Any, point: Any, small: bool) -> dict[str, Any]:
    keys = jax.random.split(key_of(settings.seed), 3)
    pairs = jax.jit(lambda f, p, k: spectra.extreme(f, p, k, k=settings.k))(loss_fn, point, keys[0])
    total = jax.jit(traces.trace)(loss_fn, point, keys[1])
    held = jax.jit(lambda f, p, k: spectra.density(f, p, k, starts=settings.starts))(
        loss_fn, point, keys[2]
    )
    norm = jnp.linalg.norm(ravel_pytree(jax.jit(jax.grad(loss_fn))(point))[0])
    report = [
        f"|gradient| {float(norm):.3g}; trace {float(total.value):.6g}"
        + ("" if small else f" +- {float(total.standard_error):.2g} (standard error)"),
        f"{'rank':>4}{'eigenvalue':>16}{'within':>11}   2 / eigenvalue",
    ]
    top = []
    for rank, (value, bound, sure) in enumerate(
        zip(pairs.eigenvalues, pairs.residuals, pairs.converged, strict=True), 1
    ):
        edge = f"{2 / float(value):.4g}" if float(value) > 0 else "-"
        flag = "" if bool(sure) else "   not converged"
        top.append({"eigenvalue": value, "within": bound, "converged": sure})
        report.append(f"{rank:>4}{float(value):>16.8g}{float(bound):>11.1e}   {edge}{flag}")
    measured = {"gradient_norm": norm, "trace": total, "largest": top}
    if small:
        values = held.nodes[0]
        signs = curvature.inertia(values)
        report.append(
            f"{int(signs.negative)} negative, {int(signs.zero)} zero to rounding (within "
            f"{float(signs.tolerance):.1e}), {int(signs.positive)} positive: index "
            f"{int(signs.negative)}"
        )
        counted = {"negative": signs.negative, "zero": signs.zero, "positive": signs.positive}
        return {
            "report": report, "all": np.asarray(values), "tolerance": float(signs.tolerance),
            "counts": counted, **measured,
        }  # fmt: skip
    low, high = float(held.nodes.min()), float(held.nodes.max())
    margin = 0.05 * (high - low)
    grid = jnp.linspace(low - margin, high + margin, 1000)
    density = held.smoothed(grid, 0.005 * (high - low))
    return {
        "report": report, "grid": np.asarray(grid), "density": np.asarray(density),
        "steps": held.nodes.shape[1], **measured,
    }  # fmt: skip
