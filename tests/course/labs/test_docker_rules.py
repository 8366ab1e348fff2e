"""The Docker lab judges what Docker, a shell, pip and Compose make of a file, not how it is spelled."""

import contextlib
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch_course.labs.docker import (
    buildah,
    compose,
    dockerfile,
    dockerfile_rules,
    expand,
    file_checks,
    ignore_file,
    shell,
)

DIGEST = "@sha256:" + "a" * 64
X = f"x{DIGEST}"


def read(folder, text):
    path = folder / "Dockerfile"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return dockerfile.read(path)


def lines(comments):
    """The numbers of the lines that are commented on."""
    return [int(comment.where.rpartition(":")[2]) for comment in comments]


# The rule, a Dockerfile, and the lines that it must comment on.
DOCKERFILES = [
    # Which earlier stage, or image, a name stands for.
    ("base", f"FROM {X} AS Base\nUSER 1\nFROM base\nRUN true\n", []),
    ("user", f"FROM {X} AS Base\nUSER 1\nFROM base\nRUN true\n", []),
    ("user", "FROM python AS build\nRUN true\nFROM build AS python\nUSER 1\n", []),
    ("user", "FROM debian AS a\nFROM a AS b\nFROM b AS a\nRUN true\n", [3]),
    ("user", "FROM x AS final\nUSER 10001\nFROM final AS final\nRUN true\n", []),
    ("user", "FROM x AS a\nUSER 1\nFROM x AS a\nUSER root\nFROM a\nRUN true\n", [4]),
    ("base", f"FROM python AS build\nFROM {X}\nCOPY --from=build /a /a\n", [1]),
    ("base", f"FROM later\nFROM {X} AS later\n", [1]),
    ("base", f"FROM {X}\nFROM 0\n", [2]),
    ("base", f"FROM {X}\nFROM {X}\nCOPY --from=0 /a /a\n", []),
    ("base", f"FROM {X}\nFROM {X}\nCOPY --from=1 /a /a\n", [3]),
    ("base", f"FROM {X}\nFROM {X}\nCOPY --from=7 /a /a\n", [3]),
    ("base", f"FROM {X} AS a\nFROM {X}\nCOPY --from=A /a /a\n", []),
    ("base", f"FROM {X} AS a\nCOPY --from=a /a /a\n", [2]),
    ("base", f"FROM {X}\nCOPY --from=late /a /a\nFROM {X} AS late\n", [2]),
    ("base", f"FROM {X} AS base\nFROM BASE\n", [2]),  # moby/buildkit#2003: taken for an image
    ("base", "FROM scratch\nCOPY a /a\n", []),
    # Digests of every image that is used.
    ("base", f"FROM {X}\nCOPY --from=nginx /a /a\n", [2]),
    ("base", f"FROM {X}\nCOPY --from=nginx{DIGEST} /a /a\n", []),
    ("base", f"FROM {X}\nCOPY --from=nginx@sha256:abc /a /a\n", [2]),
    ("base", f"FROM {X}\nCOPY --from=$IMAGE{DIGEST} /a /a\n", [2]),
    ("base", f"FROM {X}\nRUN --mount=from=ghcr.io/astral-sh/uv:latest,source=/uv,target=/uv /uv\n", [2]),
    ("base", f"FROM {X}\nRUN --mount=type=bind,source=/uv,from=uv{DIGEST},target=/uv /uv\n", []),
    ("base", f"FROM {X} AS a\nFROM {X}\nRUN --mount=type=bind,from=a,target=/a cp -r /a /b\n", []),
    ("base", f"FROM {X} AS a\nFROM {X}\nRUN --mount=type=bind,from=0,target=/a true\n", [3]),
    ("base", f"FROM --platform=$BUILDPLATFORM {X}\n", []),
    ("base", f"FROM {DIGEST}\n", [1]),
    # Variables.
    ("base", f"ARG TAG=3.12 DIGEST=sha256:{'a' * 64}\nFROM python:${{TAG}}@${{DIGEST}}\n", []),
    ("base", f"FROM ${{BASE-{X}}}\n", []),
    ("base", f"ARG BASE=\nFROM ${{BASE-{X}}}\n", [2]),
    ("base", f"ARG BASE=\nFROM ${{BASE:-{X}}}\n", []),
    ("base", f"ARG D=1\nFROM x${{D:+{DIGEST}}}\n", []),
    ("base", f"FROM x${{D:+{DIGEST}}}\n", [1]),
    ("base", f'ARG A="{X}"\nARG B=$A\nFROM "$B"\n', []),
    ("base", "ARG BASE\nFROM $BASE\n", [2]),
    ("base", f"# escape=`\nFROM `\n  {X}\n", []),
    ("user", "FROM x\nARG UID=10001\nUSER ${UID}:${UID}\n", []),
    ("user", "FROM x\nARG UID\nUSER ${UID}\n", [3]),
    ("user", "FROM x\nUSER ${UID:-10001}\n", []),
    ("user", "ARG UID=10001\nFROM x\nUSER $UID\n", [3]),  # not declared in the stage
    ("user", "ARG UID=10001\nFROM x\nARG UID\nUSER $UID\n", []),
    ("user", "FROM x\nENV UID=0\nARG UID=10001\nUSER $UID\n", [4]),  # ENV wins
    ("user", "FROM x AS a\nENV APP=10001\nFROM a\nUSER $APP\n", []),
    # Root, in all forms.
    ("user", 'FROM x\nUSER "10001"\n', []),
    ("user", "FROM x\nuser 10001\n", []),
    ("user", "FROM x\nUSER 1000\\\n1\n", []),
    *(
        ("user", f"FROM x\nUSER {name}\n", [2])
        for name in ("0", "00", "0:0", "root:root", "+0", "-0", '""', ":1", "'0'")
    ),
    *(("user", f"FROM x\nUSER {name}\n", [2]) for name in ("app", "1 # ordinary", "99999999999", "-1", "\u0661")),
    ("user", "FROM x\nUSER 10001\nUSER root\n", [3]),
    ("user", "FROM x AS a\nONBUILD USER root\nUSER 1\nFROM a\nRUN true\n", [2]),
    ("user", "FROM x\nUSER 1\nONBUILD USER root\n", []),
    # What gets SIGTERM.
    ("signals", "FROM x\nENTRYPOINT exec python serve.py\n", []),
    ("signals", "FROM x\nCMD cd /app && exec python serve.py\n", []),
    ("signals", 'FROM x\nENTRYPOINT ["sh", "-c", "exec python serve.py"]\n', []),
    ("signals", 'FROM x\nENTRYPOINT ["bash", "-euo", "pipefail", "-c", "exec python serve.py"]\n', []),
    ("signals", 'FROM x\nENTRYPOINT ["sh", "-c", "exec sh -c python"]\n', [2]),
    ("signals", "FROM x\nENTRYPOINT python serve.py\n", [2]),
    *(
        ("signals", f'FROM x\nENTRYPOINT [{words}, "-c", "python serve.py"]\n', [2])
        for words in (
            *(
                '"sh"',
                '"/bin/bash"',
                '"/bin/ash"',
                '"dash"',
                '"/usr/bin/env", "sh"',
                '"busybox", "sh"',
                '"tini", "--", "sh"',
            ),
            *('"env", "-u", "A", "B=1", "sh"', '"bash", "-e"', '"env", "-S", "sh -e"', '"gosu", "1", "zsh"'),
        )
    ),
    ("signals", 'FROM x\nENTRYPOINT ["dumb-init", "sh", "-c", "python serve.py"]\n', []),
    ("signals", 'FROM x\nENTRYPOINT ["tini", "--", "python", "serve.py"]\n', []),
    ("signals", 'FROM x\nENTRYPOINT ["python", "-m", "bash"]\n', []),
    ("signals", "FROM x\nENTRYPOINT []\nCMD python serve.py\n", [3]),
    ("signals", 'FROM x\nENTRYPOINT []\nCMD ["python", "serve.py"]\n', []),
    ("signals", "FROM x\nCMD []\n", [1]),
    ("signals", 'FROM x\nENTRYPOINT ["python"]\nCMD ["serve.py"]\n', []),
    ("signals", 'FROM x\nENTRYPOINT ["python"]\nCMD serve.py\n', [2]),
    ("signals", 'FROM x\nENTRYPOINT ["tini", "--"]\nCMD python serve.py\n', [2]),
    ("signals", "FROM x\nCMD ['python', 'serve.py']\n", [2]),  # not JSON, so a shell command
    ("signals", 'FROM x\nSHELL ["python", "-c"]\nCMD import serve\n', []),
    ("signals", 'FROM x AS a\nCMD ["python", "serve.py"]\nFROM a\nENTRYPOINT ["sh"]\n', [4]),
    ("signals", 'FROM x\nCMD ["python"]\nSTOPSIGNAL SIGKILL\n', [3]),
    ("signals", 'FROM x\nCMD ["python"]\nSTOPSIGNAL 15\n', []),
    ("signals", 'FROM x\nCMD ["sh", "start.sh"]\n', [2]),
    # Locks.
    ("locked", "FROM x\nRUN uv pip sync --require-hashes requirements.lock\n", []),
    ("locked", "FROM x\nRUN uv sync --locked\n", []),
    ("locked", "FROM x\nRUN uv sync\n", [2]),
    ("locked", "FROM x\nRUN pip install --require-hashes -r a.lock && pip install flask\n", [2]),
    ("locked", "FROM x\nENV PIP_REQUIRE_HASHES=1\nRUN pip install -r a.lock\n", []),
    ("locked", "FROM x\nENV PIP_REQUIRE_HASHES=1\nENV PIP_REQUIRE_HASHES=\nRUN pip install -r a.lock\n", [4]),
    ("locked", 'FROM x\nRUN ["pip", "install", "--require-hashes", "-r", "a.lock"]\n', []),
    ("locked", 'FROM x\nRUN ["sh", "-c", "python3 -m pip install flask"]\n', [2]),
    ("locked", "FROM x\nRUN <<EOF\nset -e\npip install flask\nEOF\n", [2]),
    ("locked", "FROM x\nRUN bash -e <<EOF\npip install --require-hashes -r a.lock\nEOF\n", []),
    ("locked", "FROM x\nRUN echo pip install --require-hashes -r a.lock\n", [1]),
    ("locked", "FROM x\nRUN pip install \\\n  # why\n  --require-hashes -r a.lock\n", []),
    ("locked", "FROM x\nRUN uv pip sync --require-hashes --no-verify-hashes a.lock\n", [2]),
    ("locked", "FROM x\nARG HOW=--require-hashes\nRUN pip install $HOW -r a.lock\n", []),
    # Tools and caches.
    ("lean", "FROM x\nRUN apt-get install -y bubblewrap\n", []),
    ("lean", "FROM x\nRUN apt-get update && apt-get install -y gcc-12=12.2\n", [2]),
    ("lean", "FROM x\nRUN apt-get -y install libcurl4 && echo git\n", []),
    ("lean", "FROM x\nCOPY ./. /app\n", [2]),
    ("lean", "FROM x\nARG SRC=.\nCOPY $SRC /app\n", [3]),
    ("lean", 'FROM x\nCOPY [".", "/app"]\n', [2]),
    ("lean", f"FROM x\nCOPY --from=uv{DIGEST} /uv /uvx /bin/\n", [2]),
    ("lean", "FROM x AS build\nENV PIP_NO_CACHE_DIR=1\nRUN pip install a\nFROM y\n", []),
    ("lean", "FROM x AS build\nRUN pip install a\nFROM y\nENV PIP_NO_CACHE_DIR=1\n", [2]),
    ("lean", "FROM x AS build\nRUN --mount=target=/c,type=cache pip install a\nFROM y\n", []),
    # Stages.
    ("stages", "FROM x AS build\nFROM y\nCOPY --from=nginx /a /a\n", [2]),
    ("stages", "FROM x\nFROM y\nCOPY --from=0 /a /a\n", []),
    ("stages", "FROM x AS B\nFROM y\nRUN --mount=from=b,target=/b cp -r /b /c\n", []),
    # Health.
    ("health", "FROM x\nHEALTHCHECK CMD python h.py\n", []),
    ("health", "FROM x\nHEALTHCHECK CMD python h.py\nHEALTHCHECK none\n", [3]),
    ("health", 'FROM x\nHEALTHCHECK CMD ["/usr/bin/curl", "-f", "http://a"]\n', [2]),
    ("health", 'FROM x\nHEALTHCHECK cmd ["python", "-c", "agent = \'curl/8\'"]\n', []),
    ("health", "FROM x\nHEALTHCHECK CMD python h.py || exit 1\n", []),
    ("health", "FROM x\nHEALTHCHECK CMD python h.py || true\n", [2]),
    # A read-only file system.
    ("read_only", "FROM x\nENV PYTHONDONTWRITEBYTECODE=1\n", []),
    ("read_only", "FROM x\nENV PYTHONDONTWRITEBYTECODE=0\n", []),  # any text counts
    ("read_only", "FROM x\nENV PYTHONDONTWRITEBYTECODE 1\n", []),
    ("read_only", "FROM x\nENV PYTHONDONTWRITEBYTECODE=\n", [1]),
    ("read_only", 'FROM x\nENV PYTHONDONTWRITEBYTECODE=1\nENV PYTHONDONTWRITEBYTECODE=""\n', [1]),
    ("read_only", "FROM x\nARG PYTHONDONTWRITEBYTECODE=1\n", [1]),
    ("read_only", 'FROM x\nCMD ["python", "-B", "serve.py"]\n', []),
    ("read_only", 'FROM x\nENV PYTHONDONTWRITEBYTECODE=1\nCMD ["python", "-I", "serve.py"]\n', [1]),
    ("read_only", 'FROM x\nENV PYTHONDONTWRITEBYTECODE=1\nCMD ["env", "-i", "python", "serve.py"]\n', [1]),
    # Documents.
    ("documents", "FROM x\nCOPY LICENSE sbom.cdx.json /\n", []),
    ("documents", "FROM x\nCOPY NOT-A-LICENSE sbom.cdx.json /\n", [1]),
    ("documents", 'FROM x\nCOPY ["LICEN[SC]E", "bom.cdx.json", "/"]\n', []),
    ("documents", "FROM x\nARG DOCS=LICENSE\nCOPY $DOCS *.cdx.json /\n", []),
]


