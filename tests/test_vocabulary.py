"""Names that may have been meant: one way to find them for the whole package."""

from pathlib import Path

import pytest

import jaxnn
from jaxnn.network import SCHEMES
from jaxnn.vocabulary import did_you_mean, lookup, nearest

OPTIONS = ["--step-size", "--steps", "--k", "--scheme", "--members"]


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("he", ["sphere", *SCHEMES], ["he_normal", "he_uniform"]),  # no likeness: "sphere" has "he"
        ("HE-", SCHEMES, ["he_normal", "he_uniform"]),
        ("--step", OPTIONS, ["--step-size", "--steps"]),
        ("--step_sise", OPTIONS, ["--step-size"]),
        ("--kinds", OPTIONS, []),  # "--k" begins it, but is no word
        ("memberships", OPTIONS, ["--members"]),
        ("sphre", SCHEMES, ["sphere"]),
        ("", SCHEMES, []),
        ("zzzz", SCHEMES, []),
    ],
)
def test_what_the_name_begins_goes_before_what_is_like_it(name, names, found):
    assert nearest(name, names) == found


def test_a_question_ends_the_line_where_something_is_near():
    assert did_you_mean("--step", OPTIONS) == "; did you mean --step-size or --steps?"
    assert did_you_mean("zzzz", OPTIONS) == ""
    with pytest.raises(ValueError, match=r"did you mean 'he_normal' or 'he_uniform'\?$"):
        lookup(SCHEMES, "he", what="scheme")


def test_no_other_file_has_a_way_of_its_own():
    package = Path(jaxnn.__file__).parent
    with_one = [p.name for p in package.rglob("*.py") if "difflib" in p.read_text()]
    assert with_one == ["vocabulary.py"]
