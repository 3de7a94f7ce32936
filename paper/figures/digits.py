"""Digits, 64-32-10, mini-batches: test accuracy by the scale of the initial weights.

Expected before it was run: test accuracy falls from scale 0.3 to 3 under N(0, scale^2) by more than a
percentage point, and not under Nielsen's scheme, which divides by the inputs.
"""

STORES = ("digits",)
