"""The paper: no number is typed, every key and reference is there, and the same inputs are the same
bytes.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "paper"
sys.path.insert(0, str(PAPER))
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

import build
import building
import checking
import reading
import run_all
import words

SECTIONS = checking.sections(PAPER)
TEXT = "\n".join(file.read_text() for file in SECTIONS)
FOUND = json.loads((PAPER / "numbers.json").read_text())
FIGURES = {file.stem: file for file in (PAPER / "figures").glob("[a-z]*.py")}


@pytest.mark.parametrize("file", SECTIONS, ids=lambda file: file.stem)
def test_no_result_is_typed_by_hand(file):
    assert checking.typed_results(file.read_text()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "It was 61.3 % of them.",
        "Of 4000 networks none failed.",
        'from #n("scale.n") starts, 12 failed',
        "a share of $0.613$ of them",
        "with $n = 4000$ starts",
        "#drawn(width: 50%, [Of 12 networks.])",
        "as @kolen1990 found in 7 of 10",
        'a network #network("scale") that is 2-2-1',
        "It was $61 %$ of them",
        "$61,3$ points",
        "$99$ of them",
        '#n("scale.n", "61.3 %")',
        "with a width: 61.3% of them",
    ],
)
def test_a_typed_result_is_found(planted):
    assert checking.typed_results(f"Before.\n\n{planted}\n\nAfter.") != []


@pytest.mark.parametrize(
    "allowed",
    [
        'It was #n("scale.at-best").',
        "the matrix $W_1$ has $2^H H!$ images, at $95 %$",
        "as in float32 and @kolen1990",
        '#drawn("scale", width: 56%, [Shares.])',
        '#setting("scale", "steps") steps of #network("scale")',
        "// a comment of 2026",
    ],
)
def test_what_is_no_result_is_let_through(allowed):
    assert checking.typed_results(allowed) == []


def test_every_key_that_the_text_uses_is_in_the_numbers():
    assert checking.missing(TEXT, FOUND, FIGURES) == []


@pytest.mark.parametrize(
    "asked",
    ['#n("scale.nothing")', '#claim("scale.n")[so]', '#setting("scale", "nothing")',
     '#rows("scale.n", ("a",))', '#command("nothing")', '#drawn("nothing", [so])',
     '#network("nothing")'],
)  # fmt: skip
def test_a_key_that_is_not_there_is_found(asked):
    assert len(checking.missing(asked, FOUND, FIGURES)) == 1


def test_every_claim_of_the_committed_build_is_supported():
    claims = {first for call, (first, *_) in checking.keys(TEXT) if call == "claim"}
    assert len(claims) >= 10
    assert [key for key in sorted(claims) if FOUND["numbers"][key] is not True] == []


def test_every_reference_is_cited_and_says_where_it_is():
    entries = checking.entries((PAPER / "text" / "refs.bib").read_text())
    labels = {f"fig-{name}" for name in FIGURES} | set(
        part.split(">")[0] for part in TEXT.split("<")[1:]
    )
    cited = checking.cited(TEXT)
    assert set(entries) <= cited
    assert cited <= set(entries) | labels
    for key, entry in entries.items():
        assert "doi = {10." in entry or "url = {http" in entry, key


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_figure_says_what_was_expected_and_names_stores_that_exist(name):
    module = build.figures()[name]
    said = module.__doc__ or ""
    assert "Expected before it was run:" in said or "Nothing is expected" in said
    assert set(module.STORES) <= set(building.stores("default"))
    assert callable(module.numbers)
    if hasattr(module, "draw"):
        assert f'#drawn("{name}"' in TEXT or f'drawn("{name}"' in TEXT
    assert f'"{name}.' in TEXT


def pages(folder, found):
    """The PDF of these numbers, with empty pictures in the place of the figures."""
    shutil.copytree(PAPER / "text", folder / "text")
    (folder / "results" / "default" / "figures").mkdir(parents=True)
    (folder / "results" / "default" / "numbers.json").write_text(json.dumps(found))
    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"></svg>'
    for name in FIGURES:
        (folder / "results" / "default" / "figures" / f"{name}.svg").write_text(empty)
    return build.typeset("default", paper=folder).read_bytes()


def test_the_same_numbers_are_the_same_bytes_and_a_lost_claim_is_seen(tmp_path):
    pytest.importorskip("typst")
    first, again = (pages(tmp_path / name, FOUND) for name in ("a", "b"))
    assert first == again
    assert first.startswith(b"%PDF")
    claim = next(first for call, (first, *_) in checking.keys(TEXT) if call == "claim")
    lost = {**FOUND, "numbers": {**FOUND["numbers"], claim: False}}
    assert pages(tmp_path / "c", lost) != first


def test_a_number_that_is_missing_stops_the_typesetting(tmp_path):
    typst = pytest.importorskip("typst")
    without = {k: v for k, v in FOUND["numbers"].items() if k != "network.value"}
    with pytest.raises(typst.TypstError, match=r"network.value"):
        pages(tmp_path, {**FOUND, "numbers": without})


def test_a_stage_runs_once_and_again_when_its_inputs_change(tmp_path):
    source, mark, ran = tmp_path / "source", tmp_path / "mark", []
    for text, runs in (("a", 1), ("a", 1), ("b", 2)):
        source.write_text(text)
        building.once(mark, building.digest([source]), lambda: ran.append(1))
        assert len(ran) == runs


def test_a_stage_that_breaks_off_is_run_again(tmp_path):
    def broken():
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        building.once(tmp_path / "mark", "inputs", broken)
    assert building.once(tmp_path / "mark", "inputs", lambda: None)


def test_stores_of_different_commands_lie_apart():
    sizes = [building.stores(size) for size in building.SIZES]
    for name in ("scale", "widths", "census"):
        assert len({made[name].folder for made in sizes}) == 3
    assert sizes[0]["mnist"].committed
    assert not building.stores("quick", mnist=Path("there"))["mnist"].committed
    assert sizes[1]["scale"].options["schemes"] == ["normal"]
    with pytest.raises(ValueError, match="default"):
        building.stores("small")


def test_a_store_is_made_once_and_a_failed_command_is_no_store(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, pathlib\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "out.mkdir()\nprint('made')\n"
    )
    store = building.Store("one", f"python {script}", tmp_path / "one")
    building.make(store)
    building.make(store)  # else mkdir would fail
    assert json.loads(store.record.read_text())["printed"] == ["made"]
    with pytest.raises(ValueError, match=r"(?s)store two: .* failed; mend it .*can't open file"):
        building.make(building.Store("two", f"python {script}.py", tmp_path / "two"))


def test_two_stores_are_made_at_once_and_those_that_measure_times_alone_and_last(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import pathlib, sys, time\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "began = time.time()\ntime.sleep(0.5)\n"
        "print(began, time.time())\n"
    )
    made = [
        building.Store(name, f"python {script}", tmp_path / name, timed=name == "first")
        for name in ("first", "second", "third")
    ]
    building.make_all(made)
    said = [json.loads(store.record.read_text())["printed"][0].split() for store in made]
    first, second, third = (tuple(map(float, words[:2])) for words in said)
    assert second[0] < third[1]
    assert third[0] < second[1]
    assert first[0] > max(second[1], third[1])


def test_a_build_in_haste_compiles_so_but_for_what_measures_times(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os\nprint(os.environ.get('JAX_DISABLE_MOST_OPTIMIZATIONS', '0'))\n")
    made = [
        building.Store(name, f"python {script}", tmp_path / name, timed=name == "first")
        for name in ("first", "second")
    ]
    building.make_all(made, optimise=False)
    said = [json.loads(store.record.read_text())["printed"] for store in made]
    assert said == [[os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS", "0")], ["1"]]


def test_numbers_in_words():
    assert words.share((0.614, 0.601, 0.627)) == "61.4\u00a0% [60.1, 62.7]"
    assert words.difference((-0.12, -0.2, -0.04)) == "\u221212.0 [\u221220.0, \u22124.0]"
    assert words.counted(np.arange(100) < 50, 0) == "50\u00a0% [40, 60]"
    assert words.whole(1234567) == "1\u202f234\u202f567"
    assert words.whole(float("nan")) == words.figures(float("nan")) == "\u2013"
    assert words.figures(2.6e-13, 2) == "2.6 \u00d7 10\u207b\u00b9\u00b3"


def test_the_interval_of_a_mean_difference_is_students():
    from scipy import stats

    first, second = np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 5.0])
    mean, low, high = reading.mean_difference(first, second)
    test = stats.ttest_rel(second, first).confidence_interval(0.95)
    np.testing.assert_allclose((mean, low, high), (4 / 3, test.low, test.high), rtol=1e-12)


def test_how_often_two_starts_differ_is_counted_over_all_pairs():
    ends = np.array([0, 3, 3, 15, 15, 15, 0, 3])
    pairs = [a != b for k, a in enumerate(ends) for b in ends[k + 1 :]]
    assert build.figures()["flips"].two_differ(ends) == pytest.approx(np.mean(pairs), abs=1e-15)


def test_the_exponent_of_a_power_law_is_its_power():
    rng, scales, n = np.random.default_rng(0), np.array([0.1, 0.2, 0.5, 1.0]), 40_000
    stuck = rng.random((4, n)) < 0.2 * scales[:, None] ** 1.5
    counted = rng.random((4, n)) < np.array([0.5, 0.8, 1.0, 1.0])[:, None]
    scale = build.figures()["scale"]
    power, (low, high) = scale.exponent(scales, stuck, counted)
    assert low < 1.5 < high
    assert high - low < 0.12
    assert power == pytest.approx(1.5, abs=0.05)


def test_what_becomes_of_a_minimums_starts_is_counted_where_they_are_most():
    flow = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]]).repeat(2, axis=1)  # scale, step size, member
    descent = np.array([[[0, 0, 1, 1]] * 2, [[0, 1, 0, -5], [0, -5, -5, -5]]])
    found = {"flow": flow, "descent": descent, "sizes": np.array([1.0, 2.0])}
    scale, made = build.figures()["attractors"].fates(found, 1)
    assert scale == 1
    shares = [[part[name].share for name in ("there", "other", "none")] for part in made]
    np.testing.assert_allclose(shares, [[1 / 3, 1 / 3, 1 / 3], [0, 0, 1]])


def test_the_speeds_in_the_readme_are_those_that_were_measured():
    text = (ROOT / "README.md").read_text()
    found = json.loads((PAPER / "benchmarks.json").read_text())
    assert run_all.with_table(text, found) == text
    for part in found.values():
        assert {"command", "date", "machine", "versions", "sizes", "seconds"} <= set(part)
        assert 0 <= part["cores used by others"] <= part["machine"]["cores"]
    with pytest.raises(ValueError, match="markers"):
        run_all.with_table("# nothing", found)


def test_the_short_paper_is_short_and_cites_what_is_there():
    text = (PAPER / "paper.md").read_text()
    body = text.split("---", 2)[2]
    assert 850 <= len(body.split()) <= 1250
    entries = checking.entries((PAPER / "text" / "refs.bib").read_text())
    assert checking.cited(body) <= set(entries)
    for part in ("# Summary", "# Statement of need", "# Comparison with other software"):
        assert part in body


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert f'version = "{cited["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert {"cff-version", "message", "title", "authors", "license"} <= set(cited)


@pytest.mark.slow
def test_the_quick_paper_is_built_and_built_again_to_the_same_bytes(tmp_path):
    for part in ("paper", "jaxnn", "examples", "tests", "pyproject.toml"):
        source = ROOT / part
        if source.is_dir():
            skip = shutil.ignore_patterns("__pycache__", "results", "*.pdf")
            shutil.copytree(source, tmp_path / part, ignore=skip)
        else:
            shutil.copy(source, tmp_path / part)
    command = [sys.executable, "paper/build.py", "--quick"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    settings = {"cwd": tmp_path, "env": environment, "check": True, "text": True}
    subprocess.run(command, **settings)
    first = (tmp_path / "paper" / "jaxnn-quick.pdf").read_bytes()
    shutil.rmtree(tmp_path / "paper" / "results" / "quick")  # figures and numbers, not stores
    subprocess.run(command, **settings)
    assert (tmp_path / "paper" / "jaxnn-quick.pdf").read_bytes() == first
