"""Why an eigenvalue of the Hessian is 0: symmetry, a parameter that nothing responds to, or more
parameters than the cases ask for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.landscape.curvature import hessian
from jaxnn.landscape.quadratics import flat_below, local_of, spectrum
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.vocabulary import Landscape


class Nulls(NamedTuple):
    """How many independent directions of zero curvature come from what; together all of them.

    symmetry: motions of the continuous group, such as relu scales. saturation: parameters that
    nothing responds to, alone: those of units that are saturated or dead on all cases, or whose
    outgoing weights are 0. over_parameterisation: the rest, along which the parameters can be
    exchanged for one another.
    """

    symmetry: int
    over_parameterisation: int
    saturation: int

    _repr_html_ = summaries.html()


def nulls(
    loss_fn: Landscape,
    point: Any,
    symmetry: Symmetry,
    *,
    matrix: np.ndarray | None = None,
    zero: int | None = None,
) -> Nulls:
    """The zero eigenvalues of the Hessian at a stationary point by where they come from; on the
    host.

    A parameter counts as one that nothing responds to where its row of the Hessian is 0
    (`quadratics.flat_below`); directions of the group that lie among those count as saturation.

    matrix: the Hessian (P, P), where it is known; zero: how many of its eigenvalues count as 0,
    default by `quadratics.spectrum`.

    Raises:
        ValueError: as `hessian` and `Symmetry.tangents`.
    """
    matrix = np.asarray(hessian(loss_fn, point) if matrix is None else matrix)
    values = np.linalg.eigvalsh(matrix)
    close = float(flat_below(jax.numpy.asarray(values)))
    zero = _zeros(loss_fn, point) if zero is None else zero
    idle = np.linalg.norm(matrix, axis=1) <= close
    moves = symmetry.tangents(point)[:, ~idle]
    moving = int(np.linalg.matrix_rank(moves, tol=1e-8)) if moves.size else 0
    dead = min(int(idle.sum()), zero)
    moving = min(moving, zero - dead)
    return Nulls(moving, zero - dead - moving, dead)


def _zeros(loss_fn: Landscape, point: Any) -> int:
    """How many eigenvalues count as 0."""
    flat, unravel = ravel_pytree(point)
    at = local_of(loss_fn, unravel)
    values, close = spectrum(at, flat, at(flat), jax.numpy.max(jax.numpy.abs(flat)))
    return int(np.sum(np.abs(values) <= close))