@pytest.mark.parametrize(("rule", "text", "expected"), DOCKERFILES, ids=[f"{r}-{t!r:.80}" for r, t, _ in DOCKERFILES])
def test_a_rule_reads_a_dockerfile_as_docker_does(rule, text, expected, tmp_path):
    assert lines(getattr(dockerfile_rules, rule)(read(tmp_path, text))) == expected


def labels(values):
    return "LABEL " + " ".join(f'"{dockerfile_rules.PREFIX}{name}"={value}' for name, value in values.items()) + "\n"


@pytest.mark.parametrize(
    ("before", "value", "after", "missing"),
    [
        ("", "'1 2'", "", False),
        ("", '""', "", True),
        ("ARG V=1\n", "$V", "", False),
        ("ARG V\n", "$V", "", True),
        ("", "1", labels({"title": '""'}), True),
        ("", "1", "FROM last\nRUN true\n", False),
        ("", "1", "FROM last\n" + labels({"title": '""'}), True),
    ],
)
def test_labels_are_compared_by_their_values(before, value, after, missing, tmp_path):
    text = f"FROM {X} AS last\n{before}{labels(dict.fromkeys(dockerfile_rules.LABELS, value))}{after}"
    assert bool(list(dockerfile_rules.labels(read(tmp_path, text)))) == missing


