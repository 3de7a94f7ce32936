"""How sensitive training is to the initial weights: numbers about maps of where it ends, and about
the training map itself.

A map of labels is an array of whole numbers, one axis for each direction of a line, plane or volume
of initial weights: which minimum, or which outcome, training ends at from each.
"""

from jaxnn.landscape.changes import Change as Change
from jaxnn.landscape.changes import smallest_change as smallest_change
from jaxnn.landscape.dimensions import Dimension as Dimension
from jaxnn.landscape.dimensions import box_dimension as box_dimension
from jaxnn.landscape.dimensions import uncertainty_exponent as uncertainty_exponent
from jaxnn.landscape.entropies import Entropy as Entropy
from jaxnn.landscape.entropies import entropy as entropy
from jaxnn.landscape.exponents import Lyapunov as Lyapunov
from jaxnn.landscape.exponents import lyapunov as lyapunov
from jaxnn.landscape.merging import Wada as Wada
from jaxnn.landscape.merging import wada as wada
from jaxnn.landscape.roughness import FractalTest as FractalTest
from jaxnn.landscape.roughness import fractal_test as fractal_test
