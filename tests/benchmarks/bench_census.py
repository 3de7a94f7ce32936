"""Stationary points of the exclusive or with inputs +-1, targets -+0.8 and 2-2-1 tanh units (11
classes of minima, 24 of index 1): jaxnn's census against topsearch's basin hopping and transition
states, which run in an environment of their own.

Run: python tests/benchmarks/bench_census.py [--topsearch-python PATH]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import timing

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import landscapes

import jaxnn
from jaxnn.landscape import minima


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topsearch-python", help="a Python that imports topsearch")
    parser.add_argument("--starts", type=int, default=8000)
    parser.add_argument("--hops", type=int, default=1000, help="steps of basin hopping")
    parser.add_argument("--neighbours", type=int, default=1, help="pairs tried for each minimum")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def counted(census):
    """How many classes of minima and of saddles of index 1 there are."""
    return {
        "minima": int(np.sum((census.ending == 0) & (census.index == 0))),
        "index 1": int(np.sum((census.ending == 0) & (census.index == 1))),
    }


def ours(loss_fn, count, found, *, sampled):
    """A call that gives seconds a start; every call draws its own starts."""
    keys = iter(jax.random.split(jax.random.key(0), 100))

    def call():
        starts = jaxnn.ensembles.init(
            next(keys), (2, 2, 1), members=count, biases=(True, False), dtype=jnp.float32
        )
        before = time.perf_counter()
        census = minima.census(loss_fn, starts, sampled=sampled)
        seconds = time.perf_counter() - before
        kind = "minima" if sampled else "all"
        found.setdefault(f"jaxnn, {kind}", []).append({**counted(census), "seconds": seconds})
        return seconds / count

    return call


def classes_of(loss_fn, rows):
    """What these vectors (points, 8) are, polished and gathered modulo the network's symmetry."""
    rows = np.reshape(rows, (-1, 8))
    point = (
        (rows[:, :4].reshape(-1, 2, 2), rows[:, 4:6]),
        (rows[:, 6:].reshape(-1, 1, 2), None),
    )
    return counted(minima.distinct(loss_fn, minima.polish_all(loss_fn, point)))


def peers(loss_fn, python, arguments, found):
    """Runs of topsearch, one a call: seconds a step of basin hopping."""
    seeds = iter(range(100))

    def call():
        script = Path(__file__).with_name("topsearch_xor.py")
        numbers = [str(n) for n in (arguments.hops, arguments.neighbours, next(seeds))]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [python, str(script), *numbers], cwd=folder, capture_output=True, text=True,
                check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # 2x2 products
            )  # fmt: skip
        said = json.loads(done.stdout)
        row = {
            "points by hopping": said["minima_by_hopping"],
            "minima": classes_of(loss_fn, said["minima"])["minima"],
            "index 1": classes_of(loss_fn, said["saddles"])["index 1"] if said["saddles"] else 0,
            "seconds": said["hopping_seconds"],
            "seconds of transition states": said["transition_seconds"],
        }
        found.setdefault("topsearch", []).append(row)
        return said["hopping_seconds"] / arguments.hops

    return call


def main():
    """Print and write seconds a start, and how many classes each has found."""
    given = arguments()
    loss_fn = landscapes.xor_loss()
    found = {}
    hopping = {"jaxnn, descents": ours(loss_fn, given.starts, found, sampled=True)}
    if given.topsearch_python:
        hopping["topsearch, hops"] = peers(loss_fn, given.topsearch_python, given, found)
    else:
        print("topsearch not measured: give --topsearch-python PATH")
    rows = {
        "minima, time a start": timing.in_turn(hopping, repeats=given.repeats),
        "all stationary points, time a start": timing.in_turn(
            {"jaxnn, census": ours(loss_fn, given.starts, found, sampled=False)},
            repeats=given.repeats,
        ),
    }
    for name, runs in found.items():
        for run in runs:
            print(name, ", ".join(f"{key} {value:.4g}" for key, value in run.items()))
    timing.report("bench_census", rows, found=found, **vars(given))


if __name__ == "__main__":
    main()
