"""The store: labelled arrays on disk, written chunk by chunk, that a killed run can be taken up
from.

A store is a folder: `manifest.json` (what was asked, by which versions), `arrays.zarr` (every array
with named dimensions, NaN where nothing was written yet), `done/` (one small file per finished
chunk, written last and by rename, with the SHA-256 of what the chunk holds), and what was made of
them (`table.txt`, `findings.json`, `report.html`, `figures/`), whose SHA-256 are in `digests.json`.
A store from a stranger is believed in nothing: it runs no code, none of its links is followed, no
size is taken for true before it is compared, and what no store holds is refused unread.
"""

from jaxnn.results.claims import Claims as Claims
from jaxnn.results.damage import Damage as Damage
from jaxnn.results.damage import leftovers as leftovers
from jaxnn.results.damage import refuse_damaged as refuse_damaged
from jaxnn.results.damage import repair as repair
from jaxnn.results.damage import tidy as tidy
from jaxnn.results.damage import unguarded as unguarded
from jaxnn.results.damage import verify as verify
from jaxnn.results.datasets import load as load
from jaxnn.results.datasets import open as open  # noqa: A004
from jaxnn.results.digests import write_files as write_files
from jaxnn.results.exports import save_as as save_as
from jaxnn.results.manifests import FORMAT as FORMAT
from jaxnn.results.manifests import read_manifest as read_manifest
from jaxnn.results.manifests import refuse_foreign as refuse_foreign
from jaxnn.results.marks import Array as Array
from jaxnn.results.marks import Region as Region
from jaxnn.results.marks import cells as cells
from jaxnn.results.marks import finished as finished
from jaxnn.results.stores import Variable as Variable
from jaxnn.results.stores import create as create
from jaxnn.results.stores import write_chunk as write_chunk
from jaxnn.results.trust import arrays_of as arrays_of
from jaxnn.results.trust import trusted as trusted
