"""Make the paper: the stores it needs, its figures, its numbers, and paper/jaxnn.pdf.

Run: python paper/build.py [--quick | --full] [--mnist DIR]

Stop it when you like: the same command goes on where it was. The default sizes are for two cores,
--quick are small ones for a look (into jaxnn-quick.pdf, with a watermark; programs compiled in
haste), --full is for a GPU (jaxnn-full.pdf).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import checking
from building import PAPER, ROOT, SIZES, Store, digest, environment, make_all, once, stores

for place in (PAPER, ROOT):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

TIMESTAMP = 1_767_225_600
"""What the PDF says of when it was made: fixed, so that the same inputs give the same bytes."""


def figures() -> dict[str, ModuleType]:
    """Every file of paper/figures, by name: `STORES`, `numbers(stores)` and, but for tables,
    `draw(stores)`.
    """
    names = sorted(file.stem for file in (PAPER / "figures").glob("[a-z]*.py"))
    return {name: importlib.import_module(f"figures.{name}") for name in names}


def make_figures(made: dict[str, Store], folder: Path) -> None:
    """Draw each figure and write its numbers, where its stores or its code have changed."""
    from jaxnn import plots

    code = [ROOT / "jaxnn", *(PAPER / f"{name}.py" for name in ("words", "reading", "drawing"))]
    for name, module in figures().items():
        used = {store: made[store] for store in module.STORES}

        def stage(name: str = name, module: ModuleType = module, used: Any = used) -> None:
            with plots.house_style():
                found = module.numbers(used)
                if hasattr(module, "draw"):
                    plots.save(module.draw(used), folder / "figures" / name)
            (folder / "numbers").mkdir(parents=True, exist_ok=True)
            file = folder / "numbers" / f"{name}.json"
            file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")

        places = [store.folder for store in used.values()]
        own = [Path(str(module.__file__)), *getattr(module, "FILES", ())]
        inputs = digest([*code, *own, *places])
        if once(folder / "marks" / name, inputs, stage):
            print(f"figure {name}", flush=True)


def sizes_of(store: Store) -> str:
    """The sizes of the networks in a store of the command line, as 2-2-1; else nothing."""
    from jaxnn import results

    there = (store.folder / "manifest.json").is_file()
    manifest = results.read_manifest(store.folder) if there else None
    return "-".join(map(str, (manifest or {}).get("network", {}).get("sizes", [])))


def gather(made: dict[str, Store], size: str, folder: Path) -> dict[str, Any]:
    """All that the text may say, in one file: the figures' numbers, the stores' commands and
    settings, the versions.
    """
    from jaxnn.studies.problem import versions

    numbers = {
        f"{name}.{key}": value
        for name in figures()
        for key, value in json.loads((folder / "numbers" / f"{name}.json").read_text()).items()
    }
    found = {
        "numbers": numbers,
        "settings": {name: store.options for name, store in made.items()},
        "commands": {name: store.typed for name, store in made.items()},
        "networks": {name: sizes for name, store in made.items() if (sizes := sizes_of(store))},
        "committed": sorted(name for name, store in made.items() if store.committed),
        "size": size,
        "versions": versions(),
    }
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (folder / "numbers.json").write_text(text)
    if size == SIZES[1]:
        (PAPER / "numbers.json").write_text(text)  # the committed ones
    return found


def typeset(size: str, *, paper: Path = PAPER) -> Path:
    """The PDF of this size, the same bytes for the same numbers, figures and text."""
    import matplotlib
    import typst

    output = paper / ("jaxnn.pdf" if size == "default" else f"jaxnn-{size}.pdf")
    typst.compile(
        paper / "text" / "jaxnn.typ",
        output=output,
        root=paper,
        font_paths=[Path(matplotlib.get_data_path()) / "fonts" / "ttf"],  # those of the figures
        ignore_system_fonts=True,
        sys_inputs={"size": size},
        timestamp=TIMESTAMP,
    )
    return output


def main(args: list[str] | None = None) -> None:
    """Make what is missing, in order, and say where the PDF is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_const", dest="size", const="quick",
                       help="small sizes, for a look, with a watermark")  # fmt: skip
    which.add_argument("--full", action="store_const", dest="size", const="full",
                       help="sizes for a GPU")  # fmt: skip
    parser.add_argument("--mnist", type=Path, help="the folder with MNIST's four IDX files")
    parser.add_argument("--only", nargs="*", help="make these stores and stop")
    asked = parser.parse_args(args)
    size = asked.size or SIZES[1]
    optimise = size != SIZES[0]
    try:
        made = stores(size, mnist=asked.mnist)
        chosen = [store for name, store in made.items() if not asked.only or name in asked.only]
        make_all(chosen, mnist=asked.mnist, optimise=optimise)
    except (ValueError, OSError) as error:
        sys.exit(f"build: {error}")
    if asked.only:
        return
    os.environ.update(environment(optimise=optimise))  # for jax, which is not imported yet
    folder = PAPER / "results" / size
    make_figures(made, folder)
    found = gather(made, size, folder)
    text = "\n".join(file.read_text() for file in checking.sections(PAPER))
    claims = {key for call, (key, *_) in checking.keys(text) if call == "claim"}
    for key in sorted(claims):
        if found["numbers"][key] is not True:
            print(f"NOT supported at this size, and struck out: {key}")
    print("wrote", typeset(size).relative_to(ROOT))


if __name__ == "__main__":
    main()
