"""What a process sets: jaxnn's commands compute the same whatever it is, or a store has it."""

import ast
import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from functions_table import FUNCTIONS
from small_stores import fill, signed

import jaxnn
from jaxnn import notebooks, numerics, results
from jaxnn.backpropagation import check_gradients
from jaxnn.studies import engine
from jaxnn.studies.settings import Census, Study
from jaxnn.vocabulary import Batch

ROOT = Path(jaxnn.__file__).parent
HOSTILE = {
    "default_prng_impl": "rbg",
    "threefry_partitionable": False,
    "enable_x64": True,
    "default_matmul_precision": "bfloat16",
    "numpy_dtype_promotion": "strict",
    "numpy_rank_promotion": "raise",
    "check_tracer_leaks": True,
    "debug_nans": True,
    "debug_infs": True,
    "transfer_guard": "disallow",
}


@pytest.fixture
def commands_set_jax(monkeypatch):
    """As outside the tests, where conftest holds commands to its own strictness."""
    monkeypatch.setitem(numerics.SETTINGS, "numpy_rank_promotion", "allow")


def fresh(script, *words, **environment):
    """What a script prints in a process that compiles as users' do, with this environment."""
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    plain |= {"JAX_DISABLE_MOST_OPTIMIZATIONS": "0", "PYTHONPATH": str(ROOT.parent)}
    return subprocess.run(
        [sys.executable, *script, *words], env={**plain, **environment}, capture_output=True,
        text=True, check=False, timeout=1200,
    )  # fmt: skip


def test_every_key_that_jaxnn_makes_of_a_seed_is_of_one_generator():
    made = {}
    for file in ROOT.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        calls = [(ast.unparse(n.func), ast.unparse(n)) for n in nodes if isinstance(n, ast.Call)]
        keys = [call for name, call in calls if name.endswith(("random.key", "PRNGKey"))]
        made |= {file.stem: keys} if keys else {}
    assert made == {"numerics": ["jax.random.key(seed, impl=IMPLEMENTATION)"]}


def test_what_is_computed_within_does_not_depend_on_how_jax_is_set():
    def drawn():
        with numerics.fixed():
            made = jax.random.normal(numerics.key_of(3), (5,)) @ jnp.ones(5)
            return np.asarray(made), made.dtype, numerics.in_force()

    value, dtype, force = drawn()
    jax.config.update("jax_random_seed_offset", 7)
    try:
        with contextlib.ExitStack() as stack:
            for name, setting in HOSTILE.items():
                stack.enter_context(getattr(jax, name)(setting))
            again, other, forced = drawn()
            assert numerics.in_force()["jax_enable_x64"] == "True"  # as before
    finally:
        jax.config.update("jax_random_seed_offset", 0)
    assert (again, other, forced) == (value, dtype, force)


@pytest.mark.parametrize(
    "settings",
    [
        Study("xor", schemes=("normal",), scales=(1.0,), members=4, steps=20, report=False),
        Census("xor", starts=4, chunk=4, search_steps=20, report=False),
    ],
    ids=["study", "census"],
)
@pytest.mark.usefixtures("commands_set_jax")
def test_a_command_gives_the_same_bits_however_jax_is_set(settings, tmp_path):
    def made(name):
        notebooks.run(replace(settings, out=tmp_path / name))
        return results.load(tmp_path / name)

    expected = made("plain")
    with contextlib.ExitStack() as stack:
        for name, setting in HOSTILE.items():
            stack.enter_context(getattr(jax, name)(setting))
        found = made("hostile")
    for name, values in expected.data_vars.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name].values, values.values, err_msg=str(name))


MANIFEST = {
    "study": "test",
    "settings": {"steps": 3},
    "network": {},
    "data": {},
    "versions": {"jax": "1", "python": "3.11.7"},
    "numerics": {"xla_flags": []},
    "machine": {"processor": "x", "devices": 2},
}


def changed(part, **values):
    return {**MANIFEST, part: {**MANIFEST[part], **values}}


def half_a_store(path):
    """Two chunks of one member, the first of them written."""
    results.create(
        path, MANIFEST, coordinates={"scheme": ["a"], "scale": [1.0]}, chunks={"member": 4},
        lengths={"scheme": 1, "scale": 1, "member": 6, "record": 3},
        variables={
            "loss": results.Variable(("scheme", "scale", "member", "record"), "float32", {}),
            "outcome": results.Variable(("scheme", "scale", "member"), "int32", {}),
        },
    )  # fmt: skip
    fill(path, 0, 0, 0, (0, 4))


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("versions", {"jax": "2"}, "jax: the store has '1', you ask for '2'"),
        ("numerics", {"xla_flags": ["--f"]}, r"xla_flags: the store has \[\], you ask for"),
        ("machine", {"processor": "y"}, "processor: the store has 'x', you ask for 'y'"),
    ],
)
def test_what_bits_depend_on_is_refused_in_an_unfinished_store_and_said_of_a_whole_one(
    part, values, message, tmp_path, caplog
):
    path = tmp_path / "s"
    half_a_store(path)
    with pytest.raises(ValueError, match=message):
        engine.check_store(path, changed(part, **values))
    fill(path, 1, 0, 0, (4, 6))
    caplog.set_level("INFO", logger="jaxnn")
    engine.check_store(path, changed(part, **values))
    assert "was computed otherwise than it would be here" in caplog.text
    with pytest.raises(ValueError, match="steps: the store has 3, you ask for 4"):
        engine.check_store(path, changed("settings", steps=4))


