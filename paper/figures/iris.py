"""Iris, 4-8-3: scales compared start by start.

Expected before it was run: the loss level is reached from nearly all starts at scale 1 and from
fewer at 10, for both schemes; and at scale 0.1 from fewer than at 1 within these steps.
"""

STORES = ("iris",)
