"""Whole stores: what was damaged is computed again to the same bits; folders of others are left."""

import shutil

import pytest

from jaxnn import cli, devices, results
from jaxnn.studies import initial_weights, stores
from jaxnn.studies.settings import Study
from jaxnn.studies.store_settings import Export, Verify


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of four chunks, the last of each cell shorter."""
    out = tmp_path_factory.mktemp("stores") / "store"
    settings = Study(
        "xor", schemes=("normal",), scales=(0.5, 4.0), members=3, chunk=2, steps=30, out=out
    )
    with pytest.MonkeyPatch.context() as patch:  # a trial would compile everything twice
        patch.setattr(initial_weights, "estimate", lambda *_: "")
        initial_weights.run(settings)
    return settings


def contents(path):
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("number", [0, 3])
def test_a_rerun_after_repair_computes_one_chunk_only_to_the_same_bits(made, number, monkeypatch):
    before, computed, chunk = contents(made.out), [], initial_weights.chunk
    monkeypatch.setattr(initial_weights, "estimate", lambda *_: "")
    monkeypatch.setattr(initial_weights, "chunk", lambda s, n: (computed.append(n), chunk(s, n))[1])
    place = f"arrays.zarr/final_weights_1/c/0/{number // 2}/{number % 2}/0/0"
    content = bytearray(before[made.out / place])
    content[len(content) // 2] ^= 1
    (made.out / place).write_bytes(content)
    report, whole = stores.verified(Verify(made.out))
    assert not whole
    assert f"chunk {number} (" in report
    assert f"final_weights_1 is not what was written: {place} is damaged" in report
    initial_weights.run(made)
    assert computed == []  # nobody has looked
    assert stores.verified(Verify(made.out, repair=True))[1]
    initial_weights.run(made)
    assert computed == [number]
    assert contents(made.out) == before
    assert stores.verified(Verify(made.out)) == (f"{made.out}: whole, 4 finished chunks", True)


def test_a_study_does_not_write_through_a_link(made, tmp_path):
    store = shutil.copytree(made.out, tmp_path / "s")
    outside = shutil.move(store / "done", tmp_path / "mine")
    (store / "done").symlink_to(outside)
    with pytest.raises(ValueError, match="done is a link"):
        initial_weights.run(Study(**{**vars(made), "out": store}))


def test_a_study_travels_as_every_kind_of_file(made, tmp_path):
    for kind in ("nc", "csv", "safetensors"):
        said = stores.exported(Export(made.out, tmp_path / f"a.{kind}"))
        assert "scheme 1, scale 2, member 3, record 31" in said
    table = (tmp_path / "a.csv").read_text().splitlines()
    assert len(table) == 1 + 2 * 3
    names = table[0].split(",")
    assert names[:5] == ["scheme", "scale", "member", "initial_loss", "final_loss"]
    assert "final_weights_1[0" in table[0]
    assert table[1].split(",")[names.index("outcome")] == "unfinished"


SMALL = ["--steps", "2", "--out"]
SAMPLE = ["basins", "xor", "--over", "sample", "--members", "2"]


@pytest.mark.parametrize(
    "args",
    [
        ["study", "xor", *SMALL, "busy"],
        ["basins", "xor", *SMALL, "busy"],
        [*SAMPLE, *SMALL, "busy"],
        [*SAMPLE, "--widths", "2", "3", *SMALL, "busy"],
        ["census", "xor", *SMALL, "busy"],
        ["sensitivity", "xor", *SMALL, "busy"],
        ["train", "xor", *SMALL, "busy"],
        ["export", "busy", "--to", "new.nc"],
        ["export", "store", "--to", "busy/mine.csv"],
        ["verify", "busy/deeper", "--repair"],
        *([name, "store", "--out", "busy"] for name in ("slice", "spectrum", "path", "align")),
    ],
)
def test_a_folder_that_is_not_empty_and_no_store_is_never_touched(
    made, args, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(devices, "use_all_cores", lambda: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store").symlink_to(made.out)
    (tmp_path / "busy" / "deeper").mkdir(parents=True)
    (tmp_path / "busy" / "mine.csv").write_text("precious")
    (tmp_path / "busy" / "deeper" / "done").write_text("precious too")
    before = contents(tmp_path), sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as end:
        cli.main(args)
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert any(
        part in printed.err for part in ("is no store", "is there already", "no store there")
    )
    assert printed.err.count("\n") == 1
    assert (contents(tmp_path), sorted(tmp_path.rglob("*"))) == before
    assert results.finished(made.out) == {0, 1, 2, 3}
