"""What a store says of itself is held against what lies there, before anything is believed."""

import json
import os
import resource
import shutil
import tracemalloc

import numcodecs
import numpy as np
import pytest
from small_stores import make, signed, whole

from jaxnn import cli, memory, results
from jaxnn.cli.entry import run
from jaxnn.results.marks import _digest
from jaxnn.results.zarr_files import unpacked
from jaxnn.studies import engine, upkeep
from jaxnn.studies.settings import Study
from jaxnn.studies.store_settings import Show, Verify
from jaxnn.studies.stores import settings_of, shown

LOSS = "arrays.zarr/loss"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return whole(tmp_path_factory.mktemp("strangers") / "s")


@pytest.fixture
def store(made, tmp_path):
    return shutil.copytree(made, tmp_path / "s")


def said(store):
    report = upkeep.verified(Verify(store))
    return report.status, report.text


def compared(store):
    """What a command that goes on with the store would ask for."""
    manifest = results.read_manifest(store) or {}
    return {part: manifest.get(part) for part in (*engine.ASKED, *engine.BITS)}


# sizes


@pytest.mark.parametrize("size", [0, 1, 200, 255, 256, 257, 65_791, 65_792, 10**6])
def test_the_size_of_a_frame_is_read_from_its_header(size):
    assert unpacked(numcodecs.Zstd().encode(b"x" * size)) == size
    assert unpacked(numcodecs.Zstd(checksum=True).encode(b"x" * size)) == size


def test_a_frame_without_a_size_or_of_another_kind_has_none():
    streamed = numcodecs.Zstd().encode(b"x" * 300)
    assert unpacked(bytes([*streamed[:4], streamed[4] & 0x1F, *streamed[5:]])) is None
    for frame in (b"", streamed[:5], b"\x50\x2a\x4d\x18" + streamed[4:], streamed[:6]):
        assert unpacked(frame) is None


def bomb(size):
    """A frame that unpacks to so many zeros, in blocks of one repeated byte, with its CRC-32C."""
    blocks, left = [], size
    while left:
        block = min(left, 1 << 17)
        left -= block
        blocks.append((int(not left) | 1 << 1 | block << 3).to_bytes(3, "little") + b"\0")
    frame = b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little") + b"".join(blocks)
    return numcodecs.CRC32C(location="end").encode(frame)


