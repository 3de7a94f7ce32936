"""Files below a folder are regular files, read and written without following a link."""

import errno
import json
import os
import subprocess
import sys
import time

import pytest

from jaxnn import regular_files


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    regular_files.write(tmp_path, "a/f", "old")
    with pytest.raises(UnicodeEncodeError):
        regular_files.write(tmp_path, "a/f", "new \ud800")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*a/f'"):
        regular_files.write(tmp_path, "a/f", "new")
    assert regular_files.read(tmp_path, "a/f") == b"old"
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["f"]


def test_what_a_process_of_the_same_number_left_is_no_obstacle(tmp_path):
    left, mine = tmp_path / regular_files.temporary_name("f"), tmp_path / "mine"
    mine.write_text("precious")
    left.symlink_to(mine)
    regular_files.write(tmp_path, "f", "new")
    assert (tmp_path / "f").read_text() == "new"
    assert mine.read_text() == "precious"
    assert not os.path.lexists(left)


@pytest.mark.parametrize("name", ["link", "folder/f", "loop"])
def test_no_link_is_followed(tmp_path, name):
    store, outside = tmp_path / "s", tmp_path / "outside"
    store.mkdir()
    outside.mkdir()
    (outside / "f").write_text("precious")
    (store / "link").symlink_to(outside / "f")
    (store / "folder").symlink_to(outside)
    (store / "loop").symlink_to("loop")
    for act in (regular_files.read, lambda root, name: regular_files.write(root, name, "x")):
        with pytest.raises(ValueError, match="is a link"):
            act(store, name)
    assert (outside / "f").read_text() == "precious"
    assert os.listdir(outside) == ["f"]
    (tmp_path / "to_store").symlink_to(store)  # the user's own
    regular_files.write(tmp_path / "to_store", "g", "x")
    assert (store / "g").read_text() == "x"


def test_no_name_leads_out_of_the_folder(tmp_path):
    for name in ("../f", "/etc/passwd", "a/../../f"):
        with pytest.raises(ValueError, match="leads out of"):
            regular_files.read(tmp_path, name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes by name")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "f")
    for act in (regular_files.read, lambda root, name: regular_files.write(root, name, "x")):
        with pytest.raises(ValueError, match="is no regular file"):
            act(tmp_path, "f")
    assert list(regular_files.strange(tmp_path)) == ["f is no regular file"]


def test_no_more_is_read_than_asked_for(tmp_path):
    with (tmp_path / "f").open("wb") as file:
        file.truncate(2**40)  # no byte of it is on the disk
    with pytest.raises(ValueError, match=r"has 1,099,511,627,776 bytes, at most 268,435,456"):
        regular_files.read(tmp_path, "f")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[" * 100_000 + "]" * 100_000, "is too deep|objects and lists in each other"),
        ('{"a": ' * 33 + "1" + "}" * 33, "more than 32 objects and lists in each other"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": 1e999}', "not finite"),
        (f'{{"a": {10**400}}}', "more than 64 bits"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        (json.dumps({"a": "x" * 70_000}), "a text of 70,000 characters"),
        ("[1]", "holds no object"),
        ("{", "is damaged"),
        ("", "is damaged"),
    ],
)
def test_json_has_bounds(tmp_path, text, match):
    (tmp_path / "f").write_text(text)
    with pytest.raises(ValueError, match=match):
        regular_files.read_json(tmp_path, "f")
    (tmp_path / "f").write_text('{"a": ' * 32 + "1" + "}" * 32)
    regular_files.read_json(tmp_path, "f")


def test_what_is_left_is_known_by_its_process(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    mine = regular_files.temporary_name("f")
    gone = mine.replace(f".{os.getpid()}@", f".{int(ended.stdout)}@")
    assert [regular_files.is_left(tmp_path / name) for name in (mine, gone, "f")] == [0, 1, 0]
    assert regular_files.is_left(tmp_path / f".f.{int(ended.stdout)}")  # as before format 2
    elsewhere = tmp_path / ".f.1@another-host"
    partial = tmp_path / f"0.{'0' * 32}.partial"
    before = time.time() - 90_000
    for file in (elsewhere, partial):
        file.write_text("")
        assert not regular_files.is_left(file)
        os.utime(file, (before, before))
        assert regular_files.is_left(file)
