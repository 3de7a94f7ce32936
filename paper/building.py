"""What the paper is made of: stores by commands, their folders and digests, and stages that are
skipped where their inputs have not changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAPER = Path(__file__).resolve().parent
ROOT = PAPER.parent
SIZES = ("quick", "default", "full")
HASTE = {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false",
}
"""The environment of programs that run so shortly that compiling them is most of their time."""


@dataclass(frozen=True)
class Store:
    """A store of the paper: its name, the command that makes it at this size, and where it lies.

    committed: whether it lies in the repository and is not made here. needs_mnist: whether its
    command takes the folder of MNIST's files. timed: whether it measures times, so that nothing
    else should run.
    """

    name: str
    command: str
    folder: Path
    committed: bool = False
    needs_mnist: bool = False
    timed: bool = False

    @property
    def options(self) -> dict[str, list[str]]:
        """What the command says: option without its dashes -> words after it; "" the words
        before the first.
        """
        found: dict[str, list[str]] = {"": []}
        last = ""
        for word in shlex.split(self.command):
            # -5:5 is a value and no option
            if word.startswith("--"):
                last = word[2:]
                found[last] = []
            else:
                found[last].append(word)
        return found

    @property
    def typed(self) -> str:
        """The command as one types it, with the options that the build adds and must be there."""
        added = "" if self.command.startswith("jaxnn") else " --out FOLDER"
        return self.command + added + (" --data-dir DIR" if self.needs_mnist else "")

    @property
    def record(self) -> Path:
        """The file beside a finished store that says how and when it was made."""
        return self.folder.with_name(f"{self.folder.name}.json")

    @property
    def there(self) -> bool:
        """Whether nothing is left to make."""
        return self.committed or self.record.is_file()

    @property
    def log(self) -> Path:
        """The file beside a store that has what its command said while it ran."""
        return self.folder.with_name(f"{self.folder.name}.log")


def stores(size: str, *, mnist: Path | None = None) -> dict[str, Store]:
    """The stores of stores.toml at this size, by name.

    mnist: the folder of MNIST's files; without it a store that needs them is the committed one.

    Raises:
        ValueError: no such size.
    """
    if size not in SIZES:
        raise ValueError(f"size is {size!r}: give one of {', '.join(SIZES)}")
    tables = tomllib.loads((PAPER / "stores.toml").read_text())
    return {name: _store(name, table, size, mnist) for name, table in tables.items()}


def _store(name: str, table: dict[str, Any], size: str, mnist: Path | None) -> Store:
    command = f"{table['command']} {table.get(size, '')}".strip()
    if "committed" in table and mnist is None:
        return Store(name, command, PAPER / table["committed"], committed=True, needs_mnist=True)
    key = hashlib.sha256(command.encode()).hexdigest()[:8]
    folder = PAPER / "results" / "stores" / f"{name}-{key}"
    timed = table.get("timed", False)
    return Store(name, command, folder, needs_mnist="committed" in table, timed=timed)


def environment(*, optimise: bool = True) -> dict[str, str]:
    """What the programs of a build find in their environment: jaxnn, what others have compiled
    already, and how to compile.

    optimise: whether programs are compiled to be fast. Without it compiling takes half the time,
    and last digits differ.
    """
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    shared = {
        "JAX_COMPILATION_CACHE_DIR": str(PAPER / "results" / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
    }
    return {**shared, **os.environ, "PYTHONPATH": paths, **({} if optimise else HASTE)}


def make_all(made: Iterable[Store], *, mnist: Path | None = None, optimise: bool = True) -> None:
    """Make stores, two at a time: half of a store's time is one core's, which compiles. Those
    that measure times are made alone, at the end, but for a build in haste.

    optimise: as `environment`, for those that measure no times; without it a build is in haste.

    Raises:
        ValueError: a command failed; those that ran beside it are finished first.
    """

    def one(store: Store) -> None:
        if store.there:
            return
        print(f"store {store.name}: {store.command}", flush=True)
        seconds = make(store, mnist=mnist, optimise=optimise)
        print(f"store {store.name} is made, in {seconds:.0f} s", flush=True)

    made = list(made)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(one, store) for store in made if not (store.timed and optimise)]
        try:
            for future in as_completed(running):
                future.result()
        except ValueError:
            pool.shutdown(cancel_futures=True)
            raise
    for store in made:
        one(store)  # what is left: those that measure times


def make(store: Store, *, mnist: Path | None = None, optimise: bool = True) -> float:
    """Run the store's command where it has not been run to its end; the seconds that took.

    optimise: as `environment`.

    Raises:
        ValueError: the command failed, with its last words.
    """
    if store.there:
        return 0.0
    words = shlex.split(store.command)
    program = [sys.executable, "-m", "jaxnn"] if words[0] == "jaxnn" else [sys.executable]
    command = [*program, *words[1:], "--out", str(store.folder)]
    if store.needs_mnist:
        command += ["--data-dir", str(mnist)]
    store.folder.parent.mkdir(parents=True, exist_ok=True)
    before = time.time()
    with store.log.open("a") as log:
        done = subprocess.run(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=log, check=False,
            env=environment(optimise=optimise or store.timed),
        )  # fmt: skip
    if done.returncode:
        last = "\n".join(store.log.read_text().splitlines()[-5:])
        raise ValueError(
            f"store {store.name}: `{store.command}` failed; mend it and run again. Its last words, "
            f"of {store.log}:\n{last}"
        )
    seconds = time.time() - before
    record = {
        "command": store.command,
        "seconds": round(seconds, 1),
        "made": time.strftime("%Y-%m-%d", time.gmtime(before)),
        "printed": done.stdout.splitlines(),
    }
    store.record.write_text(json.dumps(record, indent=1) + "\n")
    return seconds


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of files, and of all files below folders, by name and content; of a store's arrays
    the marks of its chunks, which hold theirs.
    """
    total = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            parts = file.relative_to(path).parts
            if not file.is_file() or {"arrays.zarr", "__pycache__", "figures"} & set(parts):
                continue
            total.update(f"{file.name}\0".encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def once(mark: Path, inputs: str, stage: Callable[[], None]) -> bool:
    """Run a stage unless the file `mark` says that it was finished with these inputs; whether it
    ran.
    """
    if mark.is_file() and mark.read_text().strip() == inputs:
        return False
    mark.unlink(missing_ok=True)
    stage()
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{inputs}\n")
    return True
