"""From 10^4 to 10^6 members of 2-2-1 on XOR, 2000 steps, losses every 100: time per member and peak
memory of the whole command, in a process of its own each.

Run: python tests/benchmarks/bench_growth.py
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import timing

MEMBERS = (10_000, 100_000, 1_000_000)
CHUNK, TURNS = 10_000, 3


def one(members, out):
    """Run the study and time its chunks, computed and written, after a study of one chunk has
    compiled all programs and made the store's first file.
    """
    from jaxnn import devices

    devices.use_all_cores()
    from dataclasses import replace

    from jaxnn import results
    from jaxnn.studies import engine, initial_weights
    from jaxnn.studies.settings import Study

    settings = Study(
        "xor", schemes=("normal",), scales=(1.0,), members=members, steps=2000, record_every=100,
        gradient=0.0, chunk=CHUNK, out=Path(out),
    )  # fmt: skip
    seconds, own = [], engine.run

    def run(*args, **named):
        before = time.perf_counter()
        own(*args, **named)
        seconds.append(time.perf_counter() - before)

    engine.run = run
    initial_weights.run(replace(settings, members=CHUNK, out=Path(f"{out}-first")))
    path = initial_weights.run(settings)
    assert len(results.finished(path)) * CHUNK == members
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds[-1], "GiB": peak}))


def main():
    """Print and write microseconds per member, and GiB."""
    found = {members: [] for members in MEMBERS}
    for members in MEMBERS * TURNS:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, __file__, str(members), f"{folder}/store"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        found[members].append(json.loads(done.stdout.splitlines()[-1]))
    each_of = {}
    for members, runs in found.items():
        each = [run["seconds"] / members * 1e6 for run in runs]
        print(
            f"{members:9} members: {sorted(each)[len(each) // 2]:7.2f} us a member "
            f"{[round(e, 2) for e in each]}, peak {max(run['GiB'] for run in runs):.2f} GiB"
        )
        each_of[f"jaxnn, one of {members:,}"] = [run["seconds"] / members for run in runs]
    rows = {"a member of 2-2-1, 2000 steps, stored": (each_of, dict.fromkeys(each_of, 0.0))}
    timing.report("bench_growth", rows, members=MEMBERS, chunk=CHUNK)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        one(int(sys.argv[1]), sys.argv[2])
    else:
        main()
