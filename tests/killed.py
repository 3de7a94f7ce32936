"""A process that makes a store, a figure, a table and a page, killed at its n-th change of a file
and then taken up; run as `python killed.py FOLDER N ...`, with 0 for every N there is.
"""

import functools
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

import small_stores

from jaxnn import plots, results
from jaxnn.plots import style
from jaxnn.report.page import write_page
from jaxnn.studies import engine
from jaxnn.studies.settings import Where

MANIFEST = {part: {} for part in (*engine.ASKED, *engine.BITS)} | {"study": "test"}
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def work(store):
    engine.open_store(store, MANIFEST, small_stores.LAYOUT)
    engine.run(store, chunk, len(small_stores.CELLS), what="test", where=Where())
    with plots.house_style():
        drawn, axes = style.figure()
        axes.flat[0].plot([0, 1], [1, 0])
        plots.save(drawn, store / "figures" / "line")
    results.write_files(store, {"table.txt": "a table\n", "findings.json": "{}\n"})
    write_page(store, {"title": "a page"})


def chunk(number):
    return small_stores.cell(number, *small_stores.CELLS[number])


def kill_at(last, folder):
    """End this process at the change of this number to what lies below the folder: before it, and
    where a file is opened to be written, after that too.
    """
    count = 0

    def counted(place):
        nonlocal count
        if str(place).startswith(str(folder)):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

    def sync(descriptor, own=os.fsync):  # everything is written, nothing renamed
        counted(os.readlink(f"/proc/self/fd/{descriptor}"))
        own(descriptor)

    def opened(place, *how, own=os.open, **where):  # a file is there, nothing is in it
        descriptor = own(place, *how, **where)
        if how[0] & WRITING:
            counted(place)
        return descriptor

    os.fsync, os.open = sync, opened

    def seen(event, args):
        if event in CHANGES or (event == "open" and args[2] & WRITING):
            counted(args[0])

    sys.addaudithook(seen)


def verify(store):
    assert results.verify(store) == []


def forked(function):
    """The status of a process that does this, negative for a signal."""
    pid = os.fork()
    if not pid:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def contents(store):
    """Every file of the store, but for what tells when it was made."""
    found = {str(f.relative_to(store)): f.read_bytes() for f in store.rglob("*") if f.is_file()}
    for name in ("manifest.json", "digests.json"):
        found[name] = found.get(name, b"")[:1]
    return found


def check(folder, number, whole):
    """Whether the process lived to its end."""
    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    status = forked(lambda: (kill_at(number, folder), work(store)))
    assert status in (0, -signal.SIGKILL), (number, status)
    left = contents(store) if store.exists() else {}
    for name, content in left.items():
        if not Path(name).name.startswith(".") and not name.startswith("claims/"):
            assert content == whole.get(name), f"{number}: {name} is half written"
    assert forked(lambda: (work(store), verify(store))) == 0, f"{number}: cannot be taken up"
    assert contents(store) == whole, f"{number}: {set(contents(store)) ^ set(whole)}"
    assert [file.name for file in folder.iterdir()] == ["store"], f"{number}: leftovers"
    return status == 0


def main(folder, numbers):
    shutil.rmtree(folder / "store", ignore_errors=True)
    assert forked(lambda: work(folder / "store")) == 0
    whole = contents(folder / "store")
    count = functools.partial(check, folder, whole=whole)
    if numbers == [0]:
        number = 1
        while not count(number):
            number += 1
        print(number - 1)  # how many operations there are
    else:
        assert not any(map(count, numbers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
