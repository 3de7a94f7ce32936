"""Exclusive or: can the initial weights tell what training will make of them, at a given scale?

Expected before it was run: at scale 1 the alignment of the tangent kernel with the targets tells
most (AUC above 0.7), the sharpness at the start nothing, and all quantities together foretell less
at scale 10, where most starts fail by saturation, than at scale 1.
"""

STORES = ("scale",)
