"""Training cases: small known problems, scikit-learn's bundled real data, MNIST and its kin, tables
of text.

Each function gives a `Batch` of float32; `load` gives a `Dataset` by name, with what is known about
it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn import summaries
from jaxnn.batches import as_batch, cases_of, chosen
from jaxnn.images import KINDS, read_images
from jaxnn.tables import Reading, Table, in_words, read_table
from jaxnn.vocabulary import Batch, lookup


class Dataset(NamedTuple):
    """Data by name: all its cases, or the training cases where the source has a test set apart.

    test: the source's own test cases, or None: then `split` what there is, unless `splits` is
        False.
    features: the inputs' names; empty where they have none.
    classes: the classes' names in the order of the outputs; empty where the targets are numbers.
    note: one line on where it comes from, how it was read and how it was scaled.
    read: what the reader of a file decided, as JSON; None where there was nothing to decide.
    """

    name: str
    batch: Batch
    test: Batch | None
    features: tuple[str, ...]
    classes: tuple[str, ...]
    splits: bool
    note: str
    read: Mapping[str, Any] | None = None

    _repr_html_ = summaries.html()


def _batch(inputs: Any, targets: Any) -> Batch:
    return Batch(jnp.asarray(inputs, jnp.float32), jnp.asarray(targets, jnp.float32))


def _truth_table(n: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=n)))


def parity(n: int) -> Batch:
    """All 2^n inputs of n bits; the target is 1 where an odd number of them is set: (2^n, n), (2^n,
    1).

    >>> parity(3).targets.ravel()
    Array([0., 1., 1., 0., 1., 0., 0., 1.], dtype=float32)

    Raises:
        ValueError: n below 1 or above 16.
    """
    if not 1 <= n <= 16:
        raise ValueError(f"parity of {n} bits: give 1 to 16")
    table = _truth_table(n)
    return _batch(table, table.sum(axis=1, keepdims=True) % 2)


def xor() -> Batch:
    """The four cases of exclusive or, (4, 2) and (4, 1). There is no test set: these are all the
    cases.

    >>> xor().targets.ravel()
    Array([0., 1., 1., 0.], dtype=float32)
    """
    return parity(2)


def xor_signed() -> Batch:
    """Exclusive or of two signs, inputs 1 and -1, targets 0.8 and -0.8, which tanh can reach:
    (4, 2) and (4, 1) (Coetzee & Stonick 1996).
    """
    inputs, targets = xor()
    return Batch(2.0 * inputs - 1.0, 1.6 * targets - 0.8)


def boolean_or() -> Batch:
    """The four cases of or, (4, 2) and (4, 1)."""
    table = _truth_table(2)
    return _batch(table, table.max(axis=1, keepdims=True))


def standardised(columns: np.ndarray) -> np.ndarray:
    """Each column (cases, columns) shifted to mean 0 and scaled to standard deviation 1 over all
    cases.

    A constant column becomes 0.
    """
    columns = np.asarray(columns, np.float64)
    # by a power of two, which is exact, so that squares of 1e300 are finite and of 1e-300 not 0
    columns = np.ldexp(columns, -np.frexp(np.abs(columns).max(axis=0))[1])
    centred = columns - columns.mean(axis=0)
    deviation = centred.std(axis=0)
    constant = deviation <= 1e-12 * np.abs(columns).max(axis=0)
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, deviation))


def one_hot(labels: Any, classes: int) -> np.ndarray:
    """1 in the label's column, 0 elsewhere: (cases, classes), from whole numbers in [0,
    classes).
    """
    return np.eye(classes, dtype=np.float32)[np.asarray(labels, np.int64)]


def _bundled(name: str) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    """scikit-learn's data set of this name, imported late, and the names of inputs and classes."""
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")()
    features, classes = (tuple(map(str, bunch[key])) for key in ("feature_names", "target_names"))
    return bunch, features, classes


def _measured(name: str) -> Batch:
    bunch, _, classes = _bundled(name)
    return _batch(standardised(bunch.data), one_hot(bunch.target, len(classes)))


def iris() -> Batch:
    """Fisher's irises: 150 cases, 4 measurements standardised over all cases, 3 species one-hot."""
    return _measured("iris")


def wine() -> Batch:
    """178 wines, 13 measurements standardised over all cases, 3 cultivars one-hot."""
    return _measured("wine")


def breast_cancer() -> Batch:
    """569 tumours, 30 measurements standardised over all cases, malignant and benign one-hot."""
    return _measured("breast_cancer")


def digits() -> Batch:
    """1797 handwritten digits of 8 x 8 pixels, grey levels 0 to 16 divided by 16, 10 digits
    one-hot.
    """
    bunch, _, classes = _bundled("digits")
    return _batch(bunch.data / 16.0, one_hot(bunch.target, len(classes)))


def mnist(folder: str | Path, *, part: str = "train", name: str = "mnist") -> Batch:
    """Images (cases, pixels), grey levels divided by 255, and their classes one-hot: MNIST's files,
    or with another name those of Fashion-MNIST, KMNIST or EMNIST.

    Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` of the folder, or with part="test"
    those of `t10k`, as `images.read_images` finds them.

    Raises:
        ValueError: a missing, truncated or overlong file, a wrong magic number, different numbers
            of images and labels, a label that is no class: with the file and the place in it.
    """
    return _pictures(name, *read_images(Path(folder), name, part=part))


