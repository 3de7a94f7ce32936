"""What the members of an ensemble share of a landscape or a rule, and what each has for itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

Axes = Any
"""Which leaves have a members axis: None, none of them; 0, all; {"l2": 0}, those of these fields or
keys; or a tree of None and 0 that is a prefix of the whole, as in jax.vmap's in_axes."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Shared:
    """A tree without the leaves that each member has for itself."""

    leaves: tuple[Any, ...]
    own: tuple[bool, ...] = dataclasses.field(metadata={"static": True})
    structure: Any = dataclasses.field(metadata={"static": True})


def split(tree: Any, axes: Axes, members: int, *, what: str) -> tuple[tuple[Any, ...], Shared]:
    """The leaves that have a members axis, leading, and the rest, for `join`.

    Raises:
        ValueError: axes that name nothing in the tree or do not fit it, or a leaf without one entry
            per member; `what` names the argument.
    """
    paths, structure = jax.tree_util.tree_flatten_with_path(tree)
    own = _owned(tree, axes, paths, what)
    for (path, leaf), mine in zip(paths, own, strict=True):
        if mine and np.shape(leaf)[:1] != (members,):
            raise ValueError(
                f"{what} gives each member its own {_spoken(path)}, which has shape "
                f"{np.shape(leaf)}: wanted {members} entries along the first axis"
            )
    leaves = [leaf for _, leaf in paths]
    return (
        tuple(leaf for leaf, mine in zip(leaves, own, strict=True) if mine),
        Shared(
            tuple(leaf for leaf, mine in zip(leaves, own, strict=True) if not mine), own, structure
        ),
    )


def join(own: tuple[Any, ...], shared: Shared) -> Any:
    """The whole tree for one member."""
    mine, common = iter(own), iter(shared.leaves)
    leaves = [next(mine) if is_own else next(common) for is_own in shared.own]
    return jax.tree.unflatten(shared.structure, leaves)


def _owned(tree: Any, axes: Axes, paths: list, what: str) -> tuple[bool, ...]:
    """Whether each leaf has a members axis."""
    if isinstance(axes, Mapping):
        names = [{_name(key) for key in path} for path, _ in paths]
        unknown = sorted(name for name in axes if not any(name in there for there in names))
        if unknown:
            known = ", ".join(_spoken(path) for path, _ in paths)
            raise ValueError(f"{what} names {', '.join(unknown)}, but there is only: {known}")
        return tuple(any(axes.get(name) == 0 for name in there) for there in names)

    def spread_over(mark: Any, part: Any) -> Any:
        if mark is not None and mark != 0:
            raise ValueError(f"{what} holds {mark!r}: wanted None, 0, or names, as in {{'l2': 0}}")
        return jax.tree.map(lambda _: mark is not None, part)

    if axes is None or isinstance(axes, int):
        marks = spread_over(axes, tree)
    else:
        try:
            marks = jax.tree.map(spread_over, axes, tree, is_leaf=lambda part: part is None)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{what} does not fit what it describes: {error}") from error
    return tuple(jax.tree.leaves(marks))


def _name(key: Any) -> str:
    return str(getattr(key, "name", getattr(key, "key", key)))


def _spoken(path: Any) -> str:
    return ".".join(_name(key) for key in path) or "number"