def test_a_chunk_that_unpacks_to_three_gibibytes_is_not_unpacked(store):
    file = store / LOSS / "c/0/0/0/0"
    content = np.full(48 // 4, 0.0, np.float32).tobytes()
    file.write_bytes(bomb(48))
    assert results.open(store).loss[0, 0, 0, 0].item() == 0  # it is a frame as any other
    assert numcodecs.Zstd().decode(bomb(48)[:-4]) == content
    file.write_bytes(bomb(3 * 2**30))
    assert 90_000 < file.stat().st_size < 110_000
    before = memory.peak()
    with pytest.raises(ValueError, match=r"unpacks to 3,221,225,472, wanted 48 bytes"):
        results.open(store).loss.load()
    assert said(store)[0] == 1
    with pytest.raises(ValueError, match="loss/c/0/0/0/0 is damaged or half written"):
        results.load(store)
    assert memory.peak() - before < 2**28


def grown(store, length):
    """All arrays as long as this along the members, signed."""
    for name in ("loss", "outcome"):
        file = store / "arrays.zarr" / name / "zarr.json"
        text = json.loads(file.read_text())
        text["shape"][2] = length
        file.write_text(json.dumps(text))
    signed(store)


def test_a_thousand_million_members_are_opened_in_no_memory_and_not_loaded(store, monkeypatch):
    grown(store, 10**9)
    results.open(whole(store.parent / "first"))  # imports
    tracemalloc.start()
    dataset = results.open(store)
    assert dataset.sizes["member"] == 10**9
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    monkeypatch.setattr(memory, "at_hand", lambda: 2**34)
    with pytest.raises(ValueError, match=r"the store takes about 72 GB, and there are 17.2 GB"):
        results.load(store)
    grown(store, 2**41)
    with pytest.raises(ValueError, match="is larger than any that is written here"):
        results.open(store)


# marks


def remark(store, number, **changes):
    """A mark with these changes, its own digest made to fit."""
    file = store / "done" / f"{number:06d}.json"
    text = {**json.loads(file.read_text()), **changes}
    del text["mark"]
    file.write_text(json.dumps({**text, "mark": _digest(text)}))


def copied(store):
    (store / "done/000005.json").unlink()
    shutil.copy(store / "done/000004.json", store / "done/000005.json")


def misspelled(store):
    remark(store, 5, region={"schem": [1, 2], "scale": [0, 1], "member": [4, 6]})


def endless(store):
    (store / "done/000005.json").write_text('{"chunk": 5, "region": {"scheme": [0, Infinity]}}')


def extra(store):
    (store / "done/000005.json").rename(store / "done/000008.json")


@pytest.mark.parametrize("harm", [copied, misspelled, endless, extra])
def test_a_mark_that_is_not_its_chunks_own_is_named_forgotten_and_refused(store, harm):
    harm(store)
    number = 8 if harm is extra else 5
    status, text = said(store)
    assert status == 1
    assert f"chunk {number}: its mark is damaged" in text
    for act in (results.load, results.refuse_damaged):
        with pytest.raises(ValueError, match=f"chunk {number}: its mark.*verify .* --repair"):
            act(store)
    assert results.repair(store, results.verify(store)) == []
    assert results.finished(store) == {*range(8)} - {5}
    assert said(store) == (0, f"{store}: whole, 7 finished chunks")


def test_a_store_of_format_1_is_read_gone_on_with_and_has_no_digests(store):
    """As it was written before: marks that say no number, and no digests.json."""
    for number in range(8):
        file = store / "done" / f"{number:06d}.json"
        text = json.loads(file.read_text())
        file.write_text(json.dumps({name: text[name] for name in ("region", "sha256")}))
    (store / "digests.json").unlink()
    (store / "table.txt").write_text("a table")
    signed(store, format=1)
    status, text = said(store)
    assert status == 0
    assert text.splitlines()[1] == "  without a digest, so not compared: table.txt"
    assert float(results.load(store).loss[1, 1, 5, 2]) == 7.5
    results.write_files(store, {"findings.json": "{}\n"})
    assert said(store)[0] == 0
    (store / "findings.json").write_text("[]\n")
    assert "findings.json is not what was written" in said(store)[1]
    copied(store)
    assert "chunk 5: its mark is damaged" in said(store)[1]


# what lies there


def test_chunks_that_lost_a_file_are_named_before_a_command_goes_on_with_the_store(store):
    asked = compared(store)
    engine.check_store(store, asked)
    (store / LOSS / "c/1/0/1/0").unlink()
    with pytest.raises(ValueError, match=r"chunk 5 .*c/1/0/1/0 is missing; jaxnn verify .*repair"):
        engine.check_store(store, asked)
    assert results.repair(store, results.verify(store)) == []
    engine.check_store(store, asked)


def test_what_is_all_as_where_nothing_is_written_has_no_file_and_is_whole(tmp_path):
    make(tmp_path / "s")
    arrays = {"loss": np.full((1, 1, 4, 3), np.nan, np.float32),
              "outcome": np.full((1, 1, 4), -1, np.int32)}  # fmt: skip
    region = {"scheme": (0, 1), "scale": (0, 1), "member": (0, 4)}
    results.write_chunk(tmp_path / "s", 0, region, arrays)
    assert not (tmp_path / "s" / LOSS / "c").exists()
    assert said(tmp_path / "s") == (0, f"{tmp_path / 's'}: whole, 1 finished chunk")
    results.refuse_damaged(tmp_path / "s")


def test_a_store_without_its_folder_of_marks_is_not_whole_and_is_mended(store):
    shutil.rmtree(store / "done")
    status, text = said(store)
    assert (status, "done is missing" in text) == (1, True)
    report = upkeep.verified(Verify(store, repair=True))
    assert report.status == 0
    assert said(store) == (0, f"{store}: whole, 0 finished chunks")


def test_verify_goes_on_after_a_store_that_it_cannot_read(store, capsys):
    folder = store.parent
    other = shutil.copytree(store, folder / "a")
    signed(other, format=99)
    linked = shutil.copytree(store, folder / "b")
    (linked / "table.txt").symlink_to("/etc/passwd")
    with pytest.raises(SystemExit) as end:
        cli.main(["verify", str(folder)])
    assert end.value.code == 2
    lines = capsys.readouterr().out.splitlines()
    assert "is a store of format 99" in lines[0]
    assert f"{linked}: table.txt is a link" in lines[1]
    assert lines[2] == f"{store}: whole, 8 finished chunks"


def test_show_prints_no_other_file_and_nothing_that_a_terminal_obeys(store, capsys):
    signed(store, study="initial weights", settings={"data": "xor", "rule": "\x1b[2Jsgd"})
    (store / "table.txt").write_text("a\x1b]0;b\x07\nc")
    assert run(["show", str(store)]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert text.endswith("a\\x1b]0;b\\x07\nc\n")
    (store / "table.txt").unlink()
    (store / "table.txt").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match=r"table\.txt is a link"):
        shown(Show(store))


@pytest.mark.parametrize(
    ("settings", "match"),
    [({"steps": "x"}, "--steps is 'x'"), ({"hidden": [[1]]}, "--hidden is"), ({}, "data")],
)
def test_settings_that_no_command_writes_are_named(store, settings, match):
    manifest = {"settings": settings and {"data": "xor", **settings}}
    with pytest.raises(ValueError, match=f"settings in its manifest: .*{match}"):
        settings_of(store, manifest, Study)
    assert settings_of(store, {"settings": {"data": "xor", "other": 1}}, Study) == Study("xor")


# digests


def test_what_was_being_written_when_a_process_was_killed_is_not_damaged(store, monkeypatch):
    results.write_files(store / "figures", {"a.svg": "old", "b.svg": "old"})
    renames = 4  # of digests.json, of each file, of digests.json
    for step in range(renames + 1):
        steps = iter(range(renames))

        def killed(source, target, *, steps=steps, step=step, own=os.replace):
            if next(steps) == step:
                raise KeyboardInterrupt
            own(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", killed)
            try:
                results.write_files(store / "figures", {"a.svg": f"new {step}", "c.svg": "new"})
                assert step == renames
            except KeyboardInterrupt:
                assert step < renames
        assert said(store) == (0, f"{store}: whole, 8 finished chunks")
    (store / "figures/a.svg").write_text("mine")
    assert said(store)[0] == 1
    report = upkeep.verified(Verify(store, repair=True))
    assert "removed figures/a.svg: written again by the command that made it" in report.text
    assert said(store) == (0, f"{store}: whole, 8 finished chunks")
    assert not (store / "figures/a.svg").exists()


def test_digests_that_are_lost_are_named_and_what_they_guarded_is_said_to_be_unknown(store):
    results.write_files(store, {"table.txt": "x"})
    (store / "digests.json").unlink()
    assert said(store)[0] == 1
    upkeep.verified(Verify(store, repair=True))
    status, text = said(store)
    assert (status, "without a digest, so not compared: table.txt" in text) == (0, True)


# leftovers


def test_what_killed_processes_left_is_named_and_removed_by_repair_and_by_the_next_run(store):
    gone = 2**22 + 1  # above Linux' largest number of a process
    left = [
        store.parent / f".s.{gone}@{os.uname().nodename}" / "arrays.zarr" / "x",
        store.parent / f".s.{gone}" / "manifest.json",
        store / f".table.txt.{gone}",
        store / "done" / f".000003.json.{gone}",
        store / LOSS / "c" / f".0.{gone}",
    ]
    alive = store / "done" / f".000004.json.{os.getpid()}"

    def leave():
        for file in (*left, alive):
            file.parent.mkdir(exist_ok=True, parents=True)
            file.write_text("")

    leave()
    status, text = said(store)
    assert status == 0
    assert text.count("left by a process that is gone") == 5
    assert str(alive) not in text
    for clean in (
        lambda: upkeep.verified(Verify(store, repair=True)),
        lambda: engine.open_store(store, compared(store), {}),
    ):
        leave()
        clean()
        assert not any(file.exists() for file in left)
        assert alive.exists()
        assert said(store) == (0, f"{store}: whole, 8 finished chunks")


def test_a_limit_of_the_size_of_files_is_named_with_the_file(store):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*digests.json'"):
            results.write_files(store, {"table.txt": "x" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said(store) == (0, f"{store}: whole, 8 finished chunks")
