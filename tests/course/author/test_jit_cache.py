import os
import subprocess
import sys
from pathlib import Path

from minitorch_course.author.jit_cache import environment

CODE = "import jax; print(jax.jit(lambda x: x * 2.5 + 1)(3.0))"


def test_what_one_process_compiles_the_next_one_finds(tmp_path):
    variables = {**environment(), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled")}

    def files():
        command = [sys.executable, "-c", CODE]
        done = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", check=True)
        assert (done.stdout, done.stderr) == ("8.5\n", "")
        return sorted(path.name for path in (tmp_path / "compiled").iterdir() if path.name.endswith("-cache"))

    first = files()
    assert first
    assert files() == first


def test_the_rest_of_the_environment_stays(monkeypatch):
    monkeypatch.setenv("OF_THEIR_OWN", "1")
    assert environment()["OF_THEIR_OWN"] == "1"
    assert Path(environment()["JAX_COMPILATION_CACHE_DIR"]).is_absolute()
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ
