"""The command line: fast to start, one line for a mistake, text and JSON that agree."""

import json
import logging
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_stores import study_store
from small_stores import signed

from jaxnn import cli, memory
from jaxnn.cli import answers, parsing
from jaxnn.cli.commands import COMMANDS
from jaxnn.studies import engine, estimates, findings, initial_weights, progress, reports
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.settings import Census, Study

ROOT = Path(cli.__file__).parents[2]


def run(*args, cwd):
    return subprocess.run(
        [sys.executable, "-m", "jaxnn", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
    )


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """The command in this process, in an empty folder: status, stdout and stderr."""
    monkeypatch.setattr(answers, "_start", lambda settings: None)  # the tests have started jax
    monkeypatch.chdir(tmp_path)

    def called(*words):
        try:
            cli.main([str(word) for word in words])
        except SystemExit as end:
            status = end.code or 0
        else:
            status = 0
        return status, *capsys.readouterr()

    return called


def test_help_answers_without_starting_jax(tmp_path):
    script = (
        "import sys\n"
        "from jaxnn import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "late = {'jax', 'numpy', 'matplotlib', 'xarray', 'zarr', 'sklearn', 'tyro'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True)
    assert time.perf_counter() - started < 10  # seconds are for benchmarks; this is for a hang
    printed = run("--help", cwd=tmp_path)
    assert printed.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in printed.stdout
    for status in ("0", "1", "2", "130", "141", "143"):
        assert f"\n  {status} " in printed.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_in_examples_that_it_parses(name, call):
    status, out, err = call(name, "--help")
    assert (status, err) == (0, "")
    assert "None" not in out  # what is decided elsewhere, help says
    shown = out[out.index("\nexamples:\n") :].splitlines()[2:]
    assert [line.strip() for line in shown] == list(COMMANDS[name].examples)
    assert 1 <= len(shown) <= 3
    for line in shown:
        program, *words = shlex.split(line)
        assert program == "jaxnn"
        asked = parsing.parse(words[0], words[1:])
        assert words[0] == name
        assert isinstance(asked.settings, COMMANDS[name].settings)


def test_help_says_what_the_data_set_decides(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    lines = [line.strip("│| ") for line in call("study", "--help")[1].splitlines()]
    text = " ".join(" ".join(lines).split())
    for said in (
        "--steps INT At most this many full-batch updates (without --batch-size). (default: what "
        "suits the data, 3000 for iris)",
        "--batch-size INT Cases a step, 0 for all of them at once. (default: what suits the data, "
        "10 for digits)",
        "8 for iris and 32 for digits)",
        "has no test set of its own. (default: 0.2)",
        "--out PATH Folder of the store; default results/study-DATA. (optional)",
    ):
        assert said in text


def test_the_version_is_printed(call):
    from jaxnn import __version__

    assert call("--version") == (0, f"jaxnn {__version__}\n", "")


@pytest.mark.parametrize(("shell", "mark"), [("bash", "complete -F"), ("zsh", "#compdef jaxnn")])
def test_completion_is_a_script_that_knows_the_commands_and_their_options(shell, mark, call):
    status, out, err = call("completion", shell)
    assert (status, err) == (0, "")
    assert mark in out
    for word in ("sensitivity", "compare", "--step-sizes", "--dry-run", "--search-steps"):
        assert word in out


FILES = {
    "busy/mine": "precious",
    "file": "no folder",
    "empty.csv": "",
    "words.csv": "a,b,class\n1,2,x\n1,no,y\n",
    "bad.toml": "steps = = 3",
    "near.toml": "step-sise = 0.5",
    "table.toml": "[stud]\nsteps = 3",
    "other.toml": "[train]\nstesp = 3",
    "kind.toml": "steps = 'a'",
    "list.toml": "step_size = [1.0]",
    "true.toml": "[study]\nsteps = true",
    "own.toml": "[study]\npoints = 3",
    "one.toml": "[study]\nengine = 'dusk'",
    "no.json": "[]",
    "newer/manifest.json": '{"format": 99}',
    "census/manifest.json": '{"format": 1, "study": "census", "settings": {}}',
    "none/readme": "",
}
MISTAKES = [
    ("", "give a command: study, census"),
    ("studdy", "there is no command studdy; did you mean study?"),
    ("--json study iris", "the command comes first"),
    ("study", "jaxnn study wants DATA, such as jaxnn study iris"),
    ("compare census", "jaxnn compare wants FIRST SECOND"),
    ("study iris wine", "'wine' is one word too many: jaxnn study takes DATA"),
    ("study iris --memberz 3", "has no option --memberz; did you mean --members?"),
    ("slice census --members 3", "has no option --members; did you mean --member?"),
    ("train iris --search-steps 3", "did you mean --steps?"),
    ("train iris --lyapunov 3", "has no option --lyapunov, it is one of sensitivity"),
    ("check iris --dry-run", "jaxnn check has no option --dry-run"),
    ("study iris --zzz 3", "has no option --zzz; see jaxnn study --help"),
    ("study iris -q", "has no option -q"),
    ("study iris --steps a", "--steps is a: give a whole number"),
    ("study iris --steps 1.5", "--steps is 1.5: give a whole number"),
    ("study iris --steps", "--steps has no value: give a whole number"),
    ("study iris --steps --seed 1", "--steps has no value: give a whole number"),
    ("study iris --scales 1 x", "--scales is x: give a number, one or more"),
    ("study --hidden 3.5", "--hidden is 3.5: give a whole number, one or more"),
    ("slice census --along filtr", "did you mean filter?"),
    ("census xor --no-tree=3", "--no-tree takes no value"),
    ("census xor --no-starts 3", "has no option --no-starts"),
    ("completion fsh", "SHELL is fsh: give one of bash, zsh, fish; did you mean fish?"),
    ("study iris --config none.toml", "--config none.toml: no such file"),
    ("study iris --config bad.toml", "bad.toml: cannot be read (Invalid value"),
    ("study iris --config=near.toml", "step-sise is no setting; did you mean step_size?"),
    ("study iris --config table.toml", "no command is named stud; did you mean study?"),
    ("study iris --config other.toml", "train.stesp is no setting; did you mean steps?"),
    ("study iris --config kind.toml", "kind.toml: --steps is 'a': give a whole number"),
    ("study iris --config list.toml", "list.toml: --step-size is [1.0]: give a number"),
    ("study iris --config true.toml", "true.toml: [study] --steps is True: give a whole number"),
    ("study iris --config own.toml", "own.toml: study.points is no setting"),
    ("study iris --config one.toml", "is dusk: give one of local, dask; did you mean dask?"),
    ("study iris --config no.json", "no.json: cannot be read"),
    ("study iris --config newer/manifest.json", "is no manifest of a store"),
    ("list nowhere", "nowhere: no folder there"),
    ("show nowhere", "nowhere: no store there"),
    ("show busy", "busy: exists, is not empty and is no store; give the folder of a store"),
    ("show newer", "newer: is a store of format 99"),
    ("compare nowhere nowhere", "nowhere: no store there"),
    ("compare census census", "census: is the store of a census"),
    ("study iri", "did you mean 'iris'"),
    ("study mnist", "mnist needs --data-dir"),
    ("study mnist --data-dir busy", "busy: holds no train-images"),
    ("train none.csv", "none.csv: no such file"),
    ("train empty.csv", "empty.csv: "),
    ("train words.csv", "words.csv: line 3, column 'b'"),
    ("train busy.csv", "busy.csv: no such file"),
    ("study xor --steps -4", "--steps is -4"),
    ("study xor --l2 nan", "--l2 is nan"),
    ("study xor --level nan", "--level is nan"),
    ("study xor --seed -1", "--seed is -1"),
    ("study xor --members 4294967296", "--members is 4294967296: give a whole number below 2^32"),
    ("study xor --hidden 2000000000", "give fewer units"),
    ("study xor --test-share 2", "--test-share is 2"),
    ("study xor --step-size 0", "--step-size is 0.0: give a finite number above 0"),
    ("study xor --step-size 1e39", "float32 holds, 0 or from 1.2e-38 to 3.4e+38 in size"),
    ("train xor --scale 1e-50", "float32 holds, 0 or from 1.2e-38 to 3.4e+38 in size"),
    ("train xor --l2 1e39", "float32 holds, 0 or from 1.2e-38 to 3.4e+38 in size"),
    ("study iris --no-dry-run", "has no option --no-dry-run; did you mean --dry-run?"),
    ("list --no-json", "jaxnn list has no option --no-json; did you mean --json?"),
    ("train xor --steps 99999999999999999999", "give a whole number below 2^31"),
    ("train xor --batch-size -1 --steps 4", "--batch-size is -1: give a whole number, at least 0"),
    ("study xor --step-size nan", "--step-size is nan: give"),
    ("study xor --scales -1", "--scales is -1.0: give"),
    ("study xor --scales", "--scales is nothing: give"),
    ("study xor --schemes", "--schemes names none"),
    ("study xor --hidden 0", "--hidden is 0: every"),
    ("study xor --activation tan", "did you mean 'tanh'"),
    ("study xor --rule adma", "did you mean 'adam'"),
    ("study xor --steps 5 --batch-size 3", "--steps counts full-batch updates"),
    ("study xor --shard 3/3", "--shard is 3/3"),
    ("study xor --workers 2", "--workers are for --engine dask"),
    ("study iris --out busy", "busy: exists, is not empty and is no store; choose another folder"),
    ("train iris --scale 0", "--scale is 0.0: give a finite number above 0"),
    ("study xor --scales 1 2 1", "--scales is 1.0 2.0 1.0: name each once"),
    ("study iris --schemes he", "did you mean 'he_normal' or 'he_uniform'?"),
    ("train iris --test-share 0.001", "a share of 0.001 of 150 cases for testing is 0: leave"),
    ("study iris --out file/x", "file is no folder that can be written to"),
    ("check iris --scheme glorot", "did you mean 'glorot_normal'"),
    ("basins xor --window -1:1,2:2", "2:2 has zero area"),
    ("basins xor --zoom -1:1,2:3", "no map there to zoom into"),
    ("basins xor --points 1", "--points is 1"),
    ("basins xor --scale 0", "--scale is 0.0: give"),
    ("basins xor --over sample --step-sizes 1 0", "--step-sizes is 1.0 0.0: give finite numbers"),
    ("basins xor --over sample --step-sizes 1 1", "--step-sizes is 1.0 1.0: name each once"),
    ("basins xor --over sample --widths 2 0", "--widths is 2 0: give"),
    ("basins xor --members 3", "--members does nothing with --over plane"),
    ("sensitivity xor --over sample", "--over sample has no borders"),
    ("census xor --chunk 3", "--chunk is 3"),
    ("census iris --hidden 90", "parameters: this census is for up to"),
    ("slice nowhere", "nowhere: no store there"),
    ("align busy", "busy: exists, is not empty and is no store"),
    ("path census", "census"),
    ("spectrum nowhere --seed -1", "--seed is -1"),
]


@pytest.mark.parametrize(("words", "message"), MISTAKES)
def test_a_users_mistake_is_one_line_and_exit_2(words, message, call, tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = sorted(tmp_path.rglob("*"))
    status, out, err = call(*words.split())
    assert (status, out) == (2, "")
    assert err.startswith("jaxnn: ")
    assert err.count("\n") == 1
    assert message in err
    if "--config" not in words:  # options are named as they are typed
        assert not re.search(r"\b[a-z]+_[a-z]+ (is|of|must)\b", err.replace("out of", ""))
    assert sorted(tmp_path.rglob("*")) == before  # and nothing was made or touched
    assert (tmp_path / "busy" / "mine").read_text() == "precious"


def parsed(*words):
    return parsing.parse(words[0], [str(word) for word in words[1:]]).settings


def test_settings_come_from_a_file_and_what_is_typed_goes_before_them(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'data = "wine"\nsteps = 7\nstep-size = 2\nseed = 5\nout = "there"\n'
        "[study]\nscales = [1, 2.5]\nschemes = 'normal'\nhidden = []\nseed = 6\n"
        "[census]\ntree = false\nstarts = 12\n"
    )
    made = parsed("study", "--config", file, "--step-size", "3", "--seed", "9")
    assert made == Study(
        "wine", steps=7, step_size=3.0, seed=9, scales=(1.0, 2.5), schemes=("normal",), hidden=(),
        out=Path("there"),
    )  # fmt: skip
    assert isinstance(made.scales[0], float)
    assert parsed("study", "iris", f"--config={file}").data == "iris"
    assert parsed("study", "--config", file).seed == 6
    census = parsed("census", "--config", file)
    assert census == Census(
        "wine", steps=7, step_size=2.0, seed=5, out=Path("there"), tree=False, starts=12
    )
    assert parsed("census", "--config", file, "--tree").tree
    assert parsed("check", "--config", file).steps == 7


def test_the_settings_of_a_store_are_a_file_of_settings(tmp_path):
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"settings": {"data": "xor", "members": 4, "record_every": None}}))
    assert parsed("study", "--config", file, "--members", 5) == Study("xor", members=5)


def test_negative_numbers_and_windows_are_values(tmp_path):
    del tmp_path
    made = parsed("basins", "xor", "--window", "-5:5,-5:5", "--parameters", "w1[0,0]", "b2[0]")
    assert made == Basins("xor", window="-5:5,-5:5", parameters=("w1[0,0]", "b2[0]"))
    assert parsed("study", "xor", "--scales", "-1e3", "-2").scales == (-1000.0, -2.0)
    assert parsed("study", "xor", "--step_size", "None").step_size is None


def test_progress_is_silent_away_from_a_terminal(capsys, monkeypatch):
    progress.say("nobody looks")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress.say("somebody looks")
    assert capsys.readouterr() == ("", "somebody looks\n")


def test_verbose_says_how_long_each_part_took(call, caplog):
    try:
        status, out, _ = call("list", ".", "-v")
    finally:
        logging.getLogger("jaxnn").setLevel(logging.NOTSET)
    assert (status, out) == (0, ".: no stores there\n")
    assert any(record.getMessage().startswith("list: ") for record in caplog.records)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder with a study of six networks in results/one, two of which reach the level."""
    folder = tmp_path_factory.mktemp("line")
    out = folder / "results" / "one"
    return folder, study_store(out, [[0.01, 0.02, 0.3, 0.3, 0.3, 0.3]], level=0.05)


def test_json_is_all_of_stdout_and_says_what_the_table_says(store, call, monkeypatch):
    folder, settings = store
    monkeypatch.chdir(folder)
    monkeypatch.setattr(engine, "open_store", lambda *_: None)  # nothing is left to compute
    monkeypatch.setattr(initial_weights, "manifest", lambda *_: None)
    monkeypatch.setattr(findings, "draw", lambda *_: [folder / "results/one/figures/a.png"])
    words = (
        "study xor --schemes normal --scales 1 --members 6 --hidden 6 --steps 60 --json --chunk 6"
    )
    status, out, err = call(*words.split(), "--out", settings.out)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["command"] == "study"
    assert found["settings"]["members"] == 6
    assert found["path"] == str(settings.out)
    assert found["files"] == [str(settings.out / "figures" / "a.png")]
    (row,) = found["findings"]["rows"]
    assert row["reached"]["share"] == pytest.approx(1 / 3)
    assert row["outcomes"] == {"converged": 0, "plateau": 0, "unfinished": 6, "diverged": 0}
    table = (settings.out / "table.txt").read_text().splitlines()
    share, low, high = (100 * row["reached"][part] for part in ("share", "low", "high"))
    assert f" {share:.1f} % [{low:.1f}, {high:.1f}]" in table[1]
    assert json.loads((settings.out / "findings.json").read_text()) == found["findings"]


def test_list_and_show_tell_of_the_store(store, call, monkeypatch):
    folder, settings = store
    monkeypatch.chdir(folder)
    status, out, _ = call("list")
    assert status == 0
    assert out.splitlines()[1].split()[:5] == ["results/one", "study", "xor", "6", "1/1"]
    (row,) = json.loads(call("list", "results", "--json")[1])["findings"]["stores"]
    files = [file for file in settings.out.rglob("*") if file.is_file()]
    assert row["bytes"] == sum(file.stat().st_size for file in files)
    (settings.out / "table.txt").write_text("the table\n")
    (settings.out / "findings.json").write_text('{"level": 0.05}')
    status, out, _ = call("show", "results/one")
    parts = ("6 networks, 1 of 1 chunks done", "  steps       60", "reverse sweep = by cases",
             "\nthe table\n")  # fmt: skip
    for part in parts:
        assert part in out
    shown = json.loads(call("show", "results/one", "--json")[1])["findings"]
    assert shown["findings"] == {"level": 0.05}
    assert shown["manifest"]["study"] == "initial weights"
    (settings.out / "done" / "000000.json").rename(folder / "mark")
    assert "0 of 1 chunks" in call("show", "results/one")[1]
    (folder / "mark").rename(settings.out / "done" / "000000.json")


def test_a_store_is_made_without_a_report_and_the_same_command_reports(call, monkeypatch, tmp_path):
    words = "study xor --schemes normal --scales 1 --members 3 --steps 20 --out one"
    status, out, _ = call(*words.split(), "--no-report")
    assert status == 0
    assert "1 of 1 chunks are there; the figures come with the same command without" in out
    assert not list(tmp_path.rglob("table.txt")) + list(tmp_path.rglob("*.svg"))
    made = (tmp_path / "one" / "done" / "000000.json").stat().st_mtime_ns
    told = reports.Report("told", {}, path=tmp_path / "one")
    monkeypatch.setattr(answers, "_study_with_page", lambda *_: told)
    assert "told" in call(*words.split())[1]
    assert (tmp_path / "one" / "done" / "000000.json").stat().st_mtime_ns == made


def test_a_dry_run_counts_and_writes_nothing(call, tmp_path, monkeypatch):
    monkeypatch.setattr(initial_weights.ensembles, "init", lambda *_, **__: None)
    monkeypatch.setattr(estimates, "_timed", lambda work, compiled: (compiled.append(1.0), 2.0))
    words = "study xor --schemes normal nielsen --scales 1 5 --members 6 --chunk 4 --steps 300"
    status, out, err = call(*words.split(), "--dry-run", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)["findings"]
    (cost,) = found["stores"]
    assert (cost["networks"], cost["chunks"], cost["done"]) == (24, 8, 0)
    assert found["seconds"] == 2.0 * 300 / 20 * 24 / 4  # 20 of 300 steps, 4 of 24 networks
    assert found["compile_seconds"] == 1.0
    # 24 networks: 61 losses, 12 other numbers and twice 9 weights and biases of 4 bytes
    assert cost["bytes"] == pytest.approx(24 * 4 * (61 + 8 + 2 * 9), rel=0.1)
    assert found["memory_bytes"] > 10_000_000
    assert list(tmp_path.iterdir()) == []


def test_check_prints_the_certificate(tmp_path):
    done = run(
        "check", "xor", "--hidden", "3", "2", "--activation", "tanh", "--l2", "0.1", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "2-3-2-1 on xor" in done.stdout
    assert "reverse sweep = by cases" in done.stdout
    assert "the three exact ways agree to 1e-12" in done.stdout


def test_the_readmes_file_of_settings_is_one(tmp_path):
    text = (ROOT / "README.md").read_text()
    file = tmp_path / "mine.toml"
    file.write_text(text.split("```toml\n")[1].split("```")[0])
    made = parsed("study", "--config", file)
    assert (made.data, made.hidden, made.members) == ("iris", (16, 8), 1000)
    assert parsed("census", "--config", file).hidden == (16, 8)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"settings": None}, "its manifest has no settings"),
        ({"settings": [1]}, "its manifest has no settings"),
        ({"study": 3}, "its manifest has no study"),
        ({"variables": None}, "its manifest names no coordinates and variables"),
        ({"variables": {}}, "its manifest names no coordinates and variables"),
        ({"variables": {"loss": 3}}, "3 is no name of a variable or dimension"),
        ({"versions": None}, "versions in its manifest is no table"),
    ],
)
def test_a_store_whose_manifest_says_too_little_is_one_line(store, call, tmp_path, changes, match):
    _, settings = store
    other = tmp_path / "other"
    shutil.copytree(settings.out, other)
    signed(other, **changes)
    status, _, err = call("show", str(other))
    assert (status, match in err, err.count("\n")) == (2, True, 1)
    for words in (["compare", str(other), str(settings.out)], ["slice", str(other)]):
        status, _, err = call(*words)
        assert (status, err.count("\n")) == (2, 1)
    status, out, _ = call("list", str(tmp_path))
    assert status == 0
    assert f"cannot be read: {other}" in out


def test_findings_that_cannot_be_read_are_named(store, call, tmp_path):
    _, settings = store
    other = tmp_path / "other"
    shutil.copytree(settings.out, other)
    (other / "findings.json").write_text("{nope")
    assert "other/findings.json: is damaged" in call("show", str(other))[2]


@pytest.mark.parametrize("points", [0, 1, -1])
def test_a_map_has_at_least_two_points(call, points):
    words = ["basins", "xor", f"--points={points}"]
    status, out, err = call(*words)
    assert (status, out, err) == (2, "", f"jaxnn: --points is {points}: give at least 2\n")


def test_the_columns_of_a_dry_run_stay_apart(call, monkeypatch):
    monkeypatch.setattr(estimates, "_timed", lambda work, compiled: (compiled.append(1.0), 2.0))
    monkeypatch.setattr(memory, "at_hand", lambda: None)
    most = 2**32 - 1
    _, out, _ = call("study", "xor", "--members", most, "--schemes", "normal", "--scales", 1, 2, 3,
                     "--chunk", 1, "--dry-run")  # fmt: skip
    row = out.splitlines()[2].split()
    assert row[:4] == ["results/study-xor", str(3 * most), str(3 * most), "0"]
