"""Folders of IDX files as images and labels: MNIST and its kin, however an archive unpacks them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnn.files import check_file, read_idx
from jaxnn.vocabulary import lookup

_DIGITS = tuple("0123456789")
_CAPITALS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_MERGED = (*_DIGITS, *_CAPITALS, *"abdefghnqrt")


class Kind(NamedTuple):
    """Images of one source: what they show, its classes in the order of the labels, the first
    label, and what the files' names begin with.
    """

    shown: str
    classes: tuple[str, ...]
    first: int = 0
    prefix: str = ""


KINDS: Mapping[str, Kind] = {
    "mnist": Kind("handwritten digits", _DIGITS),
    "fashion_mnist": Kind("pieces of clothing", (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot")),
    "kmnist": Kind("cursive hiragana", (
        "o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
    "emnist_balanced": Kind("letters and digits, transposed", _MERGED, 0, "emnist-balanced-"),
    "emnist_byclass": Kind("letters and digits, transposed", (
        *_DIGITS, *_CAPITALS, *map(str.lower, _CAPITALS)), 0, "emnist-byclass-"),
    "emnist_bymerge": Kind("letters and digits, transposed", _MERGED, 0, "emnist-bymerge-"),
    "emnist_digits": Kind("handwritten digits, transposed", _DIGITS, 0, "emnist-digits-"),
    "emnist_letters": Kind("letters, transposed", tuple(map(str.lower, _CAPITALS)), 1,
                           "emnist-letters-"),
    "emnist_mnist": Kind("handwritten digits, transposed", _DIGITS, 0, "emnist-mnist-"),
}  # fmt: skip
"""By name. EMNIST's files hold each image with rows and columns exchanged (Cohen et al. 2017)."""

PARTS = {"train": ("train",), "test": ("t10k", "test")}
"""What the files of each part are called by."""
DEEPEST = 3
"""Folders below the given one that are looked into."""


def read_images(folder: Path, name: str, *, part: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """The images (cases, rows, columns) of unsigned bytes and the place of each one's class.

    The two IDX files may be gzipped, their names written with a dot or a dash, and lie in folders
    below this one, as archives unpack them.

    Raises:
        ValueError: a name or part that is none; no folder, no such files below it, or several; as
            `files.read_idx`; no images; another number of labels; a label that is no class.
    """
    kind = lookup(KINDS, name, what="set of images")
    words = lookup(PARTS, part, what="part of it")
    images_path, labels_path = _files(folder, name, kind.prefix, words)
    images, labels = read_idx(images_path, axes=3), read_idx(labels_path, axes=1)
    if not images.size:
        raise ValueError(f"{images_path}: holds no images (shape {images.shape})")
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path}: {len(labels)} labels, but {images_path} holds {len(images)} images"
        )
    last = kind.first + len(kind.classes) - 1
    wrong = (labels < kind.first) | (labels > last)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"{labels_path}: label {place} is {labels[place]}, wanted {kind.first} to {last} of "
            f"{name}"
        )
    return images, labels.astype(np.int64) - kind.first


def _files(folder: Path, name: str, prefix: str, words: tuple[str, ...]) -> tuple[Path, Path]:
    """The files of images and labels: of the highest folder that has both."""
    if not folder.is_dir():
        if folder.exists():
            raise ValueError(f"--data-dir {folder}: is no folder; give the one with the IDX files")
        raise ValueError(f"--data-dir {folder}: no such folder")
    _check_kind(folder, name)
    stem = f"{re.escape(prefix)}({'|'.join(words)})-(images|labels)[.-]idx[13]-ubyte"
    found: dict[Path, dict[str, list[Path]]] = {}
    for file in _below(folder):
        match = re.fullmatch(rf"{stem}(\.gz)?", file.name, re.IGNORECASE)
        if match:  # an archive may put each file in a folder of its own name
            own = re.fullmatch(stem, file.parent.name, re.IGNORECASE) and file.parent != folder
            home = found.setdefault(file.parent.parent if own else file.parent, {})
            home.setdefault(match[2].lower(), []).append(file)
    whole = {home: roles for home, roles in found.items() if len(roles) == 2}
    called = {home: _named_in(home.relative_to(folder)) for home in whole}
    named = [home for home in whole if called[home] == name]
    whole = {home: roles for home, roles in whole.items() if called[home] in (None, name)}
    depth = min((len(home.parts) for home in whole), default=0)
    homes = named or [home for home in whole if len(home.parts) == depth]
    wanted = [f"{prefix}{words[0]}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
    if not homes:
        raise ValueError(
            f"{folder}: holds no {' and '.join(wanted)}, gzipped or not, nor do folders below it; "
            "give the folder that does"
        )
    if len(homes) > 1:
        there = " and ".join(str(home) for home in sorted(homes)[:2])
        raise ValueError(f"{folder}: {there} both hold {wanted[0]}; give one of them")
    images, labels = (_one(whole[homes[0]][role]) for role in ("images", "labels"))
    return images, labels


def _below(folder: Path) -> Iterator[Path]:
    """The files in a folder and in those below it, in order."""
    for at, folders, files in os.walk(folder):
        folders.sort()
        if len(Path(at).relative_to(folder).parts) >= DEEPEST:
            folders.clear()
        yield from (Path(at) / file for file in sorted(files))


def _one(files: list[Path]) -> Path:
    """The file that is read: unpacked before packed, and no other beside it.

    Raises:
        ValueError: two files that both could be meant.
    """
    unpacked = [file for file in files if file.suffix != ".gz"] or files
    if len(unpacked) > 1:
        raise ValueError(f"{unpacked[0]} and {unpacked[1]} both could be meant; keep one of them")
    check_file(unpacked[0])
    return unpacked[0]


def _named_in(folder: Path) -> str | None:
    """The set of images that a folder's path names, such as FashionMNIST/raw, if one."""
    spelled = {name.replace("_", ""): name for name in KINDS}
    parts = [re.sub(r"[^a-z0-9]", "", part.lower()) for part in folder.parts]
    return next((spelled[part] for part in reversed(parts) if part in spelled), None)


def _check_kind(folder: Path, name: str) -> None:
    """Refuse a folder that is named after another set of images."""
    own = folder.absolute()
    other = _named_in(Path((own.parent if own.name == "raw" else own).name))
    if other is not None and other != name:
        raise ValueError(f"--data-dir {folder}: is named after {other}; give that for {name}")
