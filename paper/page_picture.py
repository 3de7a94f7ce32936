"""The README's picture of a study's page: python paper/page_picture.py results/study-iris.

Needs Debian's chromium. The start that is shown is the one named after the page's #.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ADDRESS = (
    "start=3527"  # of the default study of iris: Glorot's scheme at scale 10, it stays at 67 %
)
SIZE = (1300, 1440)


def draw(store: Path) -> Path:
    """Open the store's page without a window, wait for its training, and write report.png here."""
    file = Path(__file__).with_suffix(".png")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-background-networking", f"--user-data-dir={folder}/profile",
                 f"--window-size={SIZE[0]},{SIZE[1]}", "--hide-scrollbars",
                 "--virtual-time-budget=60000",
                 f"--screenshot={shot}"]  # fmt: skip
        page = (store / "report.html").resolve().as_uri()
        subprocess.run(["chromium", *flags, f"{page}#{ADDRESS}"], check=True, capture_output=True)
        Image.open(shot).convert("RGB").quantize(255).save(file, optimize=True)
    return file


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))
