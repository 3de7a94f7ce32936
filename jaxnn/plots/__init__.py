"""Arrays to matplotlib axes: the only place that imports matplotlib.

Every picture is the same bytes every time.
"""

from jaxnn.plots.landscapes import along_paths as along_paths
from jaxnn.plots.landscapes import density as density
from jaxnn.plots.landscapes import eigenvalues as eigenvalues
from jaxnn.plots.landscapes import loss_against_index as loss_against_index
from jaxnn.plots.maps import OTHER as OTHER
from jaxnn.plots.maps import changed_map as changed_map
from jaxnn.plots.maps import label_colours as label_colours
from jaxnn.plots.maps import label_legend as label_legend
from jaxnn.plots.maps import label_map as label_map
from jaxnn.plots.maps import value_map as value_map
from jaxnn.plots.maps import values_along as values_along
from jaxnn.plots.networks import network_diagram as network_diagram
from jaxnn.plots.sensitivity import local_slopes as local_slopes
from jaxnn.plots.sensitivity import scaling as scaling
from jaxnn.plots.slices import band as band
from jaxnn.plots.slices import contours as contours
from jaxnn.plots.slices import off_plane_distances as off_plane_distances
from jaxnn.plots.slices import run_in_plane as run_in_plane
from jaxnn.plots.slices import surface as surface
from jaxnn.plots.studies import learning_curve as learning_curve
from jaxnn.plots.studies import loss_against_scale as loss_against_scale
from jaxnn.plots.studies import loss_bands as loss_bands
from jaxnn.plots.studies import probability_lines as probability_lines
from jaxnn.plots.studies import share_against_scale as share_against_scale
from jaxnn.plots.style import COLOURS as COLOURS
from jaxnn.plots.style import COLUMN as COLUMN
from jaxnn.plots.style import PAGE as PAGE
from jaxnn.plots.style import figure as figure
from jaxnn.plots.style import house_style as house_style
from jaxnn.plots.style import plain as plain
from jaxnn.plots.style import plt as plt
from jaxnn.plots.style import save as save
from jaxnn.plots.theory import activation_curve as activation_curve
from jaxnn.plots.theory import phase_diagram as phase_diagram
from jaxnn.plots.trees import disconnectivity as disconnectivity