@pytest.mark.parametrize(
    ("script", "right"),
    [
        ("exec python serve.py\n", True),
        ('#!/bin/sh\nset -e\nexec "$@"\n', True),
        ("python serve.py\n", False),
        ("exec ./start.sh", False),
    ],
)
def test_a_script_next_to_the_dockerfile_is_read(script, right, tmp_path):
    (tmp_path / "start.sh").write_text(script)
    for command in ('["./start.sh"]', '["sh", "-e", "/app/start.sh"]', "exec /app/start.sh"):
        assert (list(dockerfile_rules.signals(read(tmp_path, f"FROM x\nCMD {command}\n"))) == []) is right


@pytest.mark.parametrize(
    "text",
    [
        "FROM\n",
        "FROM x y\n",
        "FROM x AS 1a\n",
        "USER 1\nFROM x\n",
        "FROM x\nINSTALL y\n",
        "FROM x\nUSER\n",
        "FROM x\n \\\n",
        "FROM ${x\n",
        "FROM ${x:?}\n",
        "FROM x\nENV A='b\n",
        "FROM x\nRUN a\0b\n",
        "FROM x\n".encode("utf-16"),
        "FROM x\nENV A=" + "b" * 999 + "\n" + "ENV A=$A$A\n" * 40,
        "FROM x\n" + "RUN a\n" * 1001,
        "FROM " + "${a:-" * 2000 + "}" * 2000 + "\n",
    ],
    ids=range(15),
)
def test_what_docker_refuses_is_refused_with_its_place(text, tmp_path):
    with pytest.raises(ValueError, match="Dockerfile"):
        read(tmp_path, text)


