"""What is done with whole stores: `jaxnn verify` and `jaxnn export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from jaxnn import results
from jaxnn.studies.reports import Report
from jaxnn.studies.store_settings import Export, Verify
from jaxnn.studies.stores import stores_in


def verified(settings: Verify) -> Report:
    """What is damaged in every store at the path; status 1 unless all are whole, or are once what
    was repaired has been computed again, and 2 where one cannot be read at all.

    Raises:
        ValueError: no store there.
    """
    paths = stores_in(settings.store)
    if not paths:
        raise ValueError(f"{settings.store}: no store there; jaxnn list says where there are some")
    checks = [_checked(path, repaired=settings.repair) for path in paths]
    values = {"whole": all(check.status == 0 for check in checks),
              "stores": [check.values for check in checks]}  # fmt: skip
    text = "\n".join(line for check in checks for line in check.lines)
    return Report(
        text, values, settings=vars(settings), status=max(check.status for check in checks)
    )


class Check(NamedTuple):
    """What is said of one store: lines, values, and the exit status that it asks for."""

    lines: list[str]
    values: dict[str, Any]
    status: int


def _checked(path: Path, *, repaired: bool) -> Check:
    """The check of one store, and its repair where that is asked for."""
    try:
        damages, gone = results.verify(path), results.leftovers(path)
        bare = [] if damages else results.unguarded(path)
        left = results.repair(path, damages) if repaired else damages
    except (ValueError, OSError) as error:
        said = " ".join(str(error).split())
        return Check([said], {"path": path, "damage": [said], "whole": False}, 2)
    lines = _said(path, damages, left, repaired=repaired)
    if gone:
        word = "removed" if repaired else "left"
        lines += [f"  {word} by a process that is gone: {place}" for place in gone]
    if bare:
        lines.append(f"  without a digest, so not compared: {', '.join(bare)}")
    values = {
        "path": path, "damage": [str(d) for d in damages], "whole": not damages,
        "leftovers": gone, "without_digest": bare,
    }  # fmt: skip
    return Check(lines, values, int(bool(left)))


def _said(
    path: Path, damages: list[results.Damage], left: list[results.Damage], *, repaired: bool
) -> list[str]:
    """The lines of one store."""
    if not damages:
        count = len(results.finished(path))
        return [f"{path}: whole, {count} finished chunk{'s' * (count != 1)}"]
    lines = [f"{path}: DAMAGED", *(f"  {damage}" for damage in damages)]
    chunks = sorted({damage.chunk for damage in damages if damage.chunk is not None})
    files = sorted({damage.file for damage in damages if damage.chunk is None and damage.file})
    if any(damage.chunk is None and not damage.file for damage in left):
        lines.append("  what describes the store is lost: remove the folder, and make it again")
    elif repaired:
        if chunks:
            numbers = f"chunk{'s' * (len(chunks) > 1)} {', '.join(map(str, chunks))}"
            lines.append(f"  forgot {numbers}: to be computed by the command that made the store")
        if files:
            lines.append(f"  removed {', '.join(files)}: written again by the command that made it")
    else:
        lines.append("  --repair forgets these, so that they are computed or written again")
    return lines


def exported(settings: Export) -> Report:
    """Write the file, and say what is in it.

    Raises:
        ValueError: as `results.save_as`.
    """
    file = settings.to or settings.store.parent / f"{settings.store.resolve().name}.nc"
    dataset, size = results.save_as(settings.store, file), file.stat().st_size
    lengths = ", ".join(f"{dim} {length}" for dim, length in dataset.sizes.items())
    text = f"{len(dataset.data_vars)} variables over {lengths}; {size:,} bytes"
    found = {"variables": list(dataset.data_vars), "sizes": dict(dataset.sizes), "bytes": size}
    return Report(text, found, files=[file], settings=vars(settings))
