"""What is done with whole stores: `jaxnn verify` and `jaxnn export`."""

from __future__ import annotations

import os
from pathlib import Path

from jaxnn import results
from jaxnn.studies.store_settings import Export, Verify


def stores_in(folder: Path) -> list[Path]:
    """The stores at this path and below it, in order.

    Raises:
        ValueError: none there.
    """
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in ("arrays.zarr", "done"))
        if "manifest.json" in files:
            found.append(Path(place))
    if not found:
        raise ValueError(f"{folder}: no store there")
    return found


def verified(settings: Verify) -> tuple[str, bool]:
    """The report on every store at the path, and whether all are whole, or are once what was
    repaired has been computed again.

    Raises:
        ValueError: no store there, as `results.verify`.
    """
    lines, whole = [], True
    for path in stores_in(settings.store):
        found = results.verify(path)
        if not found:
            count = len(results.finished(path))
            lines.append(f"{path}: whole, {count} finished chunk{'s' * (count != 1)}")
            continue
        chunks = {damage.chunk for damage in found if damage.chunk is not None}
        left = results.repair(path, found) if settings.repair else found
        whole &= not left
        lines += [f"{path}: DAMAGED", *(f"  {damage}" for damage in found)]
        if chunks and settings.repair:
            numbers = f"chunk{'s' * (len(chunks) > 1)} {', '.join(map(str, sorted(chunks)))}"
            lines.append(f"  forgot {numbers}: to be computed by the command that made the store")
        elif chunks:
            lines.append("  --repair forgets these chunks, so that they are computed again")
        if any(damage.chunk is None for damage in left):
            lines.append("  what describes the store is lost: remove the folder, and make it again")
    return "\n".join(lines), whole


def exported(settings: Export) -> str:
    """Write the file, and say what is in it.

    Raises:
        ValueError: as `results.save_as`.
    """
    file = settings.to or settings.store.parent / f"{settings.store.resolve().name}.nc"
    dataset, size = results.save_as(settings.store, file), f"{file.stat().st_size:,} bytes"
    lengths = ", ".join(f"{dim} {length}" for dim, length in dataset.sizes.items())
    return f"wrote {file}: {len(dataset.data_vars)} variables over {lengths}; {size}"
