"""Folders of images: however they are named, packed and nested; every fault with its file."""

import gzip
import struct

import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn import data, images
from jaxnn.studies.data_settings import IMAGES

LABELS = [3, 1, 2, 1]


def idx(array):
    """The bytes of an IDX file of unsigned bytes."""
    array = np.asarray(array, np.uint8)
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def write(folder, *, prefix="", words=("train", "t10k"), dot="-", side=4, packed=False, suffix="",
          nested=False, labels=LABELS):  # fmt: skip
    """Four small files as some archive holds them."""
    pixels = np.arange(len(labels) * side * side).reshape(-1, side, side) % 256
    for word in words:
        for kind, array in (("images", pixels), ("labels", labels)):
            name = f"{prefix}{word}-{kind}{dot}idx{np.ndim(array)}-ubyte{suffix}"
            home = folder / name if nested else folder
            home.mkdir(parents=True, exist_ok=True)
            content = idx(array)
            (home / name).write_bytes(gzip.compress(content) if packed else content)


def test_every_name_of_the_settings_is_known_and_says_what_is_shown(tmp_path):
    assert set(IMAGES) == set(images.KINDS)
    for name, kind in images.KINDS.items():
        write(tmp_path / "images", prefix=kind.prefix)
        dataset = data.load(name, data_dir=tmp_path / "images")
        assert dataset.classes == kind.classes
        assert dataset.note == f"4 x 4 {kind.shown}, in [0, 1]"  # not of 28 x 28
        assert dataset.batch.targets.shape == (4, len(kind.classes))


def test_letters_are_numbered_from_1(tmp_path):
    write(tmp_path, prefix="emnist-letters-", labels=[1, 26, 2])
    dataset = data.load("emnist_letters", data_dir=tmp_path)
    called = [dataset.classes[k] for k in jnp.argmax(dataset.batch.targets, axis=1)]
    assert called == ["a", "z", "b"]
    write(tmp_path, prefix="emnist-letters-", labels=[1, 0, 2])
    with pytest.raises(ValueError, match="label 1 is 0, wanted 1 to 26 of emnist_letters"):
        data.load("emnist_letters", data_dir=tmp_path)


@pytest.mark.parametrize(
    "way",
    [
        {"dot": "."},
        {"packed": True, "suffix": ".gz"},
        {"packed": True},
        {"suffix": ".gz"},
        {"nested": True},
        {"dot": ".", "nested": True},
        {"words": ("train", "test")},
    ],
)
@pytest.mark.parametrize("below", ["", "MNIST/raw", "archive/a"])
def test_files_are_found_as_archives_unpack_them(tmp_path, way, below):
    write(tmp_path / below, **way)
    for part in ("train", "test"):
        batch = data.mnist(tmp_path, part=part)
        assert jnp.argmax(batch.targets, axis=1).tolist() == LABELS
        np.testing.assert_allclose(batch.inputs[0] * 255, np.arange(16), rtol=1e-6)


def test_a_folder_of_several_sets_gives_the_one_that_is_asked_for(tmp_path):
    write(tmp_path / "MNIST" / "raw", labels=[1, 2])
    write(tmp_path / "FashionMNIST" / "raw", labels=[3, 4, 5])
    assert len(data.mnist(tmp_path).inputs) == 2
    assert len(data.mnist(tmp_path, name="fashion_mnist").inputs) == 3
    with pytest.raises(ValueError, match="holds no train-images"):
        data.mnist(tmp_path, name="kmnist")
    with pytest.raises(ValueError, match="FashionMNIST/raw: is named after fashion_mnist; give"):
        data.mnist(tmp_path / "FashionMNIST" / "raw")
    write(tmp_path / "b" / "one")
    write(tmp_path / "b" / "two")
    with pytest.raises(ValueError, match=r"b/one and .*b/two both hold train-images-idx3-ubyte"):
        data.mnist(tmp_path / "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (struct.pack(">4I", 0x803, 2**31, 28, 28), "claims 1683627180032 bytes for shape"),
        (struct.pack(">4I", 0x803, 60_000, 28, 28), "ends at byte 16, wanted 47040016"),
        (
            gzip.compress(idx(np.zeros((4, 4, 4))) + bytes(2**24), mtime=0),
            "goes on after byte 80, where",
        ),
        (struct.pack(">4I", 0x803, 4, 0, 4), "holds no images"),
        (b"", "ends at byte 0, inside its header of 16"),
    ],
)
def test_headers_that_claim_what_the_file_does_not_hold_are_refused(tmp_path, content, message):
    write(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=f"train-images-idx3-ubyte: {message}"):
        data.mnist(tmp_path)


def test_what_is_no_folder_is_called_what_it_is(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, message in ((tmp_path / "file", "is no folder"), (tmp_path / "no", "no such folder")):
        with pytest.raises(ValueError, match=message):
            data.mnist(path)
    write(tmp_path)
    write(tmp_path, words=("t10k",), side=5)
    with pytest.raises(ValueError, match="4 x 4 pixels for training and 5 x 5 for testing"):
        data.load("mnist", data_dir=tmp_path)