def _pictures(name: str, images: np.ndarray, labels: np.ndarray) -> Batch:
    pixels = images.reshape(len(images), -1) / np.float32(255)
    return _batch(pixels, one_hot(labels, len(KINDS[name].classes)))


def csv(file: str | Path, **reading: Unpack[Reading]) -> Batch:
    """A table of text: columns of inputs, and a class or a number in the last column.

    Columns are parted by commas, semicolons, tabs, bars or spaces; the file may be gzipped, in
    UTF-8, UTF-16 or Latin-1, with comments and without names. Inputs are standardised over all
    cases, texts among them one-hot. The target holds classes, one-hot in the order of their names,
    if it holds texts or whole numbers of at most 20 different values. Other numbers are
    standardised into one target column, so that a loss of 1 is that of the mean.

    Args:
        file: of text, whatever its name ends in.
        reading: target, header, kind, drop and na, as `tables.Reading` says.

    Raises:
        ValueError: a file that is not there, empty, not text or without cases; rows of different
            lengths; a missing cell, numbers and texts in one column, NaN, infinity or what float32
            cannot hold; the same target everywhere; and whatever is doubtful: with the file, the
            line and the option that decides it.
    """
    return _from_table(read_table(Path(file), **reading))


def _from_table(table: Table) -> Batch:
    inputs = standardised(table.inputs)
    if table.classes:
        return _batch(inputs, one_hot(table.last, len(table.classes)))
    return _batch(inputs, standardised(table.last[:, None]))


def split(batch: Any, key: Array, test_share: float) -> tuple[Any, Any]:
    """The cases shuffled by key and parted: (train, test), round(test_share * cases) of them in
    test.

    batch: a `Batch`, a pair (inputs, targets), or any other pytree of arrays with a leading cases
    axis; both parts have its structure, those of a pair are a `Batch`.

    >>> train, test = split(parity(4), jax.random.key(0), 0.25)
    >>> len(train.inputs), len(test.inputs)
    (12, 4)

    Raises:
        ValueError: a share that leaves no case on one side; as `cases_of`.
    """
    batch = as_batch(batch)
    cases = cases_of(batch)
    tests = round(test_share * cases)
    if not 0 < tests < cases:
        raise ValueError(
            f"a share of {test_share} of {cases} cases for testing is {tests}: leave some on each "
            "side"
        )
    order = jax.random.permutation(key, cases)
    return chosen(batch, order[tests:]), chosen(batch, order[:tests])


_ALL = "all cases there are, so there is no test set"
_KNOWN = {
    "xor": (xor, False, f"exclusive or of two bits: {_ALL}"),
    "xor_signed": (xor_signed, False, f"exclusive or of two signs, targets 0.8 and -0.8: {_ALL}"),
    "boolean_or": (boolean_or, False, f"or of two bits: {_ALL}"),
    "parity3": (lambda: parity(3), False, f"parity of three bits: {_ALL}"),
    "parity4": (lambda: parity(4), False, f"parity of four bits: {_ALL}"),
    "iris": (iris, True, "Fisher's irises, bundled with scikit-learn; inputs standardised"),
    "wine": (wine, True, "wines, bundled with scikit-learn; inputs standardised"),
    "breast_cancer": (breast_cancer, True, "tumours, bundled with scikit-learn; standardised"),
    "digits": (
        digits,
        True,
        "8 x 8 handwritten digits, bundled with scikit-learn; inputs in [0, 1]",
    ),
}
NAMES = (*_KNOWN, *KINDS)


def load(name: str, *, data_dir: str | Path | None = None, **reading: Unpack[Reading]) -> Dataset:
    """The data set of this name: one of NAMES (images from the folder data_dir), or a path to a
    table of text, which is read as `csv` reads it.

    Raises:
        ValueError: an unknown name, images without data_dir, options of tables for what is none, or
            as `mnist` and `csv`.
    """
    if name not in NAMES and ("." in name or "/" in name):
        return _of_file(Path(name), reading)
    given = [option for option, value in reading.items() if value is not None]
    if given and name in NAMES:
        raise ValueError(f"--{given[0]} is for tables of text: {name} has nothing to decide")
    if name in KINDS:
        if data_dir is None:
            raise ValueError(f"{name} needs --data-dir, the folder that holds its four IDX files")
        return _of_images(name, data_dir)
    make, splits, note = lookup(_KNOWN, name, what="data set (or give a file.csv, or mnist)")
    batch = make()
    bits = batch.targets.shape[1] == 1
    _, features, classes = (None, (), ("0", "1")) if bits else _bundled(name)
    return Dataset(name, batch, None, features, classes, splits, note)


def _of_file(path: Path, reading: Reading) -> Dataset:
    table = read_table(path, **reading)
    note = f"{path.name}, {in_words(table.read)}; inputs standardised"
    name, batch = Path(path.name.removesuffix(".gz")).stem, _from_table(table)
    return Dataset(name, batch, None, table.features, table.classes, True, note, table.read)


def _of_images(name: str, folder: str | Path) -> Dataset:
    parts = [read_images(Path(folder), name, part=part) for part in ("train", "test")]
    sides, others = (" x ".join(map(str, images.shape[1:])) for images, _ in parts)
    if sides != others:
        raise ValueError(
            f"{folder}: images of {sides} pixels for training and {others} for testing; wanted one "
            "size"
        )
    train, test = (_pictures(name, *part) for part in parts)
    note = f"{sides} {KINDS[name].shown}, in [0, 1]"
    return Dataset(name, train, test, (), KINDS[name].classes, False, note)
