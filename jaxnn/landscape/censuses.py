"""The classes of what searches ended at, and what they add up to."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.intervals import Unseen, unseen
from jaxnn.landscape.polishing import Ending

APART = "symmetries not known: images count apart"
"""What is said of the classes of a landscape that is no `loss_on`."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Census:
    """Classes of what searches ended at, a row each, by loss; on the host, in float64.

    points: one of each class, (classes, ...) each leaf. losses: at an attractor at infinity the
    limit. orbit_size: how many points the discrete symmetries make of it; NaN for a flat set, an
    attractor at infinity, where `orbits.size` cannot count, and where symmetries are not known.
    nulls: zero eigenvalues from
    symmetry, over-parameterisation and saturation (classes, 3). hits: searches that ended there.
    accuracy: share of cases classified correctly; NaN for what is no network. families: classes
    with one number are images under the symmetries of the data. labels: (searches,) the class of
    each, -1 for none. endings: how many searches ended with each code of `Ending`. spread: the
    largest distance between two points called one; gap: the smallest between two of like loss and
    index that are not; tolerance lies between. grows: whether the loss grows in every direction.
    converted: whether starts came in another dtype than float64. last: the loss last seen of each
    unfinished search, which is no limit. known: whether the symmetries are; else images count
    apart.
    """

    points: Any
    losses: np.ndarray
    index: np.ndarray
    zero: np.ndarray
    nulls: np.ndarray
    ending: np.ndarray
    orbit_size: np.ndarray
    hits: np.ndarray
    accuracy: np.ndarray
    families: np.ndarray
    eigenvalues: np.ndarray
    labels: np.ndarray
    endings: np.ndarray
    spread: float
    gap: float
    tolerance: float
    grows: bool = dataclasses.field(metadata={"static": True})
    converted: bool = dataclasses.field(metadata={"static": True})
    last: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    known: bool = dataclasses.field(default=True, metadata={"static": True})

    _repr_html_ = summaries.html(
        also=("kinds", "symmetries", "unfinished", "missing", "morse_sum"), ending=Ending
    )

    @property
    def symmetries(self) -> str:
        """Whether images count as one class."""
        return "images are one class" if self.known else APART

    @property
    def unfinished(self) -> str:
        """What is known of the searches that reached no limit, in words."""
        return unfinished(self.last)

    @property
    def kinds(self) -> list[str]:
        """A word for each class: minimum, saddle, maximum, flat, flat saddle, or attractor (at
        infinity).

        Flat is what has zero eigenvalues that no symmetry explains. Without a negative one it may
        be a set of minima, as one of zero loss is, or none: the Hessian does not tell.
        """
        size = self.eigenvalues.shape[1]
        words = []
        rows = zip(self.ending, self.index, self.zero, self.nulls[:, 0], strict=True)
        for ending, index, zero, by_symmetry in rows:
            isolated = "maximum" if index + by_symmetry == size else "saddle"
            isolated = "minimum" if index == 0 else isolated
            flat = "flat" if index == 0 else "flat saddle"
            stationary = flat if zero > by_symmetry else isolated
            words.append("attractor" if ending == Ending.plateau else stationary)
        return words

    @property
    def missing(self) -> Unseen:
        """What the hits say of families not found (`intervals.unseen`): a class whose image under
        the symmetries of the data was found is known too. An unfinished search may have been on its
        way to a new one, and what lies at a kink is in no class.
        """
        hits = np.bincount(self.families, weights=self.hits).astype(int)
        return unseen(hits[hits > 0], unfinished=self._outside)

    @property
    def _outside(self) -> int:
        """How many searches ended in no class, and may be of one that is not known."""
        return int(self.endings[Ending.unfinished] + self.endings[Ending.kink])

    @property
    def morse_sum(self) -> float:
        """The sum of (-1)^index over all points of all classes: 1 for a complete census where the
        loss grows in every direction and all points are isolated (Morse; Milnor 1963, section 5).

        What unfinished searches were on their way to is not in it. Where symmetries are not known a
        class is one point. NaN without classes, where some class is flat or at infinity, or moved
        by a continuous symmetry, and where a search ended at a kink: what is there is in no class.
        """
        kinks, empty = self.endings[Ending.kink] > 0, not len(self.losses)
        if kinks or empty or np.any(self.zero > 0) or np.any(self.ending != Ending.stationary):
            return math.nan
        return float(np.sum((-1.0) ** self.index * self._points))

    @property
    def _points(self) -> np.ndarray:
        """How many points each class is."""
        return self.orbit_size if self.known else np.ones(len(self.losses))

    def table(self) -> str:
        """A line for each class, and what the whole adds up to."""
        head = (
            f"{'class':>5} {'loss':>12} {'kind':14}{'index':>5}{'zero':>5}{'orbit':>8}{'family':>7}"
        )
        lines = [f"{head}{'right':>7}{'hits':>8}"]
        kinds = self.kinds
        for k, loss in enumerate(self.losses):
            orbit = f"{self.orbit_size[k]:.0f}" if np.isfinite(self.orbit_size[k]) else "-"
            right = f"{self.accuracy[k]:.0%}" if np.isfinite(self.accuracy[k]) else "-"
            lines.append(
                f"{k:>5} {loss:>12.7g} {kinds[k]:14}{self.index[k]:>5}{self.zero[k]:>5}{orbit:>8}"
                f"{self.families[k]:>7}{right:>7}{self.hits[k]:>8}"
            )
        return "\n".join([*lines, *self._summary()])

    def _summary(self) -> list[str]:
        kinds = self.kinds
        counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
        said = ", ".join(counted(count, kind) for kind, count in counts.items())
        families = len(set(self.families.tolist()))
        found = self.missing
        one, some = ("family", "families") if self.known else ("class", "classes")
        lost = int(self.endings[Ending.unfinished])
        kinks = int(self.endings[Ending.kink])
        outside = [f"{lost} unfinished"] * (lost > 0) + [f"{kinks} at kinks"] * (kinks > 0)
        doubt = f", the {' and '.join(outside)} counted as new" if outside else ""
        searches = len(self.labels)
        names = ", ".join(
            f"{count} {Ending(code).name}" for code, count in enumerate(self.endings) if count
        )
        if not len(self.losses):
            none = f"{searches} searches: {names}; none of them ended in a class"
            return [none, *([self.unfinished] if len(self.last) else [])]
        lines = [
            f"{len(self.losses)} classes ({said}), "
            + (f"{families} modulo the symmetries of the data" if self.known else APART),
            f"{searches} searches: {names}",
            *([self.unfinished] if len(self.last) else []),
            f"a further search ends in a new {one} with probability {found.share:.2g} (95 %: "
            f"{found.low:.2g} to {found.high:.2g}{doubt}); at least {found.classes:.2g} {some} are "
            "missing",
            f"points of one class are within {self.spread:.1e} of each other; the tolerance is "
            f"{self.tolerance:.1e}"
            + (f", the nearest of two are {self.gap:.1e} apart" if self.gap < math.inf else ""),
        ]
        if not math.isnan(self.morse_sum):
            proof = "1 where none is missing" if self.grows else "the loss need not grow everywhere"
            points = f"{np.sum(self._points):.0f}"
            rest = f"; what {lost} unfinished searches lead to is not in it" if lost else ""
            lines.append(
                f"{points} points; their sum of (-1)^index is {self.morse_sum:.0f} ({proof}){rest}"
            )
        if self.converted:
            lines.append("the starts were converted to float64")
        return lines


def unfinished(last: Any) -> str:
    """What is known of searches that reached no limit, in words; last: the losses last seen."""
    losses = np.asarray(last, float)
    if not len(losses):
        return "none"
    low, middle, high = (f"{f(losses):.6g}" for f in (np.min, np.median, np.max))
    seen = low if len(losses) == 1 else f"{low} to {high}, median {middle}"
    return f"{len(losses)} unfinished: no limit was reached, loss last seen {seen}"


def counted(count: int, kind: str) -> str:
    """So many of this kind, in words."""
    if count == 1:
        return "1 flat set" if kind == "flat" else f"1 {kind}"
    endings = {"flat": "flat sets", "minimum": "minima", "maximum": "maxima"}
    return f"{count} {endings.get(kind, kind + 's')}"
