"""Completion in a shell: it knows the words, and runs nothing of the folder it is used in."""

import re
import shutil
import subprocess

import pytest

from jaxnn.cli.parsing import completion

HOSTILE = "open({mark!r}, 'w').close()\nraise SystemExit\n"


def modules_of(script):
    """The modules that the script's own Python imports."""
    python = script[script.index("import sys") :]
    return set(re.findall(r"^(?:import|from) (\w+)", python, re.MULTILINE))


def completed(words, folder):
    """What bash offers for the last of these words, in this folder."""
    script = folder.parent / "completion.bash"
    script.write_text(completion("bash"))
    typed = " ".join(f"'{word}'" for word in words)
    code = f"""
    source {script}
    COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}
    _tyro_jaxnn
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_a_tab_runs_no_code_of_the_folder(tmp_path):
    folder, mark = tmp_path / "downloads", tmp_path / "run"
    folder.mkdir()
    modules = modules_of(completion("bash"))
    assert {"sys", "typing"} <= modules
    for name in {*modules, "sitecustomize", "usercustomize", "collections", "re", "encodings"}:
        (folder / f"{name}.py").write_text(HOSTILE.format(mark=str(mark)))
    assert "--step-size" in completed(["jaxnn", "study", "--step"], folder)
    assert not mark.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_script_calls_python_in_isolation_alone(shell):
    script = completion(shell)
    calls = re.findall(r"\$python_cmd\"?(.*)", script)
    assert len(calls) == 1
    assert calls[0].startswith(" -I ")


def test_another_way_of_calling_python_is_refused(monkeypatch):
    monkeypatch.setitem(completion.__globals__["CALLS"], "bash", '"$other_python" -')
    with pytest.raises(ValueError, match="calls Python in a way that is not known to be safe"):
        completion("bash")
