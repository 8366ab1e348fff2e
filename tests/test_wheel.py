"""The wheel: it contains all files of the packages and the course, and its commands work without the repository."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LABS = ("ci", "docker", "pull-request")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def minitorch(wheel, tmp_path_factory):
    """`minitorch(*arguments)` runs the wheel's command in a folder that is empty at first."""
    installed, folder = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("empty")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def call(*arguments):
        program = "import minitorch_course as c, sys; from minitorch.cli import main; print(c.__file__); main()"
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        where, _, output = done.stdout.partition("\n")
        assert installed in Path(where).parents, done.stderr
        return done.returncode, output, done.stderr, folder

    return call


def files(folder):
    paths = (ROOT / folder).rglob("*")
    return {path.relative_to(ROOT / folder) for path in paths if path.is_file() and "__pycache__" not in path.parts}


def test_a_wheel_contains_every_file_of_the_packages_the_labs_and_the_released_notebooks(wheel):
    target = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    places = {package: package for package in target["packages"]} | target["force-include"]
    expected = {f"{inside}/{file.as_posix()}" for folder, inside in places.items() for file in files(folder)}
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected
    for part in (
        "minitorch/py.typed",
        "minitorch_course/author/template/notebook.txt",
        "minitorch_course/handout/AI-USE.md",
        "minitorch_course/lab_files/pull-request/upstream/.github/PULL_REQUEST_TEMPLATE.md",
        "minitorch_course/released/00_five_minutes.ipynb",
    ):
        assert part in names


def test_a_notebook_is_started_from_a_wheel(minitorch):
    code, output, error, folder = minitorch("course", "start", "00", "--no-open")
    assert code == 0, error
    assert "00_five_minutes.ipynb is ready." in output
    assert {"00_five_minutes.ipynb", "AGENTS.md", "AI-USE.md"} == {
        p.name for p in (folder / "minitorch-course").iterdir()
    }


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_is_started_from_a_wheel(minitorch, lab):
    code, _, error, folder = minitorch("lab", "start", lab)
    assert code == 0, error
    assert (folder / "minitorch-labs" / lab / "README.md").is_file()
    assert minitorch("lab", "start", lab)[0] == 1  # It exists already.


def test_a_new_notebook_is_scaffolded_from_a_wheel(minitorch):
    code, _, error, folder = minitorch("course", "new", "15_sample")
    assert code == 0, error
    assert (folder / "notebooks" / "15_sample.py").is_file()
