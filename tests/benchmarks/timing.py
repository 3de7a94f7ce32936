"""Candidates measured in turn in one process, so that a noisy machine slows all of them alike."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "jax", "jaxlib", "optax", "numpy", "torch", "loss-landscapes", "landscaper", "pyhessian",
    "curvlinops-for-pytorch",
)  # fmt: skip
LIMITS = Path(__file__).resolve().parents[3] / "shared" / "limits"


def on_one_core():
    """Keep this process, and what it starts, on one core; call it before jax is imported."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def in_turn(candidates, *, repeats):
    """Seconds of each candidate, name -> list; a candidate is called once before, uncounted.

    A candidate returns None, and is timed around the call, or the seconds that it measured itself.
    """
    compile_seconds = {}
    for name, call in candidates.items():
        before = time.perf_counter()
        call()
        compile_seconds[name] = time.perf_counter() - before
    seconds = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, call in candidates.items():
            before = time.perf_counter()
            own = call()
            seconds[name].append(time.perf_counter() - before if own is None else own)
    return seconds, compile_seconds


def build_limit(name, folder):
    """The C yardstick of this name, built by gcc; None where its source or gcc is missing."""
    source = LIMITS / f"{name}.c"
    if not source.is_file():
        return None
    binary = Path(folder) / name
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp"]
    command = ["gcc", *flags, str(source), "-o", str(binary), "-lm"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no C limit: {error}", file=sys.stderr)
        return None
    return binary


def report(topic, rows, **sizes):
    """Print medians and ratios to the first row's candidate, and write all repeats to one JSON."""
    for title, (seconds, compile_seconds) in rows.items():
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        first = next(iter(medians))
        print(title)
        for name, median in medians.items():
            low, high = min(seconds[name]), max(seconds[name])
            print(
                f"  {name:32} {median * 1e3:10.3f} ms  [{low * 1e3:.3f}, {high * 1e3:.3f}]"
                f"   {first} / this: {medians[first] / median:6.3f}"
                f"   first call {compile_seconds[name]:.2f} s"
            )
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except Exception:  # not installed: a peer that was not measured
            continue
    result = {
        "topic": topic,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
        "versions": {**packages, "python": platform.python_version()},
        "sizes": sizes,
        "seconds": {title: seconds for title, (seconds, _) in rows.items()},
        "first_call_seconds": {title: first for title, (_, first) in rows.items()},
    }
    file = Path(__file__).with_name(f"{topic}.json")
    file.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {file.name}")
