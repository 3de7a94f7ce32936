"""Signed exclusive or, tanh, with a penalty: how probable each attractor is, by the scale of the
initial weights, and what the step size decides.

Expected before it was run: at scale 0.1 nearly all starts (above 90 %) end in one family of minima,
since they leave the saddle at the origin along one direction; the global minimum becomes less
probable from there on as the scale grows. Descent at a step size of 0.25 ends elsewhere than the
gradient flow from fewer than 2 % of the starts at every scale, and this share grows with the scale
at any step size, as steeper places are visited.
"""

STORES = ("attractors",)
