"""The command line, `jaxnn` and `python -m jaxnn`: from the words typed to settings, from settings
to what is found, from what is found to text or JSON.
"""

from jaxnn.cli.entry import main as main
