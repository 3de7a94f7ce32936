"""Tables as people bring them: what is plain is read, what is doubtful names the option that
decides, nothing is read wrong in silence.
"""

import gzip
import os

import numpy as np
import pytest

from jaxnn import data, files

IRIS = (
    "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n"
    "6.3,3.3,6.0,2.5,Iris-virginica\n5.8,2.7,5.1,1.9,Iris-virginica\n"
)
FIRST = [5.1, 4.9, 6.3, 5.8]
CASES = 24


def made(*columns, header=None):
    """Lines of a table of these columns."""
    lines = [",".join(header)] if header else []
    return "\n".join([*lines, *(",".join(map(str, row)) for row in zip(*columns, strict=True)), ""])


HALVES = [k * 0.5 for k in range(CASES)]
NUMBERS = [k * 1.5 for k in range(CASES)]
TWO = [k % 2 for k in range(CASES)]


def one_wrong(cell, column=NUMBERS, place=7):
    """The column with another cell in one place; the table has a header, so that it is line 9."""
    return [*column[:place], cell, *column[place + 1 :]]


@pytest.fixture
def load(tmp_path):
    def loaded(content, name="t.csv", **reading):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return data.load(str(file), **reading)

    return loaded


def first_column(dataset):
    """The first input's values as the file has them."""
    return np.asarray(dataset.batch.inputs[:, 0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (IRIS, "columns by commas, no header, target 5: 2 classes, 4 inputs, 4 cases"),
        (IRIS.replace(",", ";"), "columns by semicolons"),
        (IRIS.replace(",", "\t"), "columns by tabs"),
        (IRIS.replace(",", " \t ").replace("\t", "\t\t", 3), "columns by spaces"),
        (IRIS.replace(",", "  "), "columns by spaces"),
        (IRIS.replace(",", "|"), "columns by bars"),
        (IRIS.replace(",", ", "), "columns by commas"),
        (IRIS.replace(",", ";").replace(".", ","), "4 cases, decimal commas"),
        (IRIS.replace("\n", ",\n"), "columns by commas, no header, target 5"),
        (IRIS.replace("\n", "\r\n"), "no header"),
        (IRIS.replace("\n", "\r"), "no header"),
        (IRIS + "   \n\n \t \n", "4 cases"),
        ("# by hand\n% 1936\n" + IRIS, "2 lines of comment"),
        ("a,b,c,d,kind\n" + IRIS, "a header, target kind: 2 classes"),
        ("größe,b,c,d,kind\n" + IRIS, "a header"),
        (("größe,b,c,d,kind\n" + IRIS).encode("latin-1"), "Latin-1 text"),
        (IRIS.encode("utf-16"), "UTF-16 text"),
        (IRIS.encode("utf-16-le"), "UTF-16 text"),
        (IRIS.encode("utf-8-sig"), "no header"),
        (gzip.compress(IRIS.encode(), mtime=0), "no header"),
    ],
)
def test_what_anyone_could_read_is_read(load, content, said):
    dataset = load(content)
    assert said in dataset.note
    assert dataset.classes == ("Iris-setosa", "Iris-virginica")
    expected = (np.array(FIRST) - np.mean(FIRST)) / np.std(FIRST)
    np.testing.assert_allclose(first_column(dataset), expected, rtol=1e-5)
    assert dataset.batch.inputs.shape == (4, 4)


@pytest.mark.parametrize("name", ["t.data", "t.txt", "t.tsv", "t.csv.gz", "t.dat"])
def test_the_files_name_decides_nothing(load, name):
    for content in (IRIS.encode(), gzip.compress(IRIS.encode(), mtime=0)):
        dataset = load(content, name)
        assert (dataset.name, len(dataset.batch.inputs)) == ("t", 4)


