"""The main job at small size: what is stored is what training gives, to the bit when broken off."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxnn
from jaxnn import Outcome, results
from jaxnn.studies import findings, initial_weights, one_network, problem
from jaxnn.studies.settings import DEFAULTS, Check, Study, Train, resolved

SMALL = Study(
    "xor", schemes=("normal", "nielsen"), scales=(0.3, 5.0), members=6, chunk=4, steps=300
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    settings = replace(SMALL, out=tmp_path_factory.mktemp("study") / "store")
    return settings, initial_weights.run(settings)


def test_the_store_holds_what_training_gives(store):
    settings, path = store
    dataset = results.load(path)
    assert dict(dataset.sizes) == {
        "scheme": 2, "scale": 2, "member": 6, "record": 61, "input": 2, "hidden_1": 2, "output": 1,
    }  # fmt: skip
    posed = problem.pose(problem.complete(settings))
    key = jax.random.fold_in(posed.init_key, 5)
    start = jaxnn.init(key, (2, 2, 1), scheme="nielsen", scale=5.0)
    cell = dataset.sel(scheme="nielsen", scale=5.0).isel(member=5)
    np.testing.assert_array_equal(cell.initial_weights_1, start[0].weights)
    np.testing.assert_array_equal(cell.initial_biases_2, start[1].biases)
    run = jaxnn.train(posed.loss_fn, start, posed.rule, steps=300, record_every=5)
    np.testing.assert_allclose(cell.losses, run.losses, rtol=1e-4)
    np.testing.assert_allclose(cell.final_weights_1, run.params[0].weights, rtol=1e-3, atol=1e-4)
    moved = [run.params[k][i] - start[k][i] for k in (0, 1) for i in (0, 1)]
    distance = np.sqrt(sum(float((m**2).sum()) for m in moved))
    assert float(cell.distance) == pytest.approx(distance, rel=1e-3)
    assert float(cell.train_accuracy) == float(jaxnn.accuracy(run.params, posed.train))
    assert set(np.unique(dataset.outcome)) <= {code.value for code in Outcome}
    assert float(dataset.initial_loss.min()) == float(dataset.losses[..., 0].min())
    assert results.verify(path) == []


def test_the_manifest_says_how_it_was_made(store):
    manifest = results.read_manifest(store[1])
    assert manifest is not None
    assert manifest["settings"]["members"] == 6
    assert manifest["network"] == {"sizes": [2, 2, 1], "activation": ["sigmoid", "sigmoid"]}
    assert manifest["gradient_check"]["exact"] < 1e-12
    assert {"jax", "jaxlib", "numpy", "optax", "python", "jaxnn"} == set(manifest["versions"])
    assert len(manifest["data"]["sha256"]) == 64


def test_a_second_run_computes_nothing_and_other_settings_are_refused_by_name(store):
    settings, path = store
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    initial_weights.run(settings)
    with pytest.raises(ValueError, match=r"steps: the store has 300, you ask for 310"):
        initial_weights.run(replace(settings, steps=310))
    with pytest.raises(ValueError, match=r"seed: the store has 0, you ask for 7"):
        initial_weights.run(replace(settings, seed=7))
    assert before == {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("number", [0, 5])
def test_a_rerun_after_repair_computes_one_chunk_only_to_the_same_bits(store, number, monkeypatch):
    settings, path = store
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    computed, chunk = [], initial_weights.chunk
    monkeypatch.setattr(initial_weights, "estimate", lambda *_: "")
    monkeypatch.setattr(
        initial_weights, "chunk", lambda s, p, n: (computed.append(n), chunk(s, p, n))[1]
    )
    file = path / f"arrays.zarr/final_weights_1/c/{number // 4}/{number // 2 % 2}/{number % 2}/0/0"
    content = bytearray(before[file])
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (found,) = results.verify(path)
    assert (found.chunk, found.variable) == (number, "final_weights_1")
    assert f"{file.relative_to(path)} is damaged" in str(found)
    initial_weights.run(settings)
    assert computed == []  # it is for verify to look
    assert results.repair(path, [found]) == []
    initial_weights.run(settings)
    assert computed == [number]
    assert before == {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert results.verify(path) == []


def test_a_study_does_not_write_through_a_link(store, tmp_path):
    settings, path = store
    linked = shutil.copytree(path, tmp_path / "s")
    outside = shutil.move(linked / "done", tmp_path / "mine")
    (linked / "done").symlink_to(outside)
    with pytest.raises(ValueError, match="done is a link"):
        initial_weights.run(replace(settings, out=linked))


def arrays_of(path):
    return {name: array.values for name, array in results.load(path).data_vars.items()}


@pytest.mark.optimised
def test_chunks_in_any_cut_give_the_same_bits(store, tmp_path):
    settings, path = store
    other = replace(settings, chunk=6, out=tmp_path / "six")
    whole, cut = arrays_of(initial_weights.run(other)), arrays_of(path)
    assert set(whole) == set(cut)
    for name, values in whole.items():
        np.testing.assert_array_equal(values, cut[name])


@pytest.mark.parametrize("length", [{"steps": 127}, {"epochs": 61, "batch_size": 3}])
def test_any_number_of_steps_is_made_and_the_final_loss_is_that_of_the_final_weights(
    length, tmp_path
):
    settings = Study(
        "xor", schemes=("normal",), scales=(1.0,), members=2, chunk=2, out=tmp_path / "s", **length
    )
    dataset = results.load(initial_weights.run(settings))
    assert set(dataset.steps.values.ravel()) == {127 if "steps" in length else 61 * 2}
    posed = problem.pose(problem.complete(settings))
    for _, stated, params in findings.best_ends(dataset, 2):
        np.testing.assert_allclose(posed.loss_fn(params), stated, rtol=1e-6)


def command(*args, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "jaxnn", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(jaxnn.__file__).parents[1]), **environment},
    )


ARGS = ["study", "xor", "--schemes", "normal", "--scales", "1", "4", "--members", "400"]
ARGS += ["--chunk", "50", "--hidden", "4", "--steps", "2000"]


def stop_after(process, out, chunks, sent):
    """Send the signal once this many chunks are done, and give what the process then printed."""
    deadline = time.monotonic() + 120
    while len(list((out / "done").glob("0*.json"))) < chunks:
        assert time.monotonic() < deadline, process.communicate()
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(sent)
    return process.communicate(timeout=60)


@pytest.mark.slow
def test_a_run_that_is_killed_and_stopped_is_taken_up_and_ends_with_the_same_bits(tmp_path):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    killed = command(*ARGS, "--out", broken, **cache)
    stop_after(killed, broken, 2, signal.SIGKILL)
    assert killed.returncode == -9
    assert 2 <= len(results.finished(broken)) < 14
    stopped = command(*ARGS, "--out", broken, **cache)
    _, errors = stop_after(stopped, broken, len(results.finished(broken)) + 1, signal.SIGINT)
    assert stopped.returncode == 130
    assert "the same command goes on from here" in errors
    assert "Traceback" not in errors
    assert len(results.finished(broken)) < 16
    printed = ""
    for out in (broken, whole):
        again = command(*ARGS, "--out", out, **cache)
        printed, errors = again.communicate(timeout=300)
        assert again.returncode == 0, errors
    bits, expected = arrays_of(broken), arrays_of(whole)
    assert set(bits) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(bits[name], values)
    table = (whole / "table.txt").read_text()
    assert table == (broken / "table.txt").read_text()
    page = (whole / "report.html").read_bytes()
    assert page == (broken / "report.html").read_bytes()
    assert table.strip() in printed


def test_findings_are_the_stores_numbers(store, tmp_path):
    settings, path = store
    settings = problem.complete(settings)
    dataset = results.load(path)
    shares = findings.shares(dataset, 0.2)
    by_hand = (dataset.final_loss <= 0.2).mean("member")
    np.testing.assert_allclose(shares[..., 0], by_hand)
    assert bool(np.all((shares[..., 1] <= shares[..., 0]) & (shares[..., 0] <= shares[..., 2])))
    table = findings.table(dataset, 0.2)
    assert len(table.splitlines()) == 1 + 4 + 1
    assert table.splitlines()[-1].startswith("all 24 networks ended unfinished: the steps ran out")
    assert f"{float(dataset.final_loss[0, 0].median()):.4g}" in table.splitlines()[1]
    sentence = findings.finding(dataset, 0.2, name="xor")
    assert f"{100 * float(by_hand.max()):.1f} %" in sentence
    assert f"{100 * float(by_hand.min()):.1f} %" in sentence
    files = findings.draw(dataset, settings, problem.pose(settings), tmp_path)
    assert {file.name for file in files} == {
        f"{name}.{kind}"
        for name in (
            "loss-against-scale",
            "share-against-scale",
            "loss-curves",
            "slice",
            "best-network",
        )
        for kind in ("svg", "png")
    }


def test_the_best_ends_are_the_lowest_losses_and_their_weights_give_them(store):
    settings, path = store
    posed = problem.pose(problem.complete(settings))
    ends = findings.best_ends(results.load(path), 3)
    losses = sorted(results.load(path).final_loss.values.ravel())[:3]
    for (_, stated, params), loss in zip(ends, losses, strict=True):
        assert stated == loss
        np.testing.assert_allclose(posed.loss_fn(params), loss, rtol=1e-5)


@pytest.mark.slow
def test_a_study_by_mini_batches_of_numbers_from_a_table(tmp_path):
    file = tmp_path / "line.csv"
    rows = "\n".join(f"{x / 7},{(x % 5) / 3},{2 * x / 7 - x % 5 + 0.5}" for x in range(40))
    file.write_text(f"a,b,y\n{rows}\n")
    settings = Study(
        str(file), hidden=(), batch_size=5, epochs=30, step_size=0.1, members=3, chunk=2,
        schemes=("normal",), scales=(1.0,), level=0.01, out=tmp_path / "out",
    )  # fmt: skip
    dataset = results.load(initial_weights.run(settings))
    assert "train_accuracy" not in dataset
    # an identity output and a plane as the truth: least squares reaches 0
    assert float(dataset.final_loss.max()) < 1e-3
    assert int(dataset.steps[0, 0, 0]) == 30 * 7  # 32 training cases: six batches of 5 and one of 2


def test_train_and_check_report(tmp_path):
    report = one_network.run(Train("iris", steps=300, out=tmp_path / "t")).spoken()
    assert "test cases: true class in rows" in report
    rows = [line.split() for line in report.splitlines()[-5:-2]]
    assert [row[0] for row in rows] == ["setosa", "versicolor", "virginica"]
    counts = [[int(count) for count in row[1:]] for row in rows]
    assert np.sum(counts) == 30
    assert (tmp_path / "t" / "learning-curve.svg").is_file()
    posed = problem.pose(problem.complete(Check("iris")))
    assert float(problem.certificate(posed, scheme="normal", scale=1.0, seed=0).exact) < 1e-12


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Study("xor", members=0), "--members is 0"),
        (Study("xor", l2=-1.0), "--l2 is -1"),
        (Study("xor", step_size=-1.0), "--step-size is -1.0: give a finite number above 0"),
        (Study("iris", test_share=1.5), "--test-share is 1.5"),
        (Study("xor", scales=(1.0, 1.0)), "name each once"),
        (Study("xor", scales=(-1.0,)), "finite numbers above 0"),
        (Study("xor", schemes=("normale",)), "did you mean 'normal'"),
        (Study("xor", activation=("tanh", "tanh", "tanh")), "3 names for 2 layers"),
        (Study("xor", activation=("tahn",)), "did you mean 'tanh'"),
        (Study("xor", rule="adamm"), "did you mean 'adam'"),
        (Study("xor", hidden=(0,)), "every layer needs at least 1 unit"),
        (Study("xor", batch_size=9), "there are 4 training cases"),
        (Study("xor", steps=10, epochs=2), "--steps counts full-batch updates"),
        (Study("nowhere.csv"), "nowhere.csv: no such file"),
    ],
)
def test_settings_that_mean_nothing_are_refused_in_a_line(settings, message):
    with pytest.raises(ValueError, match=message):
        problem.pose(problem.complete(settings))


def test_asking_for_steps_or_epochs_chooses_between_all_cases_and_batches():
    assert resolved(Study("digits", steps=50)).batch_size == 0
    assert resolved(Study("digits")).batch_size == 10
    assert resolved(Study("iris", epochs=5)).batch_size == 10
    assert resolved(Study("iris", batch_size=4)).epochs == 30
    for name in DEFAULTS:
        settings = resolved(Study(name))
        assert None not in (settings.hidden, settings.level, settings.members, settings.step_size)
