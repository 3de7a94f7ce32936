"""Training cases: small known problems, scikit-learn's bundled real data, MNIST files and CSV
files.

Each function gives a `Batch` of float32; `load` gives a `Dataset` by name, with what is known about
it.
"""

from __future__ import annotations

import csv as _csv
import gzip
import itertools
import math
import struct
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn.vocabulary import Batch, lookup


class Dataset(NamedTuple):
    """Data by name: all its cases, or the training cases where the source has a test set apart.

    test: the source's own test cases, or None: then `split` what there is, unless `splits` is
        False.
    features: the inputs' names; empty where they have none.
    classes: the classes' names in the order of the outputs; empty where the targets are numbers.
    note: one line on where it comes from and how it was scaled.
    """

    name: str
    batch: Batch
    test: Batch | None
    features: tuple[str, ...]
    classes: tuple[str, ...]
    splits: bool
    note: str


def _batch(inputs: Any, targets: Any) -> Batch:
    return Batch(jnp.asarray(inputs, jnp.float32), jnp.asarray(targets, jnp.float32))


def _truth_table(n: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=n)))


def parity(n: int) -> Batch:
    """All 2^n inputs of n bits; the target is 1 where an odd number of them is set: (2^n, n), (2^n,
    1).

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
    """
    return parity(2)


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


_MNIST_PARTS = {"train": "train", "test": "t10k"}


def mnist(folder: str | Path, *, part: str = "train") -> Batch:
    """MNIST's images (cases, 784), grey levels 0 to 255 divided by 255, and digits one-hot (cases,
    10).

    Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` of the folder, or with part="test"
    those of `t10k`; gzipped files ending in .gz serve as well.

    Raises:
        ValueError: a missing, truncated or overlong file, a wrong magic number, different numbers
            of images and labels, a label above 9: with the file and the place in it.
    """
    prefix = lookup(_MNIST_PARTS, part, what="part of MNIST")
    images_path, images = _idx(Path(folder), f"{prefix}-images-idx3-ubyte", axes=3)
    labels_path, labels = _idx(Path(folder), f"{prefix}-labels-idx1-ubyte", axes=1)
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path}: {len(labels)} labels, but {images_path} holds {len(images)} images"
        )
    if labels.max(initial=0) > 9:
        place = int(np.argmax(labels > 9))
        raise ValueError(f"{labels_path}: label {place} is {labels[place]}, wanted 0 to 9")
    return _batch(images.reshape(len(images), -1) / np.float32(255), one_hot(labels, 10))


def _idx(folder: Path, name: str, *, axes: int) -> tuple[Path, np.ndarray]:
    """The path and the array of one IDX file of unsigned bytes with this many axes."""
    candidates = [folder / name, folder / f"{name}.gz"]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise ValueError(f"{folder}: holds neither {name} nor {name}.gz; give the folder that does")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, OSError) as error:
        raise ValueError(f"{path}: cannot be unpacked ({error}); the file is damaged") from error
    header = 4 + 4 * axes
    if len(content) < header:
        raise ValueError(
            f"{path}: ends at byte {len(content)}, inside its header of {header} bytes"
        )
    magic, *shape = struct.unpack(f">{1 + axes}i", content[:header])
    if magic != 0x0800 + axes:
        raise ValueError(f"{path}: magic number {magic} at byte 0, wanted {0x0800 + axes}")
    if len(content) != header + math.prod(shape):
        raise ValueError(
            f"{path}: ends at byte {len(content)}, wanted {header + math.prod(shape)} "
            f"for shape {shape}"
        )
    return path, np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def csv(file: str | Path) -> Batch:
    """A table: a header, columns of numbers, and a class or a number in the last column.

    Inputs are standardised over all cases. If any last cell is not a number, the column holds
    classes, one-hot in the order of their names; whole numbers of at most 20 different values are
    classes too. Other numbers are standardised into one target column, so that a loss of 1 is that
    of the mean.

    Raises:
        ValueError: an empty file or one without cases, a missing or surplus cell, text or NaN among
            the inputs, a missing last cell, one class alone: with the file and the line.
    """
    return _table(Path(file))[0]