@pytest.mark.parametrize(
    ("content", "reading", "message"),
    [
        # one cell makes no classifier of a regression
        *(
            (made(HALVES, one_wrong(cell), header="xy"), {}, f"line 9, column 'y': '{told}'.*{way}")
            for cell, told, way in (
                ("", "", "is missing; --na"),
                ("NA", "NA", "is missing; --na"),
                ("?", r"\?", "is missing; --na"),
                ('"1,234"', "1,234", "is no plain number, and 23 of 24 .*--kind classes"),
                ("$10.5", r"\$10.5", "is no plain number.*--kind classes"),
                ("1_0", "1_0", "is no plain number.*--kind classes"),
                ("many", "many", "is no plain number.*--kind classes"),
                ('"10,5"', "10,5", "is no plain number.*--kind classes"),
            )
        ),
        (made(HALVES, ["?", *"ab" * 11, "a"], header="xy"), {}, "line 2, column 'y': '.' is miss"),
        (made(one_wrong("1_000", HALVES), TWO, header="xy"), {}, "'1_000' is no finite number"),
        (made(one_wrong("1e300", HALVES), TWO, header="xy"), {}, "'1e300' is beyond 3.4e.38"),
        (made(one_wrong("inf", HALVES), TWO, header="xy"), {}, "'inf' is no finite number"),
        (made(one_wrong("two", HALVES), TWO, header="xy"), {}, "'two' among numbers.*--drop x"),
        (made(HALVES[:15], range(15), header="xy"), {}, "15 of the 15 classes .* --kind classes"),
        (
            made(range(CASES), HALVES, TWO, header="xyz"),
            {},
            "'x' may only number the cases; .*drop",
        ),
        (made(NUMBERS, HALVES, TWO, header=("Id", "a", "b")), {}, "'Id' may only .*--drop Id"),
        (made([9**k % 97 for k in range(CASES)], HALVES, TWO), {}, "'1' may only number"),
        ("1,2\n3,4\n5,6\n", {}, "first row, 1, 2, may be names .* --header or --no-header"),
        ("2019,b,c\n1,2,x\n3,4,x\n5,6,y\n", {}, "may be names or a case; give --header or"),
        (made(HALVES, HALVES, TWO, header="aab"), {}, "line 1: two columns are named 'a'"),
        (made(TWO, HALVES, header=("class", "x")), {}, "'x', would be the .* --target class"),
        (made(HALVES, [*"Yy"] * 12, header="xk"), {}, "'Y' and 'y' .* capitals alone"),
        (made([f"n{k}" for k in HALVES], TWO, header="xy"), {}, "24 different texts .*--drop x"),
        (IRIS, {"target": "9"}, "--target 9: its columns are 1, 2, 3, 4, 5"),
        (
            "kind,b,y\n1,2,u\n3,2,v\n5,2,u\n",
            {"drop": ["kid"]},
            "--drop kid: .* did you mean 'kind'",
        ),
        (IRIS, {"drop": ["5"]}, "--drop leaves no inputs or no target"),
        (IRIS, {"kind": "colours"}, "--kind is 'colours': give classes or numbers"),
        (IRIS, {"kind": "numbers"}, "line 1, column '5': 'Iris-setosa' is no finite number"),
        ('a,b\n1,"x\n2,y\n', {}, "line 3: .*is a quote not closed"),
        (b"\x89PNG\r\n", {}, "is a picture, wanted text"),
        (b"PK\x03\x04 and more", {}, "is a zip archive or a spreadsheet"),
        (b"a,b\n1,\x002\n", {}, "is no text: line 2 holds the byte 0x00"),
        (
            "größe,b\n1,2\n".encode() + b"\xff,1\n",
            {},
            "is no UTF-8 text .byte 14.; save it as UTF-8",
        ),
        (
            gzip.compress(IRIS.encode(), mtime=0)[:-9],
            {},
            "cannot be unpacked .*the file is damaged",
        ),
    ],
)
def test_what_is_doubtful_is_refused_with_the_option_that_decides(load, content, reading, message):
    with pytest.raises(ValueError, match=message) as refused:
        load(content, **reading)
    assert "\n" not in str(refused.value)


