"""Exclusive or with 2 to 64 hidden units: how fast do failures become rare?

Expected before it was run: if H hidden units were H / 2 independent tries of a network of two, a
share f of failures at width 2 would become f^(H / 2). Interplay should make failures rarer than that
at scale 1. At scale 10 the output saturates more the wider the network is, and failures should
become rarer more slowly than by independence.
"""

STORES = ("widths",)