def test_a_message_says_what_the_file_does_not_show(tmp_path):
    assert "$UID has no value in this file" in str(
        *dockerfile_rules.user(read(tmp_path, "FROM x\nARG UID\nUSER $UID\n"))
    )
    assert "user of the base image, which this file does not show" in str(
        *dockerfile_rules.user(read(tmp_path, "FROM x\n"))
    )
    assert "cannot be seen whether" in str(*dockerfile_rules.signals(read(tmp_path, 'FROM x\nCMD ["a.sh"]\n')))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *(("a$X", "ax y"), ("'$X'", "$X"), ('"$X"', "x y"), ("\\$X", "$X"), ("${X}z", "x yz"), ("$XY", ""), ("$", "$")),
        *(
            ("${N-a}", "a"),
            ("${E-a}", ""),
            ("${E:-a}", "a"),
            ("${X:-a}", "x y"),
            ("${N:-${X}}", "x y"),
            ("${N:-'}'}", "}"),
        ),
        *(("${X+a}", "a"), ("${E+a}", "a"), ("${E:+a}", ""), ("${N+a}", ""), ("${X:?no}", "x y")),
        *(("${P#*/}", "b/c"), ("${P##*/}", "c"), ("${P%/*}", "a/b"), ("${P%%/*}", "a"), ("${P/\\//-}", "a-b/c")),
        ("${P//b/-}", "a/-/c"),
    ],
)
def test_words_are_expanded_as_docker_does(word, value):
    assert expand.expand(word, {"X": "x y", "E": "", "P": "a/b/c"})[0] == value


