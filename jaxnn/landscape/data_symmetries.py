"""The symmetries of the training cases: columns, the biases' constant input 1 among them, exchanged
and reflected so that the same cases come out, and what that does to a network's parameters.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from jaxnn.losses import LossOn, penalised
from jaxnn.vocabulary import Batch

MOST_COLUMNS = 6
"""2^6 6! = 46080 signed permutations are tried, and as many again for each column that can change
places with the constant; seven columns would take 645120."""

ODD = ("tanh", "erf", "identity")
"""Activations with sigma(-u) = -sigma(u)."""


@dataclasses.dataclass(frozen=True)
class Columns:
    """Column i becomes sign_i times column order_i, plus shift_i: about the columns' centres."""

    order: tuple[int, ...]
    signs: tuple[int, ...]
    shift: tuple[float, ...]

    def of(self, rows: Any) -> Array:
        """The rows (cases, columns) with their columns moved."""
        order, signs, shift = _arrays(self, jnp.result_type(rows))
        return rows[:, order] * signs[None, :] + shift[None, :]


@dataclasses.dataclass(frozen=True)
class DataSymmetry:
    """Inputs x -> T x and targets d -> U d that map the set of cases onto itself; made by `of`.

    If the network f can be turned into U^-1 f(T x) by its parameters, that is a symmetry of the
    loss: sum |U^-1 f(T x) - d|^2 = sum |f(T x) - U d|^2, which are the same cases again.

    Where `exchanged` is a column j of numbers s = +-1, it first changes places with the input 1 of
    the biases, z = (x, 1) -> R z. R z ends in s, so it is s (x', 1): column j of x' is s, the
    others are s times those of x. A network odd in z gives s f(x') there, and |s f(x') - d| is
    |f(x') - s d|: the case (x, d) has become (x', s d), and T and U act on that.
    """

    inputs: Columns
    targets: Columns
    activation: str  # of the last layer
    odd: bool  # every layer's activation is
    penalised: bool
    close: float  # numbers of the cases that differ by no more are equal
    exchanged: int | None = None
    negates: bool = False  # some case has s = -1

    def cases(self, batch: Any) -> Batch:
        """The moved cases (T x', U s d), one for each case (x, d) of the batch: those of the loss
        in another order, where the batch is the loss's.
        """
        turned = _exchanged(jnp.asarray(batch[0]), jnp.asarray(batch[1]), self.exchanged)
        return Batch(self.inputs.of(turned[0]), self.targets.of(turned[1]))

    def obstacle(self, point: Any) -> str | None:
        """Why no motion of this network's parameters does it, or None where one does.

        A shift of the inputs moves the first layer's biases, and an identity output's shift the
        last layer's: they must be there and bear no penalty. Other outputs must be reflected
        into themselves: sigmoid about 1/2, tanh and erf about 0, relu not at all. A column
        changes places with the first layer's biases: they must be there, and where a case is
        negated, f(-x, -1) = -f(x, 1): odd activations, and no biases after the first layer.
        """
        if self.exchanged is not None and point[0][1] is None:
            return "a column changes places with the biases' input, which takes first-layer biases"
        if self.negates and not (self.odd and all(b is None for _, b in point[1:])):
            return "cases are negated, which takes odd activations and no biases in later layers"
        if any(self.inputs.shift) and (point[0][1] is None or self.penalised):
            return "the inputs are shifted, which takes biases in the first layer and l2 = 0"
        shift = np.array(self.targets.shift)
        signs = np.array(self.targets.signs)
        if self.activation == "identity":
            if np.any(shift) and (point[-1][1] is None or self.penalised):
                return "the outputs are shifted, which takes biases in the last layer and l2 = 0"
            return None
        turned = (1.0 - signs) / 2.0 if self.activation == "sigmoid" else np.zeros(len(shift))
        fits = np.allclose(shift, turned, rtol=0.0, atol=self.close)
        if not fits or (self.activation == "relu" and np.any(signs < 0)):
            return f"outputs of the activation {self.activation} cannot be moved like the targets"
        return None

    def apply(self, point: Any) -> Any:
        """The parameters of U^-1 f(T x), or U^-1 f(T R z), in the structure of the point; the loss
        is the same.

        Raises:
            ValueError: this network cannot do it (see `obstacle`).
        """
        why = self.obstacle(point)
        if why is not None:
            raise ValueError(f"this symmetry of the data is none of the loss: {why}")
        layers = [(jnp.asarray(W), None if b is None else jnp.asarray(b)) for W, b in point]
        W, b = layers[0]
        order, signs, shift = _arrays(self.inputs, W.dtype)
        if b is not None:
            b = b + W @ shift
        W = jnp.zeros_like(W).at[:, order].set(W * signs[None, :])
        if self.exchanged is not None:
            W, b = W.at[:, self.exchanged].set(b), W[:, self.exchanged]
        layers[0] = (W, b)
        W, b = layers[-1]  # the first, already moved, where there is no other
        # U o = s o_order + shift, so its inverse sends row i, less its shift, to row order_i
        order, signs, shift = _arrays(self.targets, W.dtype)
        if b is not None:
            moved = b - shift if self.activation == "identity" else b
            b = jnp.zeros_like(b).at[order].set(signs * moved)
        layers[-1] = (jnp.zeros_like(W).at[order, :].set(signs[:, None] * W), b)
        return jax.tree.unflatten(jax.tree.structure(point), jax.tree.leaves(layers))


