"""What of a store is no longer what was written, by name; and forgetting just that, so that it is
computed again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxnn.results.manifests import digest_of, read_manifest
from jaxnn.results.stores import Region, digest_at, finished, mark_of, open_arrays, where_of
from jaxnn.results.trust import ARRAYS, trusted


class Damage(NamedTuple):
    """One thing that is not what was written: the chunk's number (None for what no chunk is), the
    variable ("" for all), the chunk's region, and what is wrong.
    """

    chunk: int | None
    variable: str
    region: Region
    what: str

    def __str__(self) -> str:
        """Everything in one line."""
        if self.chunk is None:
            return self.what
        spans = ", ".join(f"{dim} {first}:{stop}" for dim, (first, stop) in self.region.items())
        place = f" ({spans})" if spans else ""
        return f"chunk {self.chunk}{place}: {self.what}"


def verify(path: str | Path) -> list[Damage]:
    """What is wrong with the store, an empty list where every finished chunk is whole.

    Reads every array again and compares it with the digest written when the chunk was finished.
    Unfinished chunks are no fault: see `finished`.

    Raises:
        ValueError: no store there; as `trusted`.
    """
    path = Path(path)
    file = path / "manifest.json"
    if file.is_file() and (path / ARRAYS).is_dir() and not _is_json(file):
        return [Damage(None, "", {}, f"{file.name} is not what was written")]
    found = _of_descriptions(path, read_manifest(path) or {})
    if found:
        return found
    variables, group = trusted(path)["variables"], open_arrays(path, "r")
    return [
        d for number in sorted(finished(path)) for d in _of_chunk(path, group, variables, number)
    ]


def repair(path: str | Path, found: Sequence[Damage]) -> list[Damage]:
    """Forget that the damaged chunks were finished, so that a rerun computes just these, to the
    same bits; what no chunk can bring back is given.

    Raises:
        ValueError: no store there; as `trusted`.
    """
    lost = [damage for damage in found if damage.chunk is None]
    if len(lost) < len(found):
        trusted(path)  # a link would lead to somebody else's files
    for number in {damage.chunk for damage in found} - {None}:
        mark_of(Path(path), int(number or 0)).unlink(missing_ok=True)
    return lost


def _is_json(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text(encoding="utf-8")), dict)
    except (ValueError, RecursionError):
        return False


def _of_descriptions(path: Path, manifest: Mapping[str, Any]) -> list[Damage]:
    """What is wrong with the manifest and with what describes each array."""
    if "sha256" in manifest and digest_of(manifest) != manifest["sha256"]:
        return [Damage(None, "", {}, "manifest.json is not what was written")]
    found = []
    for folder, digest in manifest.get("descriptions", {}).items():
        file = path / folder / "zarr.json"
        if not file.resolve().is_relative_to(path.resolve()):
            continue  # not ours to read; `trusted` says so
        if not file.is_file():
            found.append(Damage(None, Path(folder).name, {}, f"{folder}/zarr.json is missing"))
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            what = f"{folder}/zarr.json is not what was written"
            found.append(Damage(None, Path(folder).name, {}, what))
    return found


def _of_chunk(
    path: Path, group: Any, variables: Mapping[str, Any], number: int
) -> Iterator[Damage]:
    try:
        mark = json.loads(mark_of(path, number).read_text(encoding="utf-8"))
        digests = mark["sha256"]
        region = {dim: (int(first), int(stop)) for dim, (first, stop) in mark["region"].items()}
        if set(digests) != set(variables):
            raise ValueError("it names other variables")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield Damage(number, "", {}, f"its mark is damaged ({error!r:.80})")
        return
    for name, digest in digests.items():
        try:
            whole, reason = digest_at(group, name, region) == digest, "its values are others"
        except Exception as error:  # whatever a codec says of bytes that it did not write
            whole, reason = False, f"{type(error).__name__}"
        if not whole:
            where = _broken_file(path, group[name], region) or reason
            yield Damage(number, name, region, f"{name} is not what was written: {where}")


def _broken_file(path: Path, array: Any, region: Region) -> str | None:
    """Which file of a region is missing or cannot be read, None where all can."""
    spans = [
        range(where.start // size, -(-where.stop // size))
        for where, size in zip(where_of(array, region), array.chunks, strict=True)
    ]
    for block in itertools.product(*spans):
        file = path / ARRAYS / array.path / array.metadata.encode_chunk_key(block)
        if not file.is_file():
            return f"{file.relative_to(path)} is missing"
        try:
            array.blocks[block]
        except Exception:  # as above
            return f"{file.relative_to(path)} is damaged or half written"
    return None
