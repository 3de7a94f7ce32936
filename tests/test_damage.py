"""What a store has lost is named, and only that is forgotten."""

import json
import shutil

import pytest
from small_stores import whole

from jaxnn import cli, results
from jaxnn.results import Damage

LAST = "arrays.zarr/loss/c/1/1/1/0"  # chunk 7: scheme 1, scale 1, members 4 and 5
REGION = {"scheme": (1, 2), "scale": (1, 2), "member": (4, 6)}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return whole(tmp_path_factory.mktemp("damage") / "s")


@pytest.fixture
def store(made, tmp_path):
    return shutil.copytree(made, tmp_path / "s")


def flip(file, at):
    content = bytearray(file.read_bytes())
    content[at] ^= 0x10
    file.write_bytes(content)


def test_any_flipped_byte_of_a_chunk_is_found_and_named(store):
    file = store / LAST
    content = file.read_bytes()
    for at in range(len(content)):
        flip(file, at)
        (found,) = results.verify(store)
        assert found[:3] == (7, "loss", REGION)
        assert f"{LAST} is damaged or half written" in str(found)
        file.write_bytes(content)
    assert results.verify(store) == []
    assert "scheme 1:2, scale 1:2, member 4:6" in str(found)


@pytest.mark.parametrize("left", [0, 1, -1])
def test_a_half_written_file_is_found(store, left):
    content = (store / LAST).read_bytes()
    (store / LAST).write_bytes(content[:left])
    (found,) = results.verify(store)
    assert found[:3] == (7, "loss", REGION)
    assert "half written" in found.what


def test_a_missing_file_is_found(store):
    (store / LAST).unlink()
    (store / "arrays.zarr/outcome/c/0/0/0").unlink()
    first, last = results.verify(store)
    assert first[:2] == (0, "outcome")
    said = f"loss is not what was written: {LAST} is missing"
    assert last == Damage(7, "loss", REGION, said, LAST)


def test_another_chunks_file_in_its_place_is_found(store):
    shutil.copy(store / "arrays.zarr/loss/c/0/0/1/0", store / LAST)
    (found,) = results.verify(store)
    assert found[:2] == (7, "loss")
    assert f"{LAST} holds other values" in found.what


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"region": {}, "sha256": {}}',
        '{"region": {"member": 3}, "sha256": {"loss": ""}}',
    ],
)
def test_a_damaged_mark_is_found(store, text):
    (store / "done" / "000003.json").write_text(text)
    (found,) = results.verify(store)
    assert str(found).startswith("chunk 3: its mark is damaged")


def test_any_flipped_byte_of_what_describes_the_store_is_found(store):
    for name in ("arrays.zarr/loss/zarr.json", "arrays.zarr/zarr.json", "manifest.json"):
        file = store / name
        content = file.read_bytes()
        for at in range(0, len(content), 7):
            flip(file, at)
            try:
                damaged = [str(damage) for damage in results.verify(store)]
            except ValueError as error:  # the manifest's format is another
                damaged = [f"{name} is not what was written"] * ("format" in str(error))
            assert damaged == [f"{name} is not what was written"], at
            file.write_bytes(content)
    assert results.verify(store) == []
    (store / "arrays.zarr/loss/zarr.json").unlink()
    (found,) = results.verify(store)
    assert found == Damage(None, "loss", {}, "arrays.zarr/loss/zarr.json is missing")
    assert results.repair(store, [found]) == [found]


def test_repair_forgets_the_damaged_chunks_and_no_others(store):
    flip(store / LAST, 0)
    (store / "arrays.zarr/outcome/c/0/0/0").unlink()
    before = {file: file.read_bytes() for file in store.rglob("*") if file.is_file()}
    assert results.repair(store, results.verify(store)) == []
    assert results.finished(store) == {1, 2, 3, 4, 5, 6}
    assert results.verify(store) == []
    gone = {store / "done" / "000000.json", store / "done" / "000007.json", store / LAST}
    assert {file: before[file] for file in before if file not in gone} == {
        file: file.read_bytes() for file in store.rglob("*") if file.is_file()
    }


def exit_of(capsys, *args):
    """The exit status of a command, and what it printed."""
    try:
        cli.main([*map(str, args)])
    except SystemExit as end:
        return end.code, "".join(capsys.readouterr())
    return 0, "".join(capsys.readouterr())


def test_the_command_says_which_stores_are_whole_by_its_exit_status(store, tmp_path, capsys):
    whole_one = shutil.copytree(store, tmp_path / "s" / "zooms" / "part")
    assert exit_of(capsys, "verify", store) == (
        0, f"{store}: whole, 8 finished chunks\n{whole_one}: whole, 8 finished chunks\n"
    )  # fmt: skip
    flip(store / LAST, 3)
    status, printed = exit_of(capsys, "verify", tmp_path)
    assert status == 1
    assert f"{store}: DAMAGED\n  chunk 7 (scheme 1:2, scale 1:2, member 4:6): loss" in printed
    assert f"{whole_one}: whole" in printed
    assert results.finished(store) == set(range(8))
    status, printed = exit_of(capsys, "verify", store, "--repair")
    assert status == 0
    assert "forgot chunk 7: to be computed by the command that made the store" in printed
    assert results.finished(store) == set(range(7))
    manifest = json.loads((store / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps({**manifest, "study": "other"}))
    status, printed = exit_of(capsys, "verify", store, "--repair")
    assert status == 1
    assert "what describes the store is lost: remove the folder" in printed
    assert exit_of(capsys, "verify", tmp_path / "none") == (
        2, f"jaxnn: {tmp_path / 'none'}: no store there; jaxnn list says where there are some\n"
    )  # fmt: skip
