"""The pages of the API, made from the docstrings, to be read without a network."""

from __future__ import annotations

import warnings
from pathlib import Path


def write(folder: str | Path) -> Path:
    """Write a page for every module into the folder, which is made, and give the first page.

    Formulas stay text as they are in the docstrings, so no page loads anything from elsewhere.

    Raises:
        ValueError: pdoc is not installed; the folder holds something else than such pages.
    """
    try:
        import pdoc.render
    except ImportError as error:
        raise ValueError("the pages are made by pdoc: pip install 'jaxnn[docs]'") from error
    folder = Path(folder)
    first = folder / "jaxnn.html"
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: is a file; name a folder for the pages")
    if folder.exists() and any(folder.iterdir()) and not first.is_file():
        raise ValueError(f"{folder}: is not empty and holds no pages; name another folder")
    pdoc.render.configure(docformat="google", math=False, mermaid=False, show_source=False)
    with warnings.catch_warnings():  # of annotations whose names are imported for types alone
        warnings.simplefilter("ignore")
        pdoc.pdoc("jaxnn", output_directory=folder)
    return first