FILES = [
    ("lock", "requirements.lock", "jax==1 \\\n    --hash=sha256:aa\n", True),
    ("lock", "requirements.lock", "\ufeffjax==1 --hash=sha256:aa\n", True),
    ("lock", "requirements.lock", "jax==1 --hash=sha256:aa\n".encode("utf-16"), True),
    ("lock", "requirements.lock", "jax==1\n".encode("utf-16"), False),
    ("lock", "requirements.lock", "# none\n", False),
    ("lock", "requirements.lock", "", False),
    ("lock", "requirements.lock", "jax==1.* --hash=sha256:aa\n", False),
    ("lock", "requirements.lock", "jax==1,!=2 --hash=sha256:aa\n", False),
    ("lock", "requirements.lock", "jax==1 --hash=md5:aa\n", False),
    ("lock", "requirements.lock", "jax==1 # --hash=sha256:aa\n", False),
    ("lock", "requirements.lock", "-e .\n", False),
    ("lock", "requirements.lock", "jax==1 --hash=sha256:aa\n-r more.txt\n", False),
    ("lock", "requirements.lock", "jax==1 --hash=sha256:aa\n?\n", False),
    ("lock", "requirements.lock", "a @ https://a.org/a-1-py3-none-any.whl --hash=sha256:aa\n", True),
    ("left_out", ".dockerignore", ".git*\n**/__pycache__/**\n", True),
    ("left_out", ".dockerignore", "/.git/\n**/*.pyc\n", True),
    ("left_out", ".dockerignore", "\ufeff.git\n**/__pycache__\n", True),
    ("left_out", ".dockerignore", "*\n!serve.py\n", True),
    ("left_out", ".dockerignore", "*\n!minitorch\n**/__pycache__\n", True),
    ("left_out", ".dockerignore", "*\n!minitorch\n", False),
    ("left_out", ".dockerignore", "**/__pycache__\n*\n!minitorch\n", False),  # the last match decides
    ("left_out", ".dockerignore", ".git\n__pycache__\n", False),  # at the root only
    ("left_out", ".dockerignore", "# .git\n# __pycache__\n", False),
    ("left_out", ".dockerignore", " # .git\n**/__pycache__\n", False),
    ("left_out", ".dockerignore", "*\n!.git\n!__pycache__\n", False),
    ("left_out", ".dockerignore", "*\n!.git/config\n", False),
    ("left_out", ".dockerignore", "*\n!.git/logs\n", False),
    ("left_out", ".dockerignore", "*\n! .git\n", False),
    ("left_out", ".dockerignore", ".GIT\n**/__pycache__\n", False),
    ("left_out", ".dockerignore", ".git\n**/__pycache__\n!\n", False),
    ("left_out", ".dockerignore", ".git\n**/__pycache__\n[\n", False),
    ("left_out", ".dockerignore", "*\n".encode("utf-16"), False),
    ("handles_sigterm", "serve.py", "import signal\nsignal.signal(signal.SIGTERM, lambda *_: stop())\n", True),
    (
        "handles_sigterm",
        "serve.py",
        "import signal\nfor s in (signal.SIGTERM, signal.SIGINT):\n    signal.signal(s, print)\n",
        True,
    ),
    ("handles_sigterm", "serve.py", "from signal import signal as on, SIGTERM as T\non(T, print)\n", True),
    (
        "handles_sigterm",
        "serve.py",
        "import signal\nSTOP = [signal.SIGTERM]\n[signal.signal(s, print) for s in STOP]\n",
        True,
    ),
    ("handles_sigterm", "serve.py", "import signal\nsignal.signal(15, print)\n", True),
    ("handles_sigterm", "serve.py", "import signal\nloop.add_signal_handler(signal.SIGTERM, print)\n", True),
    ("handles_sigterm", "serve.py", "import signal\nsignal.sigwait({signal.SIGTERM})\n", True),
    ("handles_sigterm", "serve.py", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n", False),
    ("handles_sigterm", "serve.py", "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)\n", False),
    ("handles_sigterm", "serve.py", "import signal\ndef f(*_):\n    pass\nsignal.signal(signal.SIGTERM, f)\n", False),
    (
        "handles_sigterm",
        "serve.py",
        "import signal as s\ns.signal(s.SIGTERM, print)\ns.signal(s.SIGTERM, s.SIG_DFL)\n",
        False,
    ),
    ("handles_sigterm", "serve.py", "import signal\nsignal.signal(signal.SIGINT, print)\nsignal.SIGTERM\n", False),
    ("handles_sigterm", "serve.py", "import signal\ndef setup():\n    signal.signal(signal.SIGTERM, print)\n", False),
    ("handles_sigterm", "serve.py", "import signal\n# signal.signal(signal.SIGTERM, print)\n", False),
    ("handles_sigterm", "serve.py", "x = '\0'", False),
]


@pytest.mark.parametrize(("rule", "name", "text", "right"), FILES, ids=[f"{r}-{t!r:.60}" for r, _, t, _ in FILES])
def test_a_file_is_read_as_its_program_does(rule, name, text, right, tmp_path):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert (list(getattr(file_checks, rule)(tmp_path)) == []) is right


SAFE = """\
read_only: true
tmpfs: [/tmp]
cap_drop: [ALL]
security_opt: ["no-new-privileges:true"]
"""
COMPOSE = [
    ("", "", True),
    ("[ALL]", "[all]", True),
    ("[ALL]", "[CAP_ALL]", False),
    ("[ALL]", "[]", False),
    ("true\ntmpfs", '"true"\ntmpfs', True),
    ("true\ntmpfs", "${RO:-true}\ntmpfs", False),
    ("true\ntmpfs", "false\ntmpfs", False),
    ("tmpfs: [/tmp]", "tmpfs: /tmp", True),
    ("tmpfs: [/tmp]", "volumes: [{type: tmpfs, target: /tmp}]", True),
    ("tmpfs: [/tmp]", "", False),
    ("privileges:true", "privileges", True),
    ("privileges:true", "privileges=true", True),
    ("privileges:true", "privileges:false", False),
    ('"no-new-privileges:true"', '"no-new-privileges:true", "no-new-privileges:false"', False),
    ('"no-new-privileges:true"', '"no-new-privileges:true", "seccomp:unconfined"', False),
    ("", "privileged: true\n", False),
    ("", "privileged: false\n", True),
    ("", "privileged: $P\n", False),
    ("", "cap_add: [ALL]\n", False),
    ("", "cap_add: []\n", True),
    ("", "user: root\n", False),
    ("", "user: 0\n", False),
    ("", 'user: "00:1"\n', False),
    ("", "user: 10001:10001\n", True),
    ("", "pid: host\n", False),
    ("", "network_mode: host\n", False),
    ("", "network_mode: none\n", True),
    ("", "devices: [/dev/kmem]\n", False),
    ("", "volumes: [/var/run/docker.sock:/var/run/docker.sock]\n", False),
    ("", "volumes: [{type: bind, source: /, target: /host}]\n", False),
    ("", "volumes: [./work:/work, data:/data]\n", True),
    ("", "entrypoint: sh -c 'python serve.py'\n", False),
    ("", "entrypoint: [python, serve.py]\n", True),
    ("", "environment: [PYTHONDONTWRITEBYTECODE=]\n", False),
    ("", "environment: {PYTHONDONTWRITEBYTECODE: '', PORT: 1}\n", False),
    ("", "environment: {PORT: 1}\n", True),
    ("", "healthcheck: {disable: true}\n", False),
    ("", 'healthcheck: {test: ["NONE"]}\n', False),
    ("", "stop_signal: SIGKILL\n", False),
    ("", "extends: gone\n", False),
    ("tmpfs: [/tmp]", "tmpfs: !reset []", False),
]


@pytest.mark.parametrize(("old", "new", "right"), COMPOSE, ids=[new for _, new, _ in COMPOSE])
def test_compose_undoes_no_setting(old, new, right, tmp_path):
    service = SAFE.replace(old, new) if old else SAFE + new
    (tmp_path / "compose.yaml").write_text("services:\n  s:\n" + textwrap.indent(service, "    "))
    assert (list(compose.run_read_only(tmp_path)) == []) is right


def test_compose_joins_extended_and_override(tmp_path):
    safe = textwrap.indent(SAFE, "    ")
    (tmp_path / "compose.yaml").write_text(f"services:\n  base:\n{safe}  s:\n    extends: base\n")
    assert list(compose.run_read_only(tmp_path)) == []
    (tmp_path / "compose.override.yml").write_text("services:\n  s:\n    privileged: true\n")
    assert "privileged" in str(*compose.run_read_only(tmp_path))
    (tmp_path / "compose.override.yml").write_text("services:\n  s:\n    read_only: false\n")
    assert "read_only" in str(*compose.run_read_only(tmp_path))
    (tmp_path / "compose.override.yml").unlink()
    (tmp_path / "compose.yaml").write_text(f"x-safe: &safe\n{safe}services:\n  s:\n    <<: *safe\n")
    assert list(compose.run_read_only(tmp_path)) == []


@pytest.mark.parametrize("key", sorted({*compose.REQUIRED, *compose.UNDOES, "command", "extends"}))
def test_a_compose_value_of_any_type_is_judged(key, tmp_path):
    for value in ("", "1", "a", "'", "[1, [2], null]", "{a: 1}", "true", "[{a: 1}]", "2001-01-01", "[sh, -c, '\"']"):
        (tmp_path / "compose.yaml").write_text(f"services:\n  s:\n    {key}: {value}\n")
        assert all(str(comment) for comment in compose.run_read_only(tmp_path))


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        *(
            ("*/temp*", "a/temporary.txt", True),
            ("*/temp*", "a/b/temporary.txt", False),
            ("*/*/temp*", "a/b/temp", True),
        ),
        *(
            ("temp?", "tempa", True),
            ("temp?", "temp", False),
            ("**/*.go", "main.go", True),
            ("**/*.go", "a/b/c.go", True),
        ),
        *(
            ("*.md", "a/b.md", False),
            ("foo/bar", "foo/bar/deep/x", True),
            ("/foo/", "foo/x", True),
            ("foo/../bar", "bar", True),
        ),
        *(
            ("**", "a/b", True),
            ("a/**", "a/b/c", True),
            ("a/**", "a", False),
            ("**/b", "ab", False),
            ("**b", "ab", True),
        ),
        *(
            ("a[b-d]e", "ace", True),
            ("a[^b-d]e", "ace", False),
            ("a\\*b", "a*b", True),
            ("a\\*b", "axb", False),
            ("[[&&]", "&", True),
        ),
        *(("a.b", "axb", False), ("A", "a", False), (".", "a", False), ("..", "a", False), (" a ", "a", True)),
    ],
)
def test_patterns_of_dockerignore_are_those_of_docker(pattern, path, matches):
    assert ignore_file.is_ignored(path, ignore_file.parse(pattern)) is matches