def _table(path: Path) -> tuple[Batch, tuple[str, ...], tuple[str, ...]]:
    """The batch of a CSV file, its inputs' names, and its classes' in the order of the outputs."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = _csv.reader(lines)
            rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    if len(rows) < 2:
        raise ValueError(f"{path}: {'no cases after the header' if rows else 'the file is empty'}")
    (_, header), *cases = rows
    if len(header) < 2:
        raise ValueError(
            f"{path}: line 1 has {len(header)} column, wanted inputs and a last column"
        )
    for line, row in cases:
        if len(row) != len(header):
            raise ValueError(
                f"{path}: line {line} has {len(row)} columns, the header {len(header)}"
            )
    inputs = [
        [_number(path, line, name, cell) for name, cell in zip(header[:-1], row[:-1], strict=True)]
        for line, row in cases
    ]
    last = [row[-1].strip() for _, row in cases]
    for (line, _), cell in zip(cases, last, strict=True):
        if not cell or cell.lower() in ("nan", "inf", "-inf"):
            raise ValueError(f"{path}: line {line}, column {header[-1]!r}: {cell!r} is no target")
    scaled = standardised(np.array(inputs))
    try:
        numbers = np.array([float(cell) for cell in last])
    except ValueError:
        numbers = None
    kinds = sorted(set(last)) if numbers is None else sorted(set(last), key=float)
    if len(kinds) < 2:
        raise ValueError(
            f"{path}: column {header[-1]!r} is {kinds[0]!r} everywhere: nothing to learn"
        )
    if numbers is None or (len(kinds) <= 20 and bool(np.all(numbers == np.round(numbers)))):
        labels = [kinds.index(cell) for cell in last]
        return _batch(scaled, one_hot(labels, len(kinds))), tuple(header[:-1]), tuple(kinds)
    return _batch(scaled, standardised(numbers[:, None])), tuple(header[:-1]), ()


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path}: line {line}, column {column!r}: {cell!r} is not a finite number")
    return value


def split(batch: Batch, key: Array, test_share: float) -> tuple[Batch, Batch]:
    """The cases shuffled by key and parted: (train, test), round(test_share * cases) of them in
    test.

    Raises:
        ValueError: a share that leaves no case on one side.
    """
    cases = len(batch.inputs)
    tests = round(test_share * cases)
    if not 0 < tests < cases:
        raise ValueError(
            f"test_share {test_share} of {cases} cases is {tests}: leave some on each side"
        )
    order = jax.random.permutation(key, cases)
    rest, drawn = order[tests:], order[:tests]
    return (
        Batch(batch.inputs[rest], batch.targets[rest]),
        Batch(batch.inputs[drawn], batch.targets[drawn]),
    )


_ALL = "all cases there are, so there is no test set"
_KNOWN = {
    "xor": (xor, False, f"exclusive or of two bits: {_ALL}"),
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
NAMES = (*_KNOWN, "mnist")


def load(name: str, *, data_dir: str | Path | None = None) -> Dataset:
    """The data set of this name: one of NAMES (mnist from the folder data_dir), or a path to a .csv
    file.

    Raises:
        ValueError: an unknown name, mnist without data_dir, or as `mnist` and `csv`.
    """
    if name.lower().endswith(".csv"):
        batch, features, classes = _table(Path(name))
        note = f"{Path(name).name}; inputs standardised"
        return Dataset(Path(name).stem, batch, None, features, classes, True, note)
    if name == "mnist":
        if data_dir is None:
            raise ValueError("mnist needs --data-dir, the folder that holds its four IDX files")
        train, test = mnist(data_dir), mnist(data_dir, part="test")
        classes = tuple(str(digit) for digit in range(10))
        note = "28 x 28 handwritten digits, in [0, 1]"
        return Dataset(name, train, test, (), classes, False, note)
    make, splits, note = lookup(_KNOWN, name, what="data set (or give a .csv file, or mnist)")
    batch = make()
    bits = batch.targets.shape[1] == 1
    _, features, classes = (None, (), ("0", "1")) if bits else _bundled(name)
    return Dataset(name, batch, None, features, classes, splits, note)
