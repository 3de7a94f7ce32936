"""`python -m jaxnn` is the command line."""

from jaxnn.cli import main

main()
