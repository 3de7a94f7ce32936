"""Two hundred files of data as people bring them, each with the truth that it must read, or refused
in one line: nothing is read wrong in silence.
"""

import csv
import gzip
import io
from typing import Any

import numpy as np
import pytest
from test_images import idx

from jaxnn import data

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1")
NAMES = ("$x_1$", "50%", "a_b", "petal width", "größe", "W" * 85, "2nd", "猫")
MARKS = ("?", "NA", "NaN", "null", "")
WRONG = ("1'234", "$3.5", "1_000", "1e300", "inf", "abc", "12%", "1.2.3", "0x1f", "1,234.5")
DAMAGES = (
    "wrong cell", "short row", "long row", "one name twice", "zero byte", "open quote",
    "number among texts", "cut packing", "missing", "counter", "text for a target",
)  # fmt: skip

Drawn = dict[str, Any]


def drawn(seed: int) -> Drawn:
    """One way of writing one table, and its columns; a fault or none."""
    rng = np.random.default_rng([2026, seed])
    pick = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    cases, reals = int(rng.integers(12, 40)), int(rng.integers(1, 4))
    kind = pick("texts", "whole", "reals")
    target: list[Any] = {
        "texts": [("yes", "no", "it is")[k % 3] for k in range(cases)],
        "whole": [(20240101, 20240102, 7)[k % 3] for k in range(cases)],
        "reals": np.round(rng.normal(0, 50, cases), 2).tolist(),
    }[kind]
    separator = pick(*SEPARATORS)
    commas = separator not in ("comma", "space") and pick(True, False, False)
    return {
        "rng": rng, "cases": cases, "kind": kind, "target": target, "separator": separator,
        "inputs": np.round(rng.normal(3, 20, (reals, cases)), 2), "header": pick(True, False),
        "colours": [("red", "blue")[k] for k in rng.integers(0, 2, cases)] * pick(0, 1),
        "index": pick(True, False, False), "commas": commas, "encoding": pick(*ENCODINGS),
        "ends": pick("\n", "\r\n", "\r"), "packed": pick(True, False), "comment": pick(True, False),
        "trailing": separator == "comma" and pick(True, False), "blank": pick(True, False),
        "suffix": pick(".csv", ".tsv", ".data", ".txt", ".csv.gz"),
        "missing": pick(0, 0, 1, 2), "mark": pick(*MARKS[: 4 if separator == "space" else 5]),
        "damage": pick(None, None, *DAMAGES),
    }  # fmt: skip


def rows_of(way: Drawn) -> tuple[list[str], list[list[str]]]:
    """The names and the cells of each case."""

    def number(value: float) -> str:
        return f"{value:.2f}".replace(".", "," if way["commas"] else ".")

    columns = [list(map(number, column)) for column in way["inputs"]]
    columns += [way["colours"]] * bool(way["colours"])
    last = way["target"]
    columns.append(list(map(number if way["kind"] == "reals" else str, last)))
    known = NAMES if len(way["inputs"]) > 1 else [n for n in NAMES if n != "50%"]  # no name alone
    encodable = [n for n in known if way["encoding"] != "latin-1" or n != "猫"]
    names = [str(n) for n in way["rng"].permutation(encodable)[: len(columns)]]
    if way["index"] and way["header"] and way["separator"] != "space":
        names, columns = ["", *names], [list(map(str, range(way["cases"]))), *columns]
    return names, [list(row) for row in zip(*columns, strict=True)]


def damaged(way: Drawn, names: list[str], rows: list[list[str]]) -> str | None:
    """Do one thing that must be refused; what the line must say, None where it can not be done."""
    rng, first = way["rng"], len(names) - len(way["inputs"]) - bool(way["colours"]) - 1
    place = int(rng.integers(2, way["cases"] - 1))
    last_input = len(names) - 2
    if way["damage"] == "wrong cell":
        cell = str(rng.choice(WRONG))
        if cell == "1'234" and way["separator"] == "space":
            return None
        rows[place][first] = cell
        return "line .*, column "
    if way["damage"] == "short row":
        del rows[place][first]
        return "column"
    if way["damage"] == "long row":  # with decimal commas, these may seem to part the columns
        rows[place].insert(first, "3.5")
        return "line .* column|first row" if way["commas"] else "line .* columns, most lines"
    if way["damage"] == "one name twice" and way["header"]:
        names[-1] = names[first]
        return "two columns are named"
    if way["damage"] == "number among texts" and way["colours"]:
        rows[place][last_input] = "17"
        return "'17' among text"
    if way["damage"] == "counter" and way["header"] and not first:
        names[first] = "ID"
        for number, row in enumerate(rows):
            row[first] = str(number + 100)
        return "'ID' may only number the cases"
    if way["damage"] == "missing" and (way["mark"] or way["separator"] != "space"):
        rows[place][first] = way["mark"]
        return "is missing; --na leaves out"
    if way["damage"] == "text for a target" and way["kind"] != "texts":
        rows[place][-1] = "unknown"
        return "--kind classes"
    return None