def test_a_needed_file_that_is_excluded(tmp_path):
    (tmp_path / ".dockerignore").write_text("*\n!model\n**/*.md\n")
    assert ["LICENSE" in str(comment) for comment in file_checks.sent(tmp_path, ["LICENSE", "model/a"])] == [True]
    assert "model-card.md" in str(*file_checks.sent(tmp_path, [file_checks.CARD]))
    (tmp_path / "Dockerfile.dockerignore").write_text("")  # takes precedence
    assert list(file_checks.sent(tmp_path, ["LICENSE"])) == []


def test_the_local_base_replaces_a_from_of_two_lines(tmp_path):
    text = "FROM \\\n  x \\\n  AS a\nRUN a\u2028b\nFROM y\n"
    base = f"FROM {buildah.LOCAL_BASE}"
    assert buildah.on_base(text, read(tmp_path, text)) == f"{base} AS a\n\n\nRUN a\u2028b\n{base}\n"


# Lines of a Dockerfile, right and wrong ones, from the words that mean something to a rule.
TEXT = r"""
x a A 0 1 as AS . root 00 NONE CMD A=1 A=$A$A $A ${A} ${A:-b} ${A:+$B} ${A#*} ${ * ** { } ( ) ; && || # [ ] []
sh -c -o exec env -S tini -- pip install python -m uv busybox /bin/sh export ["sh","-c","a"] ' " \ `   é
--from=a --from=0 --mount= --mount=type=bind,from=a --platform=$A <<E E escape=`
"""
NAMES = st.sampled_from(
    [*dockerfile.EXPANDED, *dockerfile.UNEXPANDED, "FROM", "from", "ONBUILD RUN", "ONBUILD COPY", "", "#"]
)
ENDS = st.sampled_from(["\n", "\n", " \\\n"])
LINES = st.builds(
    lambda name, words, end: f"{name} {' '.join(words)}{end}",
    NAMES,
    st.lists(st.sampled_from(TEXT.split()), max_size=6),
    ENDS,
)
RULES = ("stages", "base", "locked", "user", "lean", "health", "signals", "read_only", "labels", "documents")


@settings(max_examples=150, deadline=1000)
@given(st.lists(LINES, max_size=12))
def test_every_text_is_judged_or_refused(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    try:
        file = read(folder, "FROM a AS a\n" + "".join(text))
    except ValueError:
        return  # one line, with the place: see above
    for rule in RULES:
        assert all(str(comment) for comment in getattr(dockerfile_rules, rule)(file))


@settings(max_examples=100, deadline=1000)
@given(st.text("*?/[]^!\\a.g-#& \n", max_size=60), st.text("a'\"\\$(){}|;&# \n=-", max_size=60))
def test_patterns_and_scripts_end(patterns, script):
    with contextlib.suppress(ValueError):
        ignore_file.is_ignored("a/.g/a.g", ignore_file.parse(patterns))
    assert all(command.words for command in shell.commands(script))
    shell.replaced_by(script)
