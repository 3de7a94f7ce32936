"""Data: the small problems by their truth tables, real data by their known sizes, and every fault
in a file.
"""

import gzip
import struct
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import datasets

from jaxnn import data

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"


def test_xor_or_and_parity_are_their_truth_tables():
    assert data.xor().inputs.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.xor().targets.tolist() == [[0], [1], [1], [0]]
    signed = data.xor_signed()
    assert signed.inputs.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    np.testing.assert_allclose(signed.targets[:, 0], [-0.8, 0.8, 0.8, -0.8], rtol=1e-6)
    assert data.boolean_or().targets.tolist() == [[0], [1], [1], [1]]
    parity = data.parity(4)
    assert parity.inputs.shape == (16, 4)
    assert parity.targets[:, 0].tolist() == [bin(i).count("1") % 2 for i in range(16)]


@pytest.mark.parametrize(
    ("name", "cases", "inputs", "classes"),
    [
        ("iris", 150, 4, 3),
        ("wine", 178, 13, 3),
        ("breast_cancer", 569, 30, 2),
        ("digits", 1797, 64, 10),
    ],
)
def test_real_data_are_scikit_learns_scaled_and_one_hot(name, cases, inputs, classes):
    dataset = data.load(name)
    bunch = getattr(datasets, f"load_{name}")()
    assert dataset.batch.inputs.shape == (cases, inputs)
    assert dataset.batch.targets.shape == (cases, classes) == (cases, len(dataset.classes))
    assert jnp.argmax(dataset.batch.targets, axis=1).tolist() == bunch.target.tolist()
    assert bool(jnp.all(jnp.sum(dataset.batch.targets, axis=1) == 1))
    if name == "digits":
        np.testing.assert_allclose(dataset.batch.inputs * 16, bunch.data)
    else:
        scaled = (bunch.data - bunch.data.mean(0)) / bunch.data.std(0)
        np.testing.assert_allclose(dataset.batch.inputs, scaled, rtol=1e-4, atol=1e-5)


def test_load_says_what_has_no_test_set():
    assert not data.load("xor").splits
    assert "no test set" in data.load("parity3").note
    assert data.load("iris").splits
    with pytest.raises(ValueError, match="did you mean 'iris'"):
        data.load("irsi")
    with pytest.raises(ValueError, match="--data-dir"):
        data.load("mnist")


def test_a_constant_column_becomes_zero():
    scaled = data.standardised(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert scaled.tolist() == [[-1, 0], [1, 0]]


def test_split_parts_the_cases_by_key():
    batch = data.iris()
    train, test = data.split(batch, jax.random.key(0), 0.2)
    assert (len(train.inputs), len(test.inputs)) == (120, 30)
    both = np.concatenate([np.hstack(part) for part in (train, test)])
    assert sorted(map(tuple, both)) == sorted(map(tuple, np.hstack(batch)))
    again = data.split(batch, jax.random.key(0), 0.2)[1]
    other = data.split(batch, jax.random.key(1), 0.2)[1]
    assert np.array_equal(test.inputs, again.inputs)
    assert not np.array_equal(test.inputs, other.inputs)
    with pytest.raises(ValueError, match="leave some on each side"):
        data.split(batch, jax.random.key(0), 0.001)


def write_mnist(folder, count=3, *, labels=None, magic=0x803, cut=0, zipped=False):
    """Four small IDX files of `count` images each."""
    pixels = np.arange(count * 784, dtype=np.uint8)
    labels = [7, 0, 9][:count] if labels is None else labels
    for prefix in ("train", "t10k"):
        images = struct.pack(">4i", magic, count, 28, 28) + pixels.tobytes()
        content = {
            f"{prefix}-images-idx3-ubyte": images[: len(images) - cut],
            f"{prefix}-labels-idx1-ubyte": struct.pack(">2i", 0x801, len(labels)) + bytes(labels),
        }
        for name, body in content.items():
            path = folder / (f"{name}.gz" if zipped else name)
            path.write_bytes(gzip.compress(body) if zipped else body)


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_reads_idx_files_gzipped_or_not(tmp_path, zipped):
    write_mnist(tmp_path, zipped=zipped)
    for part in ("train", "test"):
        batch = data.mnist(tmp_path, part=part)
        assert batch.inputs.shape == (3, 784)
        assert jnp.argmax(batch.targets, axis=1).tolist() == [7, 0, 9]
        np.testing.assert_allclose(batch.inputs[0, :256] * 255, np.arange(256), rtol=1e-6)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"magic": 0x801}, "images-idx3-ubyte: magic number 2049 at byte 0, wanted 2051"),
        ({"cut": 5}, "ends at byte 2363, wanted 2368"),
        ({"cut": 2360}, "ends at byte 8, inside its header of 16"),
        ({"labels": [1, 2]}, "2 labels, but .* holds 3 images"),
        ({"labels": [1, 2, 12]}, "label 2 is 12, wanted 0 to 9"),
    ],
)
def test_a_faulty_mnist_file_is_named_with_the_place(tmp_path, fault, message):
    write_mnist(tmp_path, **fault)
    with pytest.raises(ValueError, match=message):
        data.mnist(tmp_path)