def content_of(way: Drawn, names: list[str], rows: list[list[str]]) -> bytes:
    """The table as bytes."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=SEPARATORS[way["separator"]], lineterminator=way["ends"])
    body = [names, *rows] if way["header"] else rows
    for number, row in enumerate(body):
        if way["comment"] and number == 0:
            text.write(f"# made by hand, in 1936; no names{way['ends']}")
        writer.writerow([*row, ""] if way["trailing"] else row)
        if way["blank"] and number % 5 == 4:
            text.write(f"   {way['ends']}")
    return text.getvalue().encode(way["encoding"], errors="replace")


def check_table(way: Drawn, folder):
    names, rows = rows_of(way)
    left = list(range(way["cases"]))
    message = damaged(way, names, rows)
    reading: dict[str, Any] = {}
    if message is None and way["missing"]:
        first = len(names) - len(way["inputs"]) - bool(way["colours"]) - 1
        gone = way["rng"].choice(np.arange(1, way["cases"]), way["missing"], replace=False)
        for place in gone:
            rows[place][first] = way["mark"]
        left = [k for k in left if k not in gone]
        reading = {"na": ()}
    content = content_of(way, names, rows)
    if way["damage"] == "zero byte" and "16" not in way["encoding"]:
        content, message = content[:-3] + b"\0" + content[-3:], "is no text: line .* byte 0x00"
    if way["damage"] == "open quote" and "16" not in way["encoding"]:
        content, message = content + b'"1', "is a quote not closed|columns"
    content = gzip.compress(content) if way["packed"] else content
    if way["damage"] == "cut packing" and way["packed"]:
        content, message = content[:-8], "cannot be unpacked"
    file = folder / f"t{way['suffix']}"
    file.write_bytes(content)
    if message is not None:
        with pytest.raises(ValueError, match=message) as refused:
            data.load(str(file), **reading)
        assert "\n" not in str(refused.value)
        assert file.name in str(refused.value)
        return
    dataset = data.load(str(file), **reading)
    names = names[1:] if names[0] == "" else names
    compare(way, dataset, left, names if way["header"] else None)


def standard(column):
    column = np.asarray(column, float)
    return (column - column.mean()) / (column.std() or 1.0)


def compare(way: Drawn, dataset, left, names):
    """Every value against the truth, by numpy alone."""
    inputs = [standard(column[left]) for column in way["inputs"]]
    if way["colours"]:
        kept = np.array(way["colours"])[left]
        inputs += [standard(kept == colour) for colour in sorted(set(kept))]
    np.testing.assert_allclose(dataset.batch.inputs, np.transpose(inputs), rtol=1e-4, atol=1e-5)
    target = np.array(way["target"])[left]
    if way["kind"] == "reals":
        assert dataset.classes == ()
        np.testing.assert_allclose(
            dataset.batch.targets[:, 0], standard(target), rtol=1e-4, atol=1e-5
        )
    else:
        called = np.array(dataset.classes)[np.argmax(dataset.batch.targets, axis=1)]
        assert called.tolist() == list(map(str, target))
    if names:
        encoded = [n.encode(way["encoding"], "replace").decode(way["encoding"]) for n in names]
        assert dataset.features[: len(way["inputs"])] == tuple(encoded[: len(way["inputs"])])
    assert dataset.read["rows_left_out"] == way["cases"] - len(left)
    assert dataset.read["header"] is way["header"]


IDX_DAMAGES = (None, None, None, "cut", "more", "magic", "claim", "label", "fewer", "packing")


def check_images(seed: int, folder):
    """A folder of images, in some spelling, some of them damaged."""
    rng = np.random.default_rng([1998, seed])
    pick = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    name, prefix, first = pick(("mnist", "", 0), ("emnist_letters", "emnist-letters-", 1))
    cases, side, damage = int(rng.integers(2, 6)), int(rng.integers(1, 9)), pick(*IDX_DAMAGES)
    pixels = rng.integers(0, 256, (cases, side, side))
    labels = rng.integers(first, 10, cases)
    dot, suffix, home = pick("-", "."), pick("", ".gz"), folder / pick("", "raw", "a/b")
    home.mkdir(parents=True, exist_ok=True)
    packed = damage == "packing" or pick(True, False)
    contents = {"images": idx(pixels), "labels": idx(labels)}
    where, cut = pick("images", "labels"), int(rng.integers(1, 9))
    if damage == "cut":
        contents[where] = contents[where][:-1] if where == "labels" else contents[where][:-cut]
    elif damage == "more":
        contents[where] += bytes(cut)
    elif damage == "magic":
        contents[where] = b"\0\0\x0d" + contents[where][3:]
    elif damage == "claim":
        contents[where] = contents[where][:4] + b"\x7f" + contents[where][5:]
    elif damage == "label":
        contents["labels"] = contents["labels"][:-1] + b"\x63"
    elif damage == "fewer":
        contents["labels"] = idx(labels[1:])
    for kind, content in contents.items():
        content = gzip.compress(content) if packed else content
        if damage == "packing" and kind == where:
            content = content[:-cut]
        axes = 3 if kind == "images" else 1
        (home / f"{prefix}train-{kind}{dot}idx{axes}-ubyte{suffix}").write_bytes(content)
    if damage:
        with pytest.raises(ValueError, match=r"idx[13]-ubyte") as refused:
            data.mnist(folder, name=name)
        assert "\n" not in str(refused.value)
        return
    batch = data.mnist(folder, name=name)
    np.testing.assert_allclose(batch.inputs * 255, pixels.reshape(cases, -1), atol=1e-3)
    assert np.argmax(batch.targets, axis=1).tolist() == (labels - first).tolist()


SOME = [*range(40), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(40, 200))]


@pytest.mark.parametrize("seed", SOME)
def test_a_file_is_read_as_it_is_or_refused_in_one_line(seed, tmp_path):
    if seed % 5 == 4:
        check_images(seed, tmp_path)
    else:
        check_table(drawn(seed), tmp_path)
