"""What is done with whole stores: `jaxnn verify` and `jaxnn export`."""

from __future__ import annotations

from pathlib import Path

from jaxnn import results
from jaxnn.studies.reports import Report
from jaxnn.studies.store_settings import Export, Verify
from jaxnn.studies.stores import stores_in


def verified(settings: Verify) -> Report:
    """What is damaged in every store at the path; status 1 unless all are whole, or are once what
    was repaired has been computed again.

    Raises:
        ValueError: no store there, or as `results.verify`.
    """
    paths = stores_in(settings.store)
    if not paths:
        raise ValueError(f"{settings.store}: no store there; jaxnn list says where there are some")
    lines, found, whole = [], [], True
    for path in paths:
        damages = results.verify(path)
        left = results.repair(path, damages) if settings.repair else damages
        whole &= not left
        lines += _said(path, damages, left, repaired=settings.repair)
        found.append({"path": path, "damage": [str(d) for d in damages], "whole": not damages})
    values = {"whole": whole, "stores": found}
    return Report("\n".join(lines), values, settings=vars(settings), status=int(not whole))


def _said(
    path: Path, damages: list[results.Damage], left: list[results.Damage], *, repaired: bool
) -> list[str]:
    """The lines of one store."""
    if not damages:
        count = len(results.finished(path))
        return [f"{path}: whole, {count} finished chunk{'s' * (count != 1)}"]
    lines = [f"{path}: DAMAGED", *(f"  {damage}" for damage in damages)]
    chunks = sorted({damage.chunk for damage in damages if damage.chunk is not None})
    if chunks and repaired:
        numbers = f"chunk{'s' * (len(chunks) > 1)} {', '.join(map(str, chunks))}"
        lines.append(f"  forgot {numbers}: to be computed by the command that made the store")
    elif chunks:
        lines.append("  --repair forgets these chunks, so that they are computed again")
    if any(damage.chunk is None for damage in left):
        lines.append("  what describes the store is lost: remove the folder, and make it again")
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
