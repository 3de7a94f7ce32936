"""Every benchmark into paper/benchmarks.json, and from it the README's table of speeds.

Run: python tests/benchmarks/run_all.py [bench_training ...] [--readme] [--topsearch-python PATH]

Without names all of them; with names these alone, the others stay as they are. --readme measures
nothing. What a benchmark compares with is left out where it is not installed; topsearch needs an
environment of its own. A machine that does other work slows both sides of a comparison, so only
ratios count there: how busy other programs kept it is written beside them.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULT, README = ROOT / "paper" / "benchmarks.json", ROOT / "README.md"
BEGIN, END = "<!-- speeds: written by tests/benchmarks/run_all.py -->", "<!-- end of speeds -->"
TOPICS = tuple(sorted(file.stem for file in HERE.glob("bench_*.py")))
MOST = 2  # rows of a topic in the README


def used():
    """CPU seconds that this machine has spent, and of these what this program's children have."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    busy = sum(map(int, fields[:3])) / os.sysconf("SC_CLK_TCK")  # user, nice, system
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return busy, children.ru_utime + children.ru_stime


def run(topic, *options):
    """What a benchmark measured: medians and ranges, and how many cores others used meanwhile."""
    before, began = used(), time.time()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / f"{topic}.py"), *options]
    subprocess.run(command, check=True, env=environment)
    busy, own = (late - early for late, early in zip(used(), before, strict=True))
    found = json.loads((HERE / f"{topic}.json").read_text())
    return {
        "command": f"python tests/benchmarks/{topic}.py",
        "date": time.strftime("%Y-%m-%d", time.gmtime(began)),
        "machine": {**found["machine"], "system": platform.system()},
        "versions": found["versions"],
        "sizes": {n: v for n, v in found["sizes"].items() if v is not None and "python" not in n},
        "cores used by others": round(max(0.0, busy - own) / (time.time() - began), 2),
        "seconds": {
            title: {name: summary(values) for name, values in candidates.items()}
            for title, candidates in found["seconds"].items()
        },
    }


def summary(values):
    """Median, least and most of the repeats, and how many there were."""
    three = statistics.median(values), min(values), max(values)
    named = zip(("median", "least", "most"), three, strict=True)
    return {**{name: float(f"{value:.4g}") for name, value in named}, "repeats": len(values)}


def spoken(seconds):
    """A time with its unit, three figures."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def rows(found, *, most=None):
    """A row a comparison: topic, what was timed, the time of the first candidate, and the others as
    multiples of it.
    """
    lines = []
    for topic, part in found.items():
        compared = {t: c for t, c in part["seconds"].items() if len(c) > 1}
        for title, candidates in list(compared.items())[:most]:
            (first, own), *others = candidates.items()
            ratios = [f"{name}: {c['median'] / own['median']:.2f}" for name, c in others]
            lines.append(
                [topic.removeprefix("bench_"), title, f"{first}: {spoken(own['median'])}",
                 "; ".join(ratios)]
            )  # fmt: skip
    return lines


def table(found):
    """The README's table: Markdown, without the markers."""
    others = sorted(part["cores used by others"] for part in found.values())
    cores = sorted({part["machine"]["cores"] for part in found.values()})
    head = ["", "what was timed", "median time", "others, as multiples of it"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows(found, most=MOST)]
    note = (
        f"Measured in turn on {' or '.join(map(str, cores))} cores, of which other programs used "
        f"{others[0]:g} to {others[-1]:g}. `paper/benchmarks.json` has all of it."
    )
    return "\n".join([*lines, "", note])


def with_table(text, found):
    """The README with the table between its markers.

    Raises:
        ValueError: a README without them.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md has no markers {BEGIN} and {END}: put them back")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table(found)}\n{END}{after}"


def main():
    """Measure what is asked, and write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("topics", nargs="*", choices=[[], *TOPICS], metavar="topic",
                        help=", ".join(TOPICS))  # fmt: skip
    parser.add_argument("--readme", action="store_true", help="only write the README's table")
    parser.add_argument("--topsearch-python", metavar="PATH", help="a Python that has topsearch")
    asked = parser.parse_args()
    found = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    for topic in () if asked.readme else asked.topics or TOPICS:
        own = ("--topsearch-python", asked.topsearch_python)
        found[topic] = run(topic, *(own if topic == "bench_census" and own[1] else ()))
        RESULT.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")
    README.write_text(with_table(README.read_text(), dict(sorted(found.items()))))


if __name__ == "__main__":
    main()