def test_missing_and_damaged_mnist_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="holds no train-images-idx3-ubyte and train-labels"):
        data.mnist(tmp_path)
    write_mnist(tmp_path, zipped=True)
    file = tmp_path / "train-images-idx3-ubyte.gz"
    whole = file.read_bytes()
    for damaged in (whole[:-20], whole[:60] + b"\xff\xff\xff" + whole[63:]):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz: cannot be unpacked"):
            data.mnist(tmp_path)
    file.write_bytes(b"plain")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz: ends at byte 5"):
        data.mnist(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the MNIST files are not beside this checkout")
def test_the_real_mnist_files_have_their_published_counts():
    test = data.mnist(SHARED, part="test")
    assert test.inputs.shape == (10_000, 784)
    # the test set's first labels, and how often each digit occurs in it
    labels = np.argmax(test.targets, axis=1)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_csv_reads_classes_and_numbers(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,b,kind\n1,2,yes\n3,2,no\n5,2,yes\n")
    batch = data.csv(file)
    np.testing.assert_allclose(batch.inputs[:, 0], [-1.2247449, 0, 1.2247449], rtol=1e-6)
    assert batch.inputs[:, 1].tolist() == [0, 0, 0]
    assert batch.targets.tolist() == [[0, 1], [1, 0], [0, 1]]
    dataset = data.load(str(file))
    assert (dataset.features, dataset.classes) == (("a", "b"), ("no", "yes"))
    file.write_text("a,y\n1,0.5\n2,1.5\n3,2.5\n")
    batch = data.csv(file)
    np.testing.assert_allclose(batch.targets[:, 0], [-1.2247449, 0, 1.2247449], rtol=1e-6)
    file.write_text("a,y\n1,10\n2,9\n3,10\n")
    assert data.load(str(file)).classes == ("9", "10")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: the file is empty"),
        ("a,b\n", "t.csv: no cases after the header"),
        ("a\n1\n2\n", "line 1 has 1 column"),
        ("a,b,k\n1,2,x\n1,y\n", "line 3 has 2 columns, most lines 3"),
        ("a,b,k\n1,2,x\n1,two,y\n1,2,x\n", "line 3, column 'b': 'two' among numbers; mend"),
        ("a,b,k\n1,nan,x\n1,2,y\n", "line 2, column 'b': 'nan' is missing; --na leaves out"),
        ("a,b,k\n1,,x\n1,2,y\n", "line 2, column 'b': '' is missing; --na leaves out"),
        ("a,k\n1,0.5\n2,NaN\n", "line 3, column 'k': 'NaN' is missing; --na leaves"),
        ("a,k\n1,x\n2,\n", "line 3, column 'k': '' is missing; --na leaves out"),
        ("a,k\n1,x\n2,x\n", "column 'k' is 'x' everywhere"),
        ("1,2\n3,4\n5,6\n", "1, 2, may be names or a case; give --header or --no-header"),
        ("a,k\n1,1e999\n2,0.5\n", "line 2, column 'k': '1e999' is beyond 3.4e.38"),
    ],
)
def test_a_faulty_table_is_named_with_the_line(tmp_path, text, message):
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        data.csv(file)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none.csv: no such file"):
        data.csv(tmp_path / "none.csv")
    file = tmp_path / "t.csv"
    file.write_bytes(b"a,k\n1,\x81\n")
    with pytest.raises(ValueError, match=r"is no UTF-8 text .byte 6., nor is it UTF-16 or Latin-1"):
        data.csv(file)