def of(loss_fn: LossOn) -> tuple[DataSymmetry, ...]:
    """Every signed permutation of the input and of the target columns about their centres (x -> min
    + max - x) that maps the cases with their targets onto themselves; the identity first. Then
    those that also make a column of numbers +-1 change places with the biases' input 1.

    The last are only for odd networks, unless the column is all ones: see `DataSymmetry.obstacle`.
    There a motion and its negative are one, since -1 flips the sign of every hidden unit; the one
    whose last input is +s is listed. XOR with inputs +-1 and targets +-d has 8 symmetries with the
    last input at its place and 24 in all, the tetrahedron's with corners (x, 1) d.

    Exact, by trying all; cases agree where no number differs by more than 1e-9 of the largest
    (1e-5 in float32). A constant input column is not reflected: that would change no case. On the
    host.

    Raises:
        ValueError: a loss that is not from `loss_on`, or with a traced batch; more than
            MOST_COLUMNS inputs or targets.
    """
    if not isinstance(loss_fn, LossOn):
        raise ValueError(f"the loss is a {type(loss_fn).__name__}: give one made by jaxnn.loss_on")
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(loss_fn)):
        raise ValueError("the cases are compared on the host: call it outside jit and vmap")
    inputs, targets = (np.asarray(columns, np.float64) for columns in loss_fn.counted)
    for name, columns in (("inputs", inputs), ("targets", targets)):
        if columns.shape[1] > MOST_COLUMNS:
            raise ValueError(
                f"the batch has {columns.shape[1]} {name}: all signed permutations of at most "
                f"{MOST_COLUMNS} columns can be tried"
            )
    single = jnp.finfo(loss_fn.batch.inputs.dtype).bits < 64
    largest = max(float(np.max(np.abs(inputs))), float(np.max(np.abs(targets))))
    close = (1e-5 if single else 1e-9) * largest
    activation, l2 = loss_fn.activation, loss_fn.l2
    names = (activation,) if isinstance(activation, str) else activation
    known = {
        "activation": names[-1],
        "odd": all(name in ODD for name in names),
        "penalised": penalised(l2) and bool(np.any(np.asarray(l2))),
        "close": close,
    }
    units = np.flatnonzero(np.all(np.abs(np.abs(inputs) - 1.0) <= close, axis=0))
    result = []
    for column in (None, *map(int, units)):
        negates = column is not None and bool(np.any(inputs[:, column] < 0))
        if known["odd"] or not negates:
            result += [
                DataSymmetry(*motions, **known, exchanged=column, negates=negates)
                for motions in _motions(inputs, targets, close, column)
            ]
    return tuple(result)


