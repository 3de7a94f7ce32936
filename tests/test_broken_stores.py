"""Every file and every field of a store broken in every way, before every command that reads it."""

import contextlib
import hashlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import warnings
import zlib

import pytest
from small_stores import signed

from jaxnn import cli, devices, results

SECONDS = 150
"""A command that takes longer hangs: all are over in seconds, also on a busy machine."""
STUDY = ("study xor --schemes normal --scales 1 2 --members 4 --chunk 2 --steps 4 --hidden 2 "
         "--out {store}")  # fmt: skip
READING = (
    "show {store}",
    "verify {store}",
    "list {folder}",
    "export {store} --to {folder}/new.csv",
    "export {store} --to {folder}/new.nc",
    "compare {store} {whole}",
    "compare {whole} {store}",
    "open",
    "load",
    "slice {store} --points 3 --lines 1",
    "slice {store} --along run --points 3",
    "spectrum {store} --k 1",
    "path {store} --points 3 --steps 1",
    "align {store} --points 3",
    "show {store} --config {store}/manifest.json",
    "check xor --config {store}/manifest.json",
    STUDY + " --no-report",
    "verify {store} --repair",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store with all that the commands write into one."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "use_all_cores", lambda: None)
        for words in (STUDY, "spectrum {store} --k 1"):
            assert outcome(words.format(store=folder / "s")) == 0, words
    return folder / "s"


@pytest.fixture
def _one_process(monkeypatch):
    monkeypatch.setattr(devices, "use_all_cores", lambda: None)


class Late(BaseException):
    """What no command catches: it took too long."""


@contextlib.contextmanager
def limited(seconds):
    def late(*_):
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(words):
    """The exit status of a command; or what it ended in, and is no status of one."""
    said = io.StringIO()
    try:
        with limited(SECONDS), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            name, *rest = words.split()
            if name in ("open", "load"):
                getattr(results, name)(*rest)
            else:
                cli.main(words.split())
    except SystemExit as end:
        lines = said.getvalue().splitlines()
        return end.code if end.code != 2 or lines else "no line"
    except ValueError as error:
        return 2 if name in ("open", "load") else repr(error)
    except (Exception, Late) as error:
        return repr(error)
    return 0


def tree(folder):
    """Everything in a folder, with the bytes of files; links and pipes as such."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            if os.path.islink(path):
                found[path] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[path] = hashlib.sha256(file.read()).hexdigest()
            else:
                found[path] = ""
    return found


VALUES = (None, True, -1, 0, 2**63, 10**400, 1e300, float("nan"), "", "x", "../x", "\x1b[2J",
          [], [1], [[1], [2, 3]], {}, {"a": {"b": 1}}, ["x"] * 9)  # fmt: skip
DEEP = "[" * 100_000 + "]" * 100_000
TEXTS = {
    "emptied": "", "deep": DEEP, "deep object": '{"a":' * 5000 + "1" + "}" * 5000, "list": "[]",
    "NaN": '{"format": NaN, "region": NaN, "files": NaN}', "null": "null", "text": '"x"',
    "many digits": f'{{"format": {"9" * 5000}}}', "half a character": '{"a": "\\ud800"}',
    "no text": "\udcff\udc80",
}  # fmt: skip


def replaced(file, kind, outside):
    """Put something else in the place of a file or folder."""
    content = file.read_bytes() if file.is_file() else b""
    kept = outside / "copy"
    if kind == "link to a copy":
        (shutil.move if file.is_dir() else shutil.copy)(file, kept)
    shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    if kind in TEXTS:
        file.write_bytes(TEXTS[kind].encode("utf-8", "surrogateescape"))
    elif kind == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif kind == "garbled":
        file.write_bytes(random.Random(len(content)).randbytes(len(content) or 9))
    elif kind == "longer":
        file.write_bytes(content * 2)
    elif kind == "folder":
        file.mkdir()
        (file / "deeper").mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind != "missing":
        targets = {"link to a copy": kept, "link to mine": outside / "mine", "link round": file}
        file.symlink_to(targets.get(kind, outside / "nothing"))


KINDS = (*TEXTS, "cut", "garbled", "longer", "folder", "pipe", "link to a copy", "link to mine",
         "link round", "link to nothing", "missing")  # fmt: skip


def changed(file, place, value, store):
    """A field of a JSON file said otherwise, all digests made to fit as a stranger would."""
    said = json.loads(file.read_text())
    *way, last = place
    inside = said
    for part in way:
        inside = inside[part]
    if value is KeyError:
        del inside[last]
    else:
        inside[last] = value
    with contextlib.suppress(TypeError, AttributeError):  # where the field was the digest's own
        guard(said, "mark" if file.parent.name == "done" else "sha256")
    file.write_text(json.dumps(said))
    if file.name == "zarr.json":
        signed(store)


def guard(said, name):
    if name not in said:
        return
    del said[name]
    own = said["files"] if set(said) == {"files"} else said
    said[name] = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def fields(said, way=()):
    """The way to every field of an object, those of long lists but for the first."""
    pairs = said.items() if isinstance(said, dict) else enumerate(said[:1])
    for name, part in pairs:
        yield (*way, name)
        if isinstance(part, dict | list):
            yield from fields(part, (*way, name))


def representative(store):
    """The files and folders of a store, one of each kind."""
    array = "arrays.zarr/final_loss"
    figure = min(file.name for file in (store / "figures").iterdir())
    return ["manifest.json", "digests.json", "table.txt", "findings.json", "report.html",
            f"figures/{figure}", "figures", "done", "done/000000.json", "done/000003.json",
            "arrays.zarr", "arrays.zarr/zarr.json", array, f"{array}/zarr.json", f"{array}/c",
            f"{array}/c/0/0", f"{array}/c/0/0/0", f"{array}/c/0/1/1",
            "arrays.zarr/outcome/c/0/0/0"]  # fmt: skip


def structural(store):
    """Every (file, what is put in its place), and every (file, field, value), some values each."""
    for name in representative(store):
        for kind in KINDS:
            yield name, kind, None
    for name in ("manifest.json", "done/000001.json", "arrays.zarr/final_loss/zarr.json",
                 "arrays.zarr/zarr.json", "digests.json", "findings.json"):  # fmt: skip
        for place in fields(json.loads((store / name).read_text())):
            if name != "manifest.json" or place[0] != "gradient_check" or len(place) < 3:
                turn = zlib.crc32(repr(place).encode())
                for value in (KeyError, *(VALUES[(turn + k) % len(VALUES)] for k in range(3))):
                    yield name, place, value


def faults_of(whole, folder, fault, words):
    """What goes wrong with this fault before this command, a line each."""
    (name, kind, value), outside, store = fault, folder / "outside", folder / "in" / "s"
    shutil.rmtree(folder, ignore_errors=True)
    outside.mkdir(parents=True)
    (outside / "mine").write_text("precious")
    shutil.copytree(whole, store)
    if isinstance(kind, str):
        replaced(store / name, kind, outside)
    else:
        changed(store / name, kind, value, store)
    before, mine = tree(folder / "in"), tree(outside)
    line = words if " " in words else f"{words} {{store}}"
    status = outcome(line.format(store=store, folder=store.parent, whole=whole))
    said = f"{name}: {kind} {value!r:.30}: {words}"
    if status not in (0, 1, 2):
        yield f"{said}: {status}"
    if tree(outside) != mine:
        yield f"{said}: touched what is not the store's"
    if status == 2 and "--repair" not in words and tree(folder / "in") != before:
        odd = {*tree(folder / "in").items()} ^ {*before.items()}
        yield f"{said}: refused, and left {sorted(odd)[:3]}"


def broken(whole, tmp_path, chosen):
    """What goes wrong with these faults and commands."""
    before = tree(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [
            line
            for fault, words in chosen
            for line in faults_of(whole, tmp_path / "broken", fault, words)
        ]
    assert tree(whole) == before
    return found


def every(whole):
    """Every fault before every command."""
    faults = [*structural(whole)]
    assert len(faults) > 127
    return [*itertools.product(faults, READING)]


@pytest.mark.usefixtures("_one_process")
def test_the_study_command_names_what_its_finished_store_lost_and_computes_just_that(
    whole, tmp_path, capsys
):
    store = shutil.copytree(whole, tmp_path / "s")
    before, words = tree(store), STUDY.format(store=store).split()
    (store / "arrays.zarr/losses/c/0/1/1/0").unlink()
    for more in ([], ["--no-report"]):
        with pytest.raises(SystemExit) as end:
            cli.main([*words, *more])
        assert end.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "chunk 3 " in line
        assert f"jaxnn verify {store} --repair" in line
    cli.main(["verify", str(store), "--repair"])
    cli.main(words)
    assert tree(store) == before


@pytest.mark.usefixtures("_one_process")
@pytest.mark.parametrize(
    ("words", "figure"),
    [
        ("slice {store} --points 3 --lines 1", "slice-filter-loss-0_0_0.svg"),
        ("spectrum {store} --k 1", "spectrum-0_1_0.svg"),
    ],
)
def test_a_link_in_the_place_of_a_figure_is_not_written_through(whole, tmp_path, words, figure):
    store, mine = shutil.copytree(whole, tmp_path / "s"), tmp_path / "mine"
    mine.write_text("precious")
    (store / "figures" / figure).unlink(missing_ok=True)
    (store / "figures" / figure).symlink_to(mine)
    assert outcome(words.format(store=store)) == 2
    assert mine.read_text() == "precious"


@pytest.mark.usefixtures("_one_process")
def test_a_broken_store_ends_no_command_in_a_traceback_and_touches_nothing_else(whole, tmp_path):
    drawing = ("slice", "spectrum", "path", "align")  # each compiles for some seconds
    pairs = random.Random(0).sample(every(whole), 60)
    chosen = [pair for pair in pairs if not pair[1].startswith(drawing)]
    assert broken(whole, tmp_path, chosen[:20]) == []


PARTS = 16


@pytest.mark.slow
@pytest.mark.usefixtures("_one_process")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_fault_and_every_command(part, whole, tmp_path):
    """Every fault before one command, and some 130 of them before each: all pairs take hours."""
    faults = [*structural(whole)]
    turns = [(fault, READING[k % len(READING)]) for k, fault in enumerate(faults)]
    some = itertools.product(faults[:: len(faults) // 130], READING)
    assert broken(whole, tmp_path, [*turns, *some][part::PARTS]) == []