def test_what_no_bit_depends_on_is_not_asked_for(tmp_path):
    half_a_store(tmp_path / "s")
    engine.check_store(tmp_path / "s", changed("versions", python="3.11.8"))
    engine.check_store(tmp_path / "s", changed("machine", devices=3))


def test_a_store_of_before_that_does_not_say_how_jax_was_set_is_reported_and_not_gone_on_with(
    tmp_path,
):
    path = tmp_path / "s"
    half_a_store(path)
    signed(path, numerics={})
    with pytest.raises(ValueError, match="xla_flags: the store has None"):
        engine.check_store(path, MANIFEST)
    fill(path, 1, 0, 0, (4, 6))
    engine.check_store(path, MANIFEST)


def test_the_flags_that_bits_depend_on_are_told_from_those_that_only_write(monkeypatch):
    own = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000"
    monkeypatch.setenv("XLA_FLAGS", f"--xla_dump_to=/d --xla_cpu_enable_fast_math=true {own}")
    assert numerics.in_force()["xla_flags"] == ["--xla_cpu_enable_fast_math=true"]
    both = "--xla_cpu_enable_fast_math=true --xla_cpu_enable_fast_math=false"
    monkeypatch.setenv("XLA_FLAGS", both)  # the last one counts
    assert numerics.in_force()["xla_flags"] == ["--xla_cpu_enable_fast_math=false"]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"JAX_PLATFORMS": "nowhere"}, "JAX_PLATFORMS is 'nowhere', which jax cannot start here"),
        ({"XLA_FLAGS": "--garbage=1"}, "Unknown flag in XLA_FLAGS: --garbage=1; unset it, or"),
        ({"XLA_FLAGS": "garbage"}, 'Could not open file "garbage"'),
        ({"JAX_ENABLE_X64": "maybe"}, "invalid truth value 'maybe'"),
    ],
)
def test_an_environment_that_jax_cannot_start_in_is_one_line(environment, message):
    done = fresh(["-m", "jaxnn"], "check", "xor", **environment)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert message in line


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="jax has more than the CPU here")
def test_a_platform_that_this_jaxlib_has_no_plugin_of_is_one_line_too():
    done = fresh(["-m", "jaxnn"], "check", "xor", JAX_PLATFORMS="cuda")
    assert done.returncode == 2
    assert "JAX_PLATFORMS is 'cuda', which jax cannot start here" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_figures_need_no_window_that_the_environment_asks_for(tmp_path):
    study = ["study", "xor", "--schemes", "normal", "--scales", "1", "--members", "2"]
    study += ["--steps", "5", "--out", str(tmp_path / "s")]
    done = fresh(["-m", "jaxnn"], *study, MPLBACKEND="Qt5Agg")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "s" / "figures").glob("*.svg"))


def test_no_large_constant_is_computed_while_the_gradient_check_compiles():
    """XLA folds what depends on no argument, a second and more for a running sum of 10^5."""
    sizes = (784, 128, 10)
    params = jax.eval_shape(lambda: jaxnn.init(numerics.key_of(0), sizes))
    batch = jax.eval_shape(lambda: Batch(jnp.zeros((99, 784)), jnp.zeros((99, 10))))
    program = jax.make_jaxpr(lambda p, b, k: check_gradients(p, b, key=k))(
        params, batch, numerics.key_of(0)
    )
    depends, folded = set(program.jaxpr.invars), []
    for step in program.eqns:
        if any(not hasattr(v, "val") and v in depends for v in step.invars):
            depends |= set(step.outvars)
        elif step.primitive.name not in ("iota", "broadcast_in_dim"):
            folded += [str(step.primitive) for v in step.outvars if v.aval.size > 10_000]
    assert folded == []


def disagreeing(*words, **environment):
    done = fresh([str(Path(__file__).with_name("functions_table.py"))], *words, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_loss_in_training_and_in_a_search_is_the_function_itself():
    assert disagreeing("arctan") == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(0, len(FUNCTIONS), 8))
def test_every_function_is_itself_in_every_program(part):
    """Under the flags of `use_all_cores`, as scalars and vectors, in jit, vmap, scan and while, in
    ensembles and in searches, to the precision of the dtype.
    """
    assert disagreeing(*list(FUNCTIONS)[part : part + 8]) == []
