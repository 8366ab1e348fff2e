"""The workflows, the updates and the hooks, by the linters that are published for them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def run(program, *arguments):
    command = [Path(sys.executable).with_name(program), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_actionlint_finds_nothing():
    done = run("actionlint", "-no-color", *WORKFLOWS)
    assert len(WORKFLOWS) >= 5
    assert (done.returncode, done.stdout) == (0, "")


def test_zizmor_finds_nothing():
    done = run("zizmor", "--offline", "--quiet", ROOT / ".github")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_and_names_its_version(path):
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_dependabot_reads_its_settings():
    done = run("check-jsonschema", "--builtin-schema", "vendor.dependabot", ROOT / ".github" / "dependabot.yml")
    assert done.returncode == 0, done.stdout


def test_hooks_run_on_every_system_with_the_versions_of_the_constraints():
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in settings["repos"] for hook in repo["hooks"]]
    constraints = set((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    for hook in hooks:
        assert hook["language"] == "python"
        assert "/" not in hook["entry"].split()[0]
        (tool,) = hook["additional_dependencies"]
        assert re.sub(r"\[.*\]", "", tool) in constraints


def test_what_users_install_is_an_extra_and_what_contributors_install_is_a_group():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras, groups = settings["project"]["optional-dependencies"], settings["dependency-groups"]
    assert not {"dev", "docs", "bench", "lint"} & set(extras)
    assert not set(extras) & set(groups)


def test_no_file_names_a_package_registry():
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in constraints
    assert "index" not in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {}).get(
        "uv", {}
    )
    assert not (ROOT / "uv.lock").exists()
