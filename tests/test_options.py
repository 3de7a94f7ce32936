"""Settings from Python are taken and refused as words typed are: every field of every command."""

import typing
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn import notebooks
from jaxnn.cli.commands import COMMANDS
from jaxnn.studies.options import Option, options_of, wanted
from jaxnn.studies.settings import Study

KINDS = {name: command.settings for name, command in COMMANDS.items()}
FIELDS = [(name, option) for name, kind in KINDS.items() for option in options_of(kind).values()]
IDS = [f"{name}-{option.name}" for name, option in FIELDS]

GOOD: dict[Any, list[tuple[Any, Any]]] = {
    int: [(3, 3), (3.0, 3), (1e3, 1000), (np.int64(3), 3), (np.float32(3), 3), (jnp.int32(3), 3)],
    float: [(2, 2.0), (0.5, 0.5), (np.float64(0.5), 0.5), (np.int8(2), 2.0), (jnp.array(0.5), 0.5)],
    bool: [(True, True), (np.bool_(False), False)],
    str: [("a", "a"), (np.str_("a"), "a"), (Path("a/b"), "a/b")],
    Path: [("a/b", Path("a/b")), (Path("a"), Path("a")), (np.str_("a"), Path("a"))],
}
"""What is given, and what it is taken for."""
BAD: dict[Any, list[Any]] = {
    int: [10.5, "10", True, float("nan"), 1j, [3], {"a": 1}, b"3", np.float32(0.5)],
    float: ["1", False, 1j, [0.5], {0.5}, b"1", np.bool_(True)],
    bool: [1, 0.0, "true", [True]],
    str: [3, True, 0.5, ["a"], b"a"],
    Path: [3, True, ["a"], b"a"],
}


def samples(option: Option) -> tuple[list[tuple[Any, Any]], list[Any]]:
    if typing.get_origin(option.kind) is Literal:
        choices = typing.get_args(option.kind)
        return [(choice, choice) for choice in choices], ["nothing", 3, [choices[0]], True]
    return GOOD[option.kind], BAD[option.kind]


def made(name: str, option: Option, value: Any) -> Any:
    """The settings with this one, and what must be given."""
    must = {
        key: samples(other)[0][0][0]
        for key, other in options_of(KINDS[name]).items()
        if other.required
    }
    return getattr(KINDS[name](**(must | {option.name: value})), option.name)


FORMS = (lambda v: v, lambda v: [v], lambda v: (v, v))
"""One value, and those ways to give many."""


@pytest.mark.parametrize(("name", "option"), FIELDS, ids=IDS)
def test_a_setting_takes_what_stands_for_its_type_and_holds_its_own(name, option):
    good, _ = samples(option)
    for value, expected in good:
        for form in (
            [lambda v: v, lambda v: [v], lambda v: (v, v)] if option.many else [lambda v: v]
        ):
            taken = made(name, option, form(value))
            given = form(expected)
            wanted_value = tuple(given) if isinstance(given, list | tuple) else (expected,)
            assert taken == (wanted_value if option.many else expected)
            assert {type(part) for part in (taken if option.many else [taken])} <= {type(expected)}
    if option.many and option.kind is not str:
        values = [value for value, _ in good[:1]] * 2
        assert made(name, option, np.array(values)) == tuple(made(name, option, values))
    if option.optional:
        assert made(name, option, None) is None


@pytest.mark.parametrize(("name", "option"), FIELDS, ids=IDS)
def test_a_setting_of_another_type_is_refused_in_one_line_as_it_is_typed(name, option):
    _, bad = samples(option)
    bad = [value for value in bad if not (option.many and isinstance(value, list))]
    bad = [*bad, *([None] if not option.optional else [])]
    bad += [[value] for value in bad] if option.many else []
    for value in bad:
        with pytest.raises(ValueError, match=f"{option.spelled} is ") as raised:
            made(name, option, value)
        assert f"give {wanted(option)}" in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_study_takes_strings_and_lists(tmp_path):
    given: dict[str, Any] = {"out": str(tmp_path / "x"), "scales": [1.0], "schemes": "normal"}
    asked = Study("xor", members=4, steps=20, **given)
    assert asked == Study(
        "xor", out=tmp_path / "x", scales=(1.0,), schemes=("normal",), members=4, steps=20
    )
    with pytest.raises(ValueError, match=r"--members is 10\.5: give a whole number"):
        Study("xor", members=10.5)  # pyright: ignore[reportArgumentType]


@pytest.mark.slow
def test_a_notebook_runs_what_strings_and_lists_ask_for(tmp_path):
    given: dict[str, Any] = {"out": str(tmp_path / "x"), "scales": [1.0], "schemes": "normal"}
    assert notebooks.run(Study("xor", members=4, steps=20, **given)) is not None
    assert (tmp_path / "x" / "manifest.json").is_file()
