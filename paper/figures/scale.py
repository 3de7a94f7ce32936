"""Exclusive or, 2-2-1: what the scale of the initial weights alone decides.

Expected before it was run: success is rare at both ends, since small weights take long to leave the
saddle at the origin and large ones saturate; and failures vanish as the scale goes to 0 where
training is long enough, as "low levels" of failure for small weights (Kolen & Pollack 1990) suggest.
A pilot with other draws came before, and had its best scale near 0.3.
"""

STORES = ("scale",)
