"""Basin hopping and transition states by topsearch on the exclusive-or landscape of
`bench_census.py`, in topsearch's own environment: prints one JSON.

Run: python topsearch_xor.py STEPS NEIGHBOURS SEED, in a folder for its log file
"""

# pyright: reportMissingImports=false

import json
import random
import sys
import time

import numpy as np
from topsearch.data.coordinates import StandardCoordinates
from topsearch.data.kinetic_transition_network import KineticTransitionNetwork
from topsearch.global_optimisation.basin_hopping import BasinHopping
from topsearch.global_optimisation.perturbations import StandardPerturbation
from topsearch.potentials.potential import Potential
from topsearch.sampling.exploration import NetworkSampling
from topsearch.similarity.similarity import StandardSimilarity
from topsearch.transition_states.hybrid_eigenvector_following import (
    HybridEigenvectorFollowing,
)
from topsearch.transition_states.nudged_elastic_band import NudgedElasticBand

INPUTS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
TARGETS = np.array([-0.8, 0.8, 0.8, -0.8])
L2 = 0.0125


class XOR(Potential):
    """The mean over cases of squared errors of a 2-2-1 tanh network, plus (L2 / 2) |p|^2, at p =
    (first weights by rows, first biases, last weights), with its gradient by hand.
    """

    def function(self, position):
        """The loss."""
        return self.function_gradient(position)[0]

    def gradient(self, position, displacement=None):  # noqa: ARG002
        """The reverse sweep; `displacement` is of the difference quotients it replaces."""
        return self.function_gradient(position)[1]

    def function_gradient(self, position):
        """Both, in one sweep."""
        W, b, V = position[:4].reshape(2, 2), position[4:6], position[6:]
        hidden = np.tanh(INPUTS @ W.T + b)
        outputs = np.tanh(hidden @ V)
        errors = outputs - TARGETS
        delta = 2.0 / len(TARGETS) * errors * (1.0 - outputs**2)
        behind = delta[:, None] * V[None, :] * (1.0 - hidden**2)
        gradient = np.concatenate(
            [(behind.T @ INPUTS).ravel(), behind.sum(axis=0), hidden.T @ delta]
        )
        loss = np.mean(errors**2) + 0.5 * L2 * np.sum(position**2)
        return loss, gradient + L2 * position


def main():
    """Search, and print what was found."""
    steps, neighbours, seed = map(int, sys.argv[1:])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002, what topsearch draws from
    potential, network = XOR(), KineticTransitionNetwork()
    coordinates = StandardCoordinates(8, [(-3.0, 3.0)] * 8)
    similarity = StandardSimilarity(0.01, 1e-6)
    hopping = BasinHopping(network, potential, similarity, StandardPerturbation(3.0))
    following = HybridEigenvectorFollowing(potential, 1e-5, 100, 0.1, 1e-6)
    band = NudgedElasticBand(potential, 50.0, 10.0, 20, 1e-2)
    sampling = NetworkSampling(network, coordinates, hopping, following, band, similarity)
    started = time.perf_counter()
    sampling.get_minima(coordinates, steps, 1e-8, 1.0)
    hopped = time.perf_counter()
    found = network.n_minima
    sampling.get_transition_states("ClosestEnumeration", neighbours)
    ended = time.perf_counter()
    graph = network.G
    print(
        json.dumps(
            {
                "minima_by_hopping": found,
                "hopping_seconds": hopped - started,
                "transition_seconds": ended - hopped,
                "minima": [list(graph.nodes[n]["coords"]) for n in graph.nodes],
                "saddles": [list(graph.edges[edge]["coords"]) for edge in graph.edges],
            }
        )
    )


if __name__ == "__main__":
    main()
