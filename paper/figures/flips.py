"""How often a small change of the initial weights changes where training ends.

Expected before it was run: at a change of a given share of the weights' length, flips grow with the
scale, since large weights lie among more borders; and the share of flips is proportional to the
change (exponent 1, smooth borders) at every scale.
"""

STORES = ("flips",)