def test_the_options_decide(load):
    wanted = load("1,2\n3,4\n5,6\n", header=False, kind="numbers")
    assert (wanted.features, len(wanted.batch.inputs)) == (("1",), 3)
    wanted = load("1,2\n3,4\n5,6\n6,6\n8,4\n", header=True)
    assert (wanted.features, wanted.classes) == (("1",), ("4", "6"))
    fifteen = made(HALVES[:15], range(15), header="xy")
    assert load(fifteen, kind="classes").classes == tuple(map(str, range(15)))
    assert load(fifteen, kind="numbers").classes == ()
    counted = made(range(CASES), HALVES, TWO, header=("id", "x", "y"))
    assert load(counted, drop=()).features == ("id", "x")
    assert load(counted, drop=["id"]).features == ("x",)
    named = made(TWO, HALVES, header=("class", "x"))
    assert load(named, target="class").classes == ("0", "1")
    assert load(named, target="2").batch.targets.shape == (CASES, 1)
    mixed = made(HALVES, one_wrong("$10.5"), header="xy")
    assert "$10.5" in load(mixed, kind="classes").classes


@pytest.mark.parametrize("na", [(), ("?", "NA")])
def test_rows_with_a_missing_cell_are_left_out_if_asked_and_counted(load, na):
    table = made(one_wrong("?", HALVES), one_wrong("NA", TWO, 3), header="xy")
    dataset = load(table, na=na)
    assert len(dataset.batch.inputs) == CASES - 2
    assert "2 rows with a missing cell left out" in dataset.note
    assert dataset.read["rows_left_out"] == 2
    with pytest.raises(ValueError, match="line 5, column 'y': 'NA' is no plain number"):
        load(table, na=["?"])  # then NA is a text like any other


def test_an_index_without_a_name_is_left_out_and_texts_become_one_hot(load):
    colours = ["red", "green", "blue"] * 8
    dataset = load(made(range(CASES), colours, HALVES, TWO, header=("", "colour", "x", "y")))
    assert dataset.features == ("colour=blue", "colour=green", "colour=red", "x")
    assert "left out: column 1, one-hot: colour" in dataset.note
    red = np.asarray(dataset.batch.inputs[:, 2])
    assert set(np.flatnonzero(red > 0)) == set(range(0, CASES, 3))


def test_labels_are_called_in_full_and_told_apart_exactly(load):
    labels = [20240101, 20240102] * 12
    assert load(made(HALVES, labels, header="xy")).classes == ("20240101", "20240102")
    labels = ["12345678901234567890", "12345678901234567891"] * 12  # one number in float64
    dataset = load(made(HALVES, labels, header="xy"))
    assert dataset.classes == tuple(labels[:2])
    assert np.argmax(dataset.batch.targets, axis=1).tolist() == [0, 1] * 12
    assert load(made(HALVES, ["1", "1.0", "1e0", "2"] * 6, header="xy")).classes == ("1", "2")


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1.0])
def test_columns_are_standardised_at_any_scale(scale):
    column = np.array([[1.0], [2.0], [4.0]])
    np.testing.assert_allclose(
        data.standardised(scale * column), data.standardised(column), rtol=1e-12
    )


def test_paths_that_are_no_files_are_called_what_they_are(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for path, what in (
        (tmp_path / "pipe.csv", r"is a FIFO \(named pipe\); give a regular file"),
        (tmp_path / "folder.csv", "is a folder; give a file"),
        ("/dev/null", "is a character device"),
        (tmp_path / "none.csv", "no such file"),
        (tmp_path / "folder.csv" / "none.csv", "no such file"),
    ):
        with pytest.raises(ValueError, match=what):
            data.load(str(path))


def test_a_file_that_unpacks_to_more_than_is_allowed_is_refused_unread(load, monkeypatch):
    monkeypatch.setattr(files, "MOST_TEXT", 2**20)
    with pytest.raises(ValueError, match="holds more than 1048576 bytes unpacked"):
        load(gzip.compress(bytes(2**24), mtime=0), "bomb.csv.gz")


def test_options_of_tables_are_refused_where_there_is_no_table():
    with pytest.raises(ValueError, match="--na is for tables of text: iris has nothing to decide"):
        data.load("iris", na=())
