"""The lab `docker`: a good solution and three bad ones by their files, and a real image if possible."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from minitorch_course.labs.docker import (
    buildah,
    check,
    detect,
    dockerfile,
    dockerfile_rules,
    file_checks,
    image_checks,
)
from minitorch_course.labs.review import Item

pytestmark = pytest.mark.costly

GOOD = Path(__file__).parent / "container"


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    """The lab with a good solution; the model is a few empty files."""
    folder = tmp_path_factory.mktemp("docker") / "lab"
    check.start(folder)
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    for path in (file_checks.CARD, file_checks.WEIGHTS, file_checks.LICENCE):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("x", "utf-8")
    return folder


@pytest.fixture
def folder(started, tmp_path):
    return Path(shutil.copytree(started, tmp_path / "lab"))


def comments(folder):
    """The comments on the files, by item."""
    file = dockerfile.read(folder / "Dockerfile")
    items = [*check.check_files(file, folder), *check.check_model(file, folder)]
    return {item.name.removeprefix("file-"): " ".join(map(str, item.comments)) for item in items}


def change(folder, name, *changes):
    path = folder / name
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def test_a_good_solution_has_every_point_for_its_files(folder):
    assert comments(folder) == dict.fromkeys(comments(folder), "")


def test_the_initial_files_have_no_points(tmp_path):
    check.start(tmp_path / "lab")
    found = comments(tmp_path / "lab")
    assert all(found.values())
    for name, words in {
        "stages": "Dockerfile:1: has one stage",
        "base": "Dockerfile:1: is based on python:latest",
        "locked": "Dockerfile:5: installs the newest versions",
        "lean": "Dockerfile:4: installs with or for build-essential",
        "signals": "Dockerfile:7: starts a shell",
        "hadolint": "Dockerfile:1: Using latest",
        "model": "model/model-card.md: does not exist",
    }.items():
        assert words in found[name]
    assert "serve.py:67: SIGTERM is not handled" in found["signals"]


def test_a_solution_that_looks_right_at_first_sight(folder):
    """Two stages and a user, but by name; a lock without hashes; all files copied; no way to stop it."""
    change(
        folder,
        "Dockerfile",
        ("USER 10001:10001", "USER app"),
        ("COPY model/ model/", "COPY . ."),
        (" --require-hashes", ""),
        ('ENTRYPOINT ["python", "serve.py"]', 'ENTRYPOINT ["sh", "-c", "python serve.py"]'),
        ("PYTHONDONTWRITEBYTECODE=1 ", ""),
    )
    change(folder, "requirements.lock", ("scipy==1.17.1 ;", "scipy>=1.17.1 ;"))
    change(folder, "compose.yaml", ("read_only: true", "read_only: false"), ("[ALL]", "[NET_RAW]"))
    (folder / ".dockerignore").write_text("model/checkpoints\n", "utf-8")
    found = comments(folder)
    wrong = {"hadolint", "locked", "user", "lean", "read-only", "signals", "model"}
    assert {name for name, text in found.items() if text} == wrong
    assert "Dockerfile:21: sets the user 'app'" in found["user"]
    assert "Dockerfile:20: copies everything" in found["lean"]
    assert "Dockerfile:3: installs the newest" in found["locked"]
    assert "scipy>=1.17.1 has no version" in found["locked"]
    assert all(
        words in found["read-only"] for words in ("PYTHONDONT", "compose.yaml:5: add read_only", "cap_drop: [ALL]")
    )


def test_an_sbom_and_labels_that_are_out_of_date(folder):
    sbom = json.loads((folder / "sbom.cdx.json").read_text("utf-8"))
    sbom["components"] = sbom["components"][:2]
    (folder / "sbom.cdx.json").write_text(json.dumps(sbom), "utf-8")
    change(
        folder,
        "Dockerfile",
        ("LICENSE ", ""),
        (".licenses=", ".licence="),
        ('CMD ["python", "-c"', 'CMD ["curl", "-c"'),
    )
    found = comments(folder)
    assert {name for name, text in found.items() if text} == {"bill", "labels", "health"}
    assert "does not list jaxlib" in found["bill"]
    assert "does not contain the licence" in found["bill"]
    (folder / "sbom.cdx.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": 3}', "utf-8")
    assert "is not valid CycloneDX" in comments(folder)["bill"]


def test_inherited_stages_arguments_and_other_images(tmp_path):
    digest = "sha256:" + "0" * 64
    (tmp_path / "Dockerfile").write_text(
        f"ARG BASE=python:3@{digest}\nFROM ${{BASE}} AS base\nUSER root\nENV A=1 B=2\nFROM base AS last\nUSER 7\nENV"
        " B=3\n"
        "COPY --from=ghcr.io/x/uv:1 /uv /bin/uv\nHEALTHCHECK NONE\n",
        "utf-8",
    )
    file = dockerfile.read(tmp_path / "Dockerfile")
    assert [stage.image for stage in file.external()] == [f"python:3@{digest}"]
    assert dockerfile_rules.environment(file) == {"A": "1", "B": "3"}
    assert list(dockerfile_rules.user(file)) == []
    assert [comment.where for comment in dockerfile_rules.base(file)] == ["Dockerfile:8"]
    assert [comment.where for comment in dockerfile_rules.health(file)] == ["Dockerfile:9"]
    on_base = buildah.on_base((tmp_path / "Dockerfile").read_text("utf-8"), file)
    assert "FROM localhost/minitorch-base AS base\n" in on_base
    assert "FROM base AS last\n" in on_base
    (tmp_path / "Dockerfile").write_text("FROM a\nRUN <<END\n", "utf-8")
    with pytest.raises(ValueError, match="cannot be read as a Dockerfile"):
        dockerfile.read(tmp_path / "Dockerfile")


def test_without_a_builder_items_are_unverified(folder, monkeypatch):
    monkeypatch.setattr(image_checks, "detect", lambda: (None, "no builder is installed"))
    items = image_checks.check_image(folder)
    assert len(items) == 5
    assert all(item.status == "unverified" and item.earned == 0 for item in items)
    assert all("no builder is installed" in item.unverified for item in items)


@pytest.mark.parametrize("target", ["student", "grading"])
def test_the_courses_own_images_follow_the_rules(target):
    own = Path(__file__).parents[3] / "docker"
    file = dockerfile.read(own / "Dockerfile").upto(target)
    found = [*check.check_files(file, own), Item("signals", "", 1, list(dockerfile_rules.signals(file)))]
    # The sandbox for submissions creates namespaces: the reason is in compose.yaml.
    comments = [str(comment) for item in found for comment in item.comments]
    assert [comment for comment in comments if "security_opt switches off" not in comment] == []


def test_the_courses_own_images_copy_everything_that_the_wheel_needs():
    root = Path(__file__).parents[3]
    wheel = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    ignored = (root / "docker" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for folder in (*wheel["packages"], *wheel["force-include"]):
        assert f"COPY {folder}/ /src/{folder}/\n" in (root / "docker" / "Dockerfile").read_text("utf-8")
        assert any(f"!{path}" in ignored for path in (folder, *map(str, Path(folder).parents)))


def test_points_are_a_hundred(folder):
    file = dockerfile.read(folder / "Dockerfile")
    written = sum(item.points for item in [*check.check_files(file, folder), *check.check_model(file, folder)])
    assert (written, sum(points for _, points in image_checks.ITEMS.values())) == (60, 40)


@pytest.fixture
def builder():
    """A builder with access to images; skips if there is none."""
    found, why = detect.detect()
    if found is None:
        pytest.skip(why)
    if not (found.name == "buildah" and buildah.has_local_base()) and "MINITORCH_REGISTRY" not in os.environ:
        pytest.skip(
            "no base image: run labs/docker/make-base.sh, or set MINITORCH_REGISTRY=1 if a registry can be reached"
        )
    return found


@pytest.mark.costly
def test_a_real_image_is_built_queried_and_stopped(builder, folder):
    shutil.rmtree(folder / "model")
    small = ["--limit", "20000", "--steps", "5", "--layers", "1", "--width", "16", "--heads", "2", "--data", "stdlib"]
    train = [sys.executable, "-c", "from minitorch.cli import main; main()", "train", "--out", folder / "model", *small]
    subprocess.run(train, check=True, capture_output=True)
    items: list[Item] = image_checks.check_image(folder)
    assert [str(comment) for item in items for comment in item.comments] == []
    assert sum(item.earned for item in items) == 40