def _motions(
    inputs: np.ndarray, targets: np.ndarray, close: float, exchanged: int | None
) -> Iterator[tuple[Columns, Columns]]:
    """Every T and U that map the cases, turned by the exchange, onto the cases."""
    turned, answers = _exchanged(inputs, targets, exchanged)
    codes_of_inputs = _codes(inputs, inputs, close)
    questions = _sorted_rows(codes_of_inputs)
    whole = _sorted_rows(codes_of_inputs, _codes(targets, targets, close))
    candidates = list(_candidates(targets, answers, close, reflect_constant=True))
    for columns, codes in _candidates(inputs, turned, close, reflect_constant=False):
        if _sorted_rows(codes) == questions:
            for answered, answer in candidates:
                if _sorted_rows(codes, answer) == whole:
                    yield columns, answered


def _exchanged(inputs: Any, targets: Any, column: int | None) -> tuple[Any, Any]:
    """The cases (x', s d), s the number +-1 in this column of x; for None the cases as they are."""
    if column is None:
        return inputs, targets
    s = inputs[:, [column]]
    others = (np.arange(inputs.shape[1]) != column)[None, :]
    return inputs * (others * s + ~others), targets * s


def _candidates(
    columns: np.ndarray, given: np.ndarray, close: float, *, reflect_constant: bool
) -> Iterator[tuple[Columns, np.ndarray]]:
    """Every signed permutation of the given columns that gives each of `columns` its own values, in
    whatever order of the cases, with the codes of the moved ones; the identity first.
    """
    (lowest, highest), (least, most) = (
        (np.min(table, axis=0), np.max(table, axis=0)) for table in (columns, given)
    )
    sums, given_sums, width = lowest + highest, least + most, columns.shape[1]
    fitting: list[list[tuple[int, int, float, np.ndarray]]] = []
    for i in range(width):
        own = _codes(columns[:, [i]], columns[:, [i]], close)
        moves = []
        for sign, j in itertools.product((1, -1), range(width)):
            shift = float(sums[i] - sign * given_sums[j]) / 2.0
            shift = 0.0 if abs(shift) <= close else shift
            codes = _codes(columns[:, [i]], sign * given[:, [j]] + shift, close)
            constant = most[j] - least[j] <= close
            if _sorted_rows(codes) == _sorted_rows(own) and (
                sign == 1 or reflect_constant or not constant
            ):
                moves.append((j, sign, shift, codes))
        fitting.append(sorted(moves, key=lambda move, i=i: (move[0] != i, -move[1])))
    for choice in itertools.product(*fitting):
        order, signs, shift, codes = zip(*choice, strict=True)
        if len(set(order)) == width:
            yield Columns(order, signs, shift), np.hstack(codes)


def _codes(columns: np.ndarray, moved: np.ndarray, close: float) -> np.ndarray:
    """For each number of `moved` the place of the value of that column that is as near as `close`,
    or -1 where there is none: integers, (cases, columns).
    """
    result = np.empty(moved.shape, np.int64)
    for i, (column, values) in enumerate(zip(columns.T, moved.T, strict=True)):
        known = np.sort(column)
        known = known[np.concatenate([[True], np.diff(known) > close])]
        right = np.clip(np.searchsorted(known, values), 0, len(known) - 1)
        left = np.maximum(right - 1, 0)
        nearest = np.where(
            np.abs(known[left] - values) < np.abs(known[right] - values), left, right
        )
        result[:, i] = np.where(np.abs(known[nearest] - values) <= 2.0 * close, nearest, -1)
    return result


def _sorted_rows(*codes: np.ndarray) -> bytes:
    """The rows of these tables side by side, in one order whatever order they came in."""
    rows = np.hstack(codes)
    return rows[np.lexsort(rows.T)].tobytes()


def _arrays(columns: Columns, dtype: Any) -> tuple[Array, Array, Array]:
    return (
        jnp.asarray(columns.order),
        jnp.asarray(columns.signs, dtype),
        jnp.asarray(columns.shift, dtype),
    )
