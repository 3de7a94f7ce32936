"""Networks taken from a store: which, with their problem posed again as it was."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnn import results
from jaxnn.stopping import Outcome
from jaxnn.studies import problem
from jaxnn.studies.problem import Posed, as_params
from jaxnn.studies.settings import OfStore, Study
from jaxnn.studies.stores import check_networks, manifest_of, settings_of
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME

FIGURES = ("slice-*", "lines-*", "spectrum-*", "path-*", "align-*")
"""What the commands of a store's networks write."""


class Network(NamedTuple):
    """A network of a store: its name, its place (scheme, scale, member), its final loss and number
    of updates as stored, and its point and start.
    """

    name: str
    place: tuple[int, int, int]
    final_loss: float
    steps: int
    point: Any
    start: Any


def taken(settings: OfStore, count: int) -> tuple[Posed, list[Network]]:
    """The store's problem and so many of its networks, as the settings choose.

    Raises:
        ValueError: no store there; an unknown scheme, scale or member; another number of members
            than `count`; data that are not those of the study; a folder for the figures that holds
            something else.
    """
    if not 0 <= settings.seed < 2**32:
        raise ValueError(f"--seed is {settings.seed}: give a whole number from 0 to 2^32 - 1")
    if settings.out is not None:
        results.refuse_foreign(settings.out, ours=FIGURES)
    posed = _posed(settings, manifest_of(settings.store, study="initial weights"))
    dataset = results.load(settings.store)
    check_networks(settings.store, dataset)
    _check_layers(settings.store, dataset, posed.sizes)
    places = (
        _named(settings, dataset, count) if settings.member else _best(settings, dataset, count)
    )
    return posed, [_network(dataset, place, settings.at) for place in places]


def _posed(settings: OfStore, manifest: dict[str, Any]) -> Posed:
    typed = {} if settings.data is None else {"data": str(settings.data)}
    asked = settings_of(settings.store, manifest, Study, data_dir=settings.data_dir, **typed)
    posed = problem.pose(asked)
    if problem.digest(posed) != manifest["data"].get("sha256"):
        raise ValueError(
            f"{settings.store}: its networks were trained on other data than {asked.data} holds "
            "now; give the study's own by --data or --data-dir"
        )
    return posed


def _check_layers(path: Path, dataset: Any, sizes: Sequence[int]) -> None:
    """Refuse weights and biases that are not those of a network of these sizes.

    Raises:
        ValueError: with the first that is not.
    """
    pairs = enumerate(itertools.pairwise(sizes), start=1)
    shapes = {k: (before, units) for k, (before, units) in pairs}
    for when, (k, (before, units)) in itertools.product(("initial", "final"), shapes.items()):
        for name, shape in ((f"weights_{k}", (units, before)), (f"biases_{k}", (units,))):
            there = dataset.get(f"{when}_{name}")
            if there is None or there.shape[3:] != shape or there.dtype.kind != "f":
                raise ValueError(
                    f"{path}: {when}_{name} is not that of a network {'-'.join(map(str, sizes))}"
                )


def _cells(settings: OfStore, dataset: Any) -> list[tuple[int, int]]:
    """The (scheme, scale) pairs that the settings leave."""
    schemes = [str(s) for s in dataset[SCHEME].values]
    scales = [float(s) for s in dataset[SCALE].values]
    if settings.scheme is not None and settings.scheme not in schemes:
        raise ValueError(f"--scheme {settings.scheme}: the store has {', '.join(schemes)}")
    if settings.scale is not None and settings.scale not in scales:
        there = ", ".join(f"{s:g}" for s in scales)
        raise ValueError(f"--scale {settings.scale:g}: the store has {there}")
    return [
        (i, j)
        for i, scheme in enumerate(schemes)
        for j, scale in enumerate(scales)
        if settings.scheme in (None, scheme) and settings.scale in (None, scale)
    ]


def _named(settings: OfStore, dataset: Any, count: int) -> list[tuple[int, int, int]]:
    if settings.best:
        raise ValueError("--member and --best both say which networks: give one")
    if len(settings.member) != count:
        raise ValueError(f"--member names {len(settings.member)} networks: give {count}")
    cells, members = _cells(settings, dataset), dataset.sizes[MEMBER]
    if len(cells) > 1:
        raise ValueError(
            f"--member counts within a scheme and scale, and {len(cells)} are left: give --scheme "
            f"and --scale, of {', '.join(map(str, dataset[SCHEME].values))} and "
            f"{', '.join(f'{s:g}' for s in dataset[SCALE].values)}"
        )
    if len(set(settings.member)) < count:
        raise ValueError(f"--member {' '.join(map(str, settings.member))}: name different networks")
    for member in settings.member:
        if not 0 <= member < members:
            raise ValueError(f"--member {member}: there are {members}, 0 to {members - 1}")
        if int(dataset.outcome.values[(*cells[0], member)]) < 0:
            raise ValueError(f"--member {member}: not trained yet; go on with the study first")
    return [(*cells[0], member) for member in settings.member]


def _best(settings: OfStore, dataset: Any, count: int) -> list[tuple[int, int, int]]:
    """Those with the lowest final loss that did not diverge, best first; of those that started
    from the same unit draws, the best alone.
    """
    losses = np.where(dataset.outcome.values == Outcome.diverged, np.nan, dataset.final_loss.values)
    open_cells = np.full(losses.shape, False)
    for cell in _cells(settings, dataset):
        open_cells[cell] = True
    losses = np.where(open_cells, losses, np.nan)
    places: dict[int, tuple[int, int, int]] = {}
    for at in np.argsort(losses, axis=None, kind="stable")[: int(np.isfinite(losses).sum())]:
        scheme, scale, member = (int(n) for n in np.unravel_index(at, losses.shape))
        places.setdefault(member, (scheme, scale, member))
    if len(places) < count:
        raise ValueError(f"{settings.store}: {len(places)} trained networks fit, wanted {count}")
    return list(places.values())[:count]


def _network(dataset: Any, place: tuple[int, int, int], at: str) -> Network:
    scheme, scale, member = place
    points = {when: params_of(dataset, place, when) for when in ("initial", "final")}
    return Network(
        name=f"{dataset[SCHEME].values[scheme]} at scale {dataset[SCALE].values[scale]:g}, "
        f"network {member}" + (" at its start" if at == "initial" else ""),
        place=place,
        final_loss=float(dataset.final_loss.values[place]),
        steps=int(dataset.steps.values[place]),
        point=points[at],
        start=points["initial"],
    )


def params_of(dataset: Any, place: tuple[int, int, int], when: str) -> Any:
    """The "initial" or "final" weights and biases at this place of a store, as layers."""
    layers = sum(str(name).startswith(f"{when}_weights_") for name in dataset)
    names = [f"{when}_{kind}_{k}" for k in range(1, layers + 1) for kind in ("weights", "biases")]
    return as_params([dataset[name].values[place] for name in names])


def label(settings: OfStore, networks: list[Network]) -> str:
    """Part of a file's name: the networks' places (scheme, scale and member, counted from 0)."""
    places = "-".join("_".join(map(str, network.place)) for network in networks)
    return places if settings.at == "final" else f"{places}-{settings.at}"


def figures_in(settings: OfStore) -> Path:
    """Where the figures go."""
    return settings.out or settings.store / "figures"
