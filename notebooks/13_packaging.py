# %% [markdown]
# # 13 Packaging: a model in a box
#
# Your model runs on your computer. On any other computer it needs Python, packages in versions that fit each other, the
# weights, and the program that serves them. It also needs a way to start it, query it and stop it, and a document that
# says what is inside. An **image** carries all of that in one piece: a stranger types one line. It also carries what
# slipped in by mistake, such as a compiler, a password, or root. This notebook opens the box.
#
# **When you have finished you can**
#
# - say from a list of layers what a container sees, and which hidden files are shipped with it;
# - distinguish an image name that can mean something else tomorrow from one that cannot;
# - read a Dockerfile as Docker does, and say what is wrong with it, with line numbers;
# - look up in a bill of materials whether a new vulnerability affects you;
# - say why a server that works is killed as unhealthy, and why `docker stop` takes ten seconds;
# - build an image by hand, without Docker, and get an answer from the server in it.
#
# ```
#   application     somebody asks, and gets an answer
#   MLOps           build, look inside, is it alive?            <- you are here: what is in the box
#   hubs            registries: images by name and by digest
#   frameworks      JAX and what it needs, one version each
#   clusters        Docker, Kubernetes: they start the box      <- and here: how it is started, asked, stopped
#   hardware        drivers outside, your program inside
# ```
#
# Time: about 60 minutes, then the lab. Before: notebook 08 (a run folder). You need no Docker here; the lab needs it.

# %% name="imports"
import hashlib
import http.client
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from minitorch_course import check, inputs, report, setup, skip_if_unfinished

setup()

# %% [markdown]
# ## 1. A pile of transparencies
#
# An image is a list of **layers**. Each instruction of a Dockerfile that changes files makes one layer. The layer
# contains only *what that instruction changed*: complete copies of the files that it wrote. The layers below never
# change. Here are four layers, as dicts from path to size in MB:

# %% name="layers"
LAYERS = [
    {"usr/bin/python": 25, "etc/os": 1, "var/cache/apt/gcc.deb": 80},  # FROM python
    {"app/serve.py": 1, "app/key.pem": 1, "app/model/weights": 60},  # COPY . /app
    {"usr/bin/gcc": 90, "etc/os": 2},  # RUN apt-get install gcc
    {"app/.wh.key.pem": 0, "usr/bin/.wh.gcc": 0, "var/.wh.cache": 0},  # RUN rm -r key.pem gcc /var/cache
]

# %% name="layers-picture" tags=["demo"]
from minitorch_course.figures import images

images.pile(LAYERS, ["FROM python", "COPY . /app", "RUN install gcc", "RUN rm ..."])

# %% [markdown]
# The container looks at the pile from above. If two files have the same path, it sees the upper one. But how can an
# upper layer *remove* a file? It cannot. It can only hide the file: a file called `.wh.NAME` (a *whiteout*) means that
# NAME, a file or a whole folder, is hidden from here on. These are the rules, from the specification of the Open
# Container Initiative:
#
# 1. A whiteout hides files in **lower** layers, and nothing in its own layer.
# 2. `var/.wh.cache` hides the folder `var/cache` with everything in it, but not `var/cache.conf`.
# 3. The whiteout itself is not visible.
#
# Predict: which files does a container with these four layers see, and how many MB are they? How many MB must you
# download?
#
# ### Exercise 1: what the container sees


# %% name="seen" tags=["exercise"]
def seen(layers):
    """The files that a container sees.

    Args:
      layers: list of dicts from path ("var/cache/a.deb") to anything; the lowest layer first. A path whose last part
        begins with ".wh." is a whiteout.

    Returns:
      A dict from path to what the uppermost layer that counts has there.
    """
    # BEGIN SOLUTION Exercise 1: go up the pile; in each layer first hide what its whiteouts name, then add its files.
    files = {}
    for layer in layers:
        hidden = [path.replace(".wh.", "") + "/" for path in layer if ".wh." in path]
        files = {path: it for path, it in files.items() if not any(f"{path}/".startswith(name) for name in hidden)}
        files |= {path: it for path, it in layer.items() if ".wh." not in path}
    return files
    # END SOLUTION


# %% name="seen-check" tags=["check"] exercise="seen"
check(
    "of two files with one path, the upper one",
    lambda: seen([{"a": 1, "b/c": 2}, {"b/c": 30, "b/d": 4}]),
    {"a": 1, "b/c": 30, "b/d": 4},
    mistakes={
        "The lower file won. Who looks from above sees the upper one.": {"a": 1, "b/c": 2, "b/d": 4},
        "Only the uppermost layer is there. What it does not change is still seen through it.": {"b/c": 30, "b/d": 4},
    },
)
check(
    "a whiteout hides a file",
    lambda: seen([{"app/key": 5, "app/serve": 7}, {"app/.wh.key": 0}]),
    {"app/serve": 7},
    mistakes={
        "The whiteout itself is seen. It is a note for whoever builds the view, not a file of the container.": {
            "app/serve": 7,
            "app/.wh.key": 0,
        },
        "Nothing was hidden, and the whiteout is seen as a file. `.wh.key` means: `key` is gone.": {
            "app/key": 5,
            "app/serve": 7,
            "app/.wh.key": 0,
        },
        "Nothing was hidden. `.wh.key` means that `key`, in the same folder, is gone.": {"app/key": 5, "app/serve": 7},
    },
)
check(
    "a whiteout hides a folder, and nothing that is only called alike",
    lambda: seen([{"var/cache/a": 1, "var/cache/b/c": 2, "var/cache.conf": 3}, {"var/.wh.cache": 0}]),
    {"var/cache.conf": 3},
    mistakes={
        "The folder's files are still seen. What is hidden may be a folder: all paths that begin with it and a slash.": {
            "var/cache/a": 1,
            "var/cache/b/c": 2,
            "var/cache.conf": 3,
        },
        "`var/cache.conf` is gone too. It begins with the same letters, but is not in the folder: mind the slash.": {},
    },
)
check(
    "a whiteout hides nothing in its own layer",
    lambda: seen([{"log/old": 1}, {"log/new": 2, ".wh.log": 0}]),
    {"log/new": 2},
    mistakes={
        "The file of the same layer was hidden as well. Hide first, then add the layer's own files.": {},
    },
)

# %% name="seen-overlay" tags=["hidden-test"] exercise="seen" points=2 hint="Go up the pile: hide what the layer's whiteouts name, then add its files, so that upper files replace lower ones."
n = [int(number) for number in inputs.permutation(90)[:8]]
below = {"etc/os": n[0], "app/a.py": n[1], "app/sub/b.py": n[2]}
report(
    seen([below, {"app/a.py": n[3], "lib": n[4]}, {"app/.wh.a.py": 0, "etc/.wh.os": 0, "app/c.py": n[5]}]),
    mistakes={
        "The whiteout itself is seen. It is a note for whoever builds the view, not a file of the container.": lambda: {
            "app/sub/b.py": n[2],
            "lib": n[4],
            "app/c.py": n[5],
            "app/.wh.a.py": 0,
            "etc/.wh.os": 0,
        },
        "Nothing was hidden, and the whiteout is seen as a file. `.wh.key` means: `key` is gone.": lambda: {
            **below,
            "app/a.py": n[3],
            "lib": n[4],
            "app/c.py": n[5],
            "app/.wh.a.py": 0,
            "etc/.wh.os": 0,
        },
    },
)
report(
    seen([below, {"app/a.py": n[6], "etc/os": n[7]}]),
    mistakes={
        "The lower file won. Who looks from above sees the upper one.": lambda: below,
    },
)

# %% name="seen-whiteouts" tags=["hidden-test"] exercise="seen" points=2 hint="A whiteout hides the path itself and all that begins with it and a slash, in lower layers only."
n = [int(number) for number in inputs.permutation(90)[:6]]
folder = inputs.choice(["cache", "tmp", "log"])
pile = [
    {f"var/{folder}/x": n[0], f"var/{folder}/y/z": n[1], f"var/{folder}s": n[2], "keep": n[3]},
    {f"var/{folder}/fresh": n[4], f"var/.wh.{folder}": 0},
    {"more": n[5]},
]
report(
    seen(pile),
    mistakes={
        "The folder's files are still seen. What is hidden may be a folder: all paths that begin with it and a slash.": lambda: {
            **pile[0],
            f"var/{folder}/fresh": n[4],
            "more": n[5],
        },
        "`var/cache.conf` is gone too. It begins with the same letters, but is not in the folder: mind the slash.": lambda: {
            "keep": n[3],
            f"var/{folder}/fresh": n[4],
            "more": n[5],
        },
        "The file of the same layer was hidden as well. Hide first, then add the layer's own files.": lambda: {
            f"var/{folder}s": n[2],
            "keep": n[3],
            "more": n[5],
        },
        "Nothing was hidden, and the whiteout is seen as a file. `.wh.key` means: `key` is gone.": lambda: {
            **pile[0],
            **pile[1],
            **pile[2],
        },
    },
)

# %% name="unseen" tags=["demo"]
with skip_if_unfinished():
    view = seen(LAYERS)
    travels, visible = sum(sum(layer.values()) for layer in LAYERS), sum(view.values())
    print(f"the container sees {visible} MB: {', '.join(view)}")
    print(f"but {travels} MB travel; {travels - visible} MB of them nobody can see, the key among them")

# %% [markdown]
# Anyone who has the image has its layers, and can open each layer separately: **a secret that was deleted is a secret
# that was published.** And deleting makes an image larger, never smaller. This leads to three habits:
#
# * Copy files by name. `COPY . /app` also copies the `.git` folder and the key.
# * Remove temporary files in the *same* instruction that created them.
# * Better: build in one **stage**, and copy only the results into a second. The first stage is not shipped at all.
#
# ```
# FROM python:3.12-slim AS build          the compiler, the caches, the headers: all stay here
# RUN ...
# FROM python:3.12-slim                   begins a new stage
# COPY --from=build /opt/venv /opt/venv   takes the results only
# ```
#
# ## 2. A name that cannot change its meaning
#
# `python:3.12-slim` is a **tag**: a sticky note that the owners move to each new build, every few weeks. If you build
# on it today and again next month, you get two different images from the same Dockerfile. The other kind of name is
# computed from the content: the **digest** `sha256:HEX` is the SHA-256 of its bytes. Different content always has a
# different digest. So nobody can move a digest, and if you receive the bytes, you can check them without trusting the
# sender.

# %% name="pinning" tags=["demo"]
images.names()

# %% [markdown]
# A reference can look like this:
#
# | reference | what decides |
# |---|---|
# | `python` | the tag `latest`, since none is given |
# | `python:3.12-slim` | the tag |
# | `localhost:5000/python` | the tag `latest`: the first colon belongs to the port of the registry |
# | `python@sha256:2f…` | the digest |
# | `python:3.12-slim@sha256:2f…` | **the digest**; the tag is for human readers |
#
# ### Exercise 2: pull
#
# Find the digest, get its bytes from the store, and compare: `hashlib.sha256(data).hexdigest()` must be the part after
# `sha256:`. If it is not, raise ValueError with a helpful message.


# %% name="pull" tags=["exercise"]
def pull(reference, tags, store):
    """What a reference names, checked.

    Args:
      reference: NAME, NAME:TAG, NAME@sha256:HEX or NAME:TAG@sha256:HEX. A NAME may begin with HOST:PORT/.
      tags: dict from "NAME:TAG" to the digest "sha256:HEX" that the tag stands at today.
      store: dict from digest to the bytes that the registry sends for it, whatever they are.

    Returns:
      The bytes.

    Raises:
      ValueError: what was sent has another digest than what was requested.
    """
    # BEGIN SOLUTION Exercise 2: take the digest of the reference, or else of its tag; compare what the store sends.
    name, _, digest = reference.partition("@")
    if not digest:
        digest = tags[name if ":" in name.rpartition("/")[2] else name + ":latest"]
    sent = store[digest]
    if "sha256:" + hashlib.sha256(sent).hexdigest() != digest:
        raise ValueError(f"{reference}: the registry sent something else. Do not use it.")
    return sent
    # END SOLUTION


# %% name="registry"
def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def pulled(pull, reference, tags, store):
    """Return the result of a pull, in words."""
    try:
        return pull(reference, tags, store).decode()
    except ValueError:
        return "refused"
    except KeyError as error:
        return f"requested {error}, which is not there"


# %% name="pull-check" tags=["check"] exercise="pull"
old, new, bad = b"Python, as of May", b"Python, as of June", b"Python, with a guest"
registry = {digest_of(old): old, digest_of(new): new}
stand_at = {
    "python:3.12": digest_of(new),
    "python:latest": digest_of(old),
    "localhost:5000/python:latest": digest_of(new),
}
check(
    "a tag, and no tag",
    lambda: [pulled(pull, reference, stand_at, registry) for reference in ("python:3.12", "python")],
    ["Python, as of June", "Python, as of May"],
    mistakes={
        "Without a tag, the tag `latest` is meant.": ["Python, as of June", "requested 'python', which is not there"],
        "Everything is refused: the digest begins with `sha256:`, and `hexdigest()` does not.": ["refused", "refused"],
    },
)
check(
    "a digest decides, whatever tag stands next to it",
    lambda: pulled(pull, f"python:3.12@{digest_of(old)}", stand_at, registry),
    "Python, as of May",
    mistakes={
        "The tag decided. Where there is a digest it alone counts: the tag may stand elsewhere today.": "Python, as of June",
    },
)
check(
    "a port is not a tag",
    lambda: pulled(pull, "localhost:5000/python", stand_at, registry),
    "Python, as of June",
    mistakes={
        "`5000/python` was taken for a tag. A tag stands behind the last slash.": "requested 'localhost:5000/python', which is not there",
    },
)
check(
    "what was sent is compared",
    lambda: pulled(pull, f"python@{digest_of(old)}", stand_at, registry | {digest_of(old): bad}),
    "refused",
    mistakes={
        "What the registry sent was not compared with what was requested. That is the point of a digest.": "Python, with a guest",
    },
)

# %% name="pull-names" tags=["hidden-test"] exercise="pull" points=2 hint="partition('@') gives name and digest. Without a digest look up the tag; it stands behind the last slash, or is latest."
contents = [f"content {number}".encode() for number in inputs.permutation(1000)[:3]]
shelf = {digest_of(data): data for data in contents}
host = inputs.choice(["localhost:5000", "registry.example:443"])
notes = dict(zip([f"{host}/app:1", f"{host}/app:latest", "app:latest"], map(digest_of, contents), strict=True))
names = [
    f"{host}/app:1",
    f"{host}/app",
    "app",
    f"{host}/app:1@{digest_of(contents[2])}",
    f"app@{digest_of(contents[1])}",
]
report(
    [pulled(pull, reference, notes, shelf) for reference in names],
    mistakes={
        "The tag decided. Where there is a digest it alone counts: the tag may stand elsewhere today.": lambda: [
            contents[i].decode() for i in (0, 1, 2, 0, 2)
        ],
        "`5000/python` was taken for a tag. A tag stands behind the last slash.": lambda: [
            contents[0].decode(),
            f"requested '{host}/app', which is not there",
            *(contents[i].decode() for i in (2, 2, 1)),
        ],
        "Without a tag, the tag `latest` is meant.": lambda: [
            contents[0].decode(),
            f"requested '{host}/app', which is not there",
            "requested 'app', which is not there",
            *(contents[i].decode() for i in (2, 1)),
        ],
        "Everything is refused: the digest begins with `sha256:`, and `hexdigest()` does not.": ["refused"] * 5,
    },
)

# %% name="pull-compared" tags=["hidden-test"] exercise="pull" points=2 hint="Compare the SHA-256 of what was sent with the digest, by tag too, and raise ValueError if they differ."
data = f"content {inputs.integers(high=1000)}".encode()
bent = {digest_of(data): data + b" and more"}
report(
    [pulled(pull, reference, {"app:latest": digest_of(data)}, bent) for reference in (f"app@{digest_of(data)}", "app")]
    + [pulled(pull, f"app@{digest_of(data)}", {}, {digest_of(data): data})],
    mistakes={
        "What the registry sent was not compared with what was requested. That is the point of a digest.": lambda: [
            f"{data.decode()} and more",
            f"{data.decode()} and more",
            data.decode(),
        ],
        "Everything is refused: the digest begins with `sha256:`, and `hexdigest()` does not.": ["refused"] * 3,
    },
)

# %% [markdown]
# The same idea pins Python packages. A **lock file** names one version of every package, including the packages that
# yours depend on, and the hashes of the files:
#
# ```
# jax==0.10.2 \
#     --hash=sha256:724d73c4… \
#     --hash=sha256:bf77428a…
# ```
#
# `pip install --require-hashes -r requirements.lock` does what your `pull` does: a file with another hash is refused. A
# version number alone does not protect you if somebody has taken over the account that publishes the package.
#
# ## 3. A Dockerfile is a list of instructions
#
# Here is the one that the lab begins with (and that many projects end with). It works.

# %% name="bad-dockerfile"
BAD = r"""FROM python:latest
COPY . /app
WORKDIR /app
RUN apt-get update && apt-get install -y build-essential curl
RUN pip install jax numpy safetensors
EXPOSE 8000
CMD python serve.py
"""

# %% [markdown]
# Predict: what is wrong with it? Five things at least. Write them down; section 4 has the answer.
#
# A program that judges a Dockerfile must first parse it. The grammar is small:
#
# * An instruction is a name and the rest of its line. Upper and lower case do not matter in names: `from` is `FROM`.
# * If a line ends with a backslash, the instruction continues on the next line. The parts are joined, with one space
#   between them.
# * Blank lines, and lines whose first visible character is `#`, are skipped, **also between the parts of an
#   instruction**. A `#` later in a line is not a comment: `RUN echo '#1'` prints `#1`.
#
# People must find the instruction again in the file. So each instruction also has a line number: that of the line where
# it begins.
#
# ### Exercise 3: take it apart


# %% name="instructions" tags=["exercise"] forbids=["minitorch_course.labs.docker.dockerfile.read"]
def instructions(text):
    r"""The instructions of a Dockerfile.

    Args:
      text: the whole file.

    Returns:
      A list of tuples (line, NAME, rest): int from 1, text in capitals, text without blanks at its ends:
      "run a \\\n  b" gives [(1, "RUN", "a b")].
    """
    # BEGIN SOLUTION Exercise 3: collect the parts of an instruction; when a line has no backslash at its end, it is whole.
    found, parts = [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if not parts:
            first = number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append((first, name.upper(), rest.strip()))
            parts = []
    return found
    # END SOLUTION


# %% name="instructions-check" tags=["check"] exercise="instructions"
check(
    "names, rests and line numbers",
    lambda: instructions("# a model\n\nfrom python:3.12\nUSER  10001\n"),
    [(3, "FROM", "python:3.12"), (4, "USER", "10001")],
    mistakes={
        "Names may be written in small letters, and mean the same: give them in capitals.": [
            (3, "from", "python:3.12"),
            (4, "USER", "10001"),
        ],
        "Lines are counted from 1, as editors do.": [(2, "FROM", "python:3.12"), (3, "USER", "10001")],
        "The numbers are those of the file without its comments and blank lines. Count all lines.": [
            (1, "FROM", "python:3.12"),
            (2, "USER", "10001"),
        ],
    },
)
check(
    "an instruction goes on after a backslash",
    lambda: instructions("RUN a \\\n    && b \\\n    && c\nCMD d"),
    [(1, "RUN", "a && b && c"), (4, "CMD", "d")],
    mistakes={
        "Each line became an instruction. A backslash at the end of a line joins it to the next.": [
            (1, "RUN", "a \\"),
            (2, "&&", "b \\"),
            (3, "&&", "c"),
            (4, "CMD", "d"),
        ],
        "The number is that of the instruction's last line. Give the one on which it begins.": [
            (3, "RUN", "a && b && c"),
            (4, "CMD", "d"),
        ],
    },
)
check(
    "a comment in the middle of an instruction",
    lambda: instructions("RUN a \\\n  # why b\n\n  && b\nCMD c"),
    [(1, "RUN", "a && b"), (5, "CMD", "c")],
    mistakes={
        "The comment became a part of the command. Skip it there too: the instruction goes on.": [
            (1, "RUN", "a # why b"),
            (4, "&&", "b"),
            (5, "CMD", "c"),
        ],
        "The comment, or the blank line, ended the instruction. It is skipped, and the instruction goes on.": [
            (1, "RUN", "a"),
            (4, "&&", "b"),
            (5, "CMD", "c"),
        ],
    },
)
check(
    "a hash further on is not a comment",
    lambda: instructions("RUN echo '#1'"),
    [(1, "RUN", "echo '#1'")],
    mistakes={
        "The line was cut at `#`. Only a line that begins with it is a comment.": [(1, "RUN", "echo '")],
    },
)

# %% name="instructions-lines" tags=["hidden-test"] exercise="instructions" points=2 hint="enumerate(text.splitlines(), 1); skip blank lines and comments; name, _, rest = line.partition(' '); name.upper()."
gap, word = "\n" * int(inputs.integers(low=1, high=5)), inputs.choice(["alpine", "debian", "python"])
lines = [f"# {word}", f"From {word}:3{gap}", "", "  user 10001", "   # CMD no", f"CMD echo '{word} #1'"]
at = 4 + len(gap)
report(
    instructions("\n".join(lines)),
    mistakes={
        "Names may be written in small letters, and mean the same: give them in capitals.": lambda: [
            (2, "From", f"{word}:3"),
            (at, "user", "10001"),
            (at + 2, "CMD", f"echo '{word} #1'"),
        ],
        "Lines are counted from 1, as editors do.": lambda: [
            (1, "FROM", f"{word}:3"),
            (at - 1, "USER", "10001"),
            (at + 1, "CMD", f"echo '{word} #1'"),
        ],
        "The numbers are those of the file without its comments and blank lines. Count all lines.": lambda: [
            (1, "FROM", f"{word}:3"),
            (2, "USER", "10001"),
            (3, "CMD", f"echo '{word} #1'"),
        ],
        "The line was cut at `#`. Only a line that begins with it is a comment.": lambda: [
            (2, "FROM", f"{word}:3"),
            (at, "USER", "10001"),
            (at + 2, "CMD", f"echo '{word}"),
        ],
    },
)

# %% name="instructions-joined" tags=["hidden-test"] exercise="instructions" points=3 hint="Keep the parts, and the number of the first; a line without a backslash at its end makes the instruction whole."
word = inputs.choice(["jax", "numpy", "flax"])
gap = "\n" * int(inputs.integers(low=1, high=4))
text = f"FROM a\nrun pip install \\\n  {word} \\\n  # note{gap}  && rm -r x \\\n\n  && y\nUSER 5"
end = 7 + len(gap)
report(
    instructions(text),
    mistakes={
        "The number is that of the instruction's last line. Give the one on which it begins.": lambda: [
            (1, "FROM", "a"),
            (end - 1, "RUN", f"pip install {word} && rm -r x && y"),
            (end, "USER", "5"),
        ],
        "Each line became an instruction. A backslash at the end of a line joins it to the next.": lambda: [
            (1, "FROM", "a"),
            (2, "RUN", "pip install \\"),
            (3, word.upper(), "\\"),
            (4 + len(gap), "&&", "rm -r x \\"),
            (end - 1, "&&", "y"),
            (end, "USER", "5"),
        ],
        "The comment became a part of the command. Skip it there too: the instruction goes on.": lambda: [
            (1, "FROM", "a"),
            (2, "RUN", f"pip install {word} # note"),
            (4 + len(gap), "&&", "rm -r x && y"),
            (end, "USER", "5"),
        ],
        "The comment, or the blank line, ended the instruction. It is skipped, and the instruction goes on.": lambda: [
            (1, "FROM", "a"),
            (2, "RUN", f"pip install {word}"),
            (4 + len(gap), "&&", "rm -r x"),
            (end - 1, "&&", "y"),
            (end, "USER", "5"),
        ],
        "Names may be written in small letters, and mean the same: give them in capitals.": lambda: [
            (1, "FROM", "a"),
            (2, "run", f"pip install {word} && rm -r x && y"),
            (end, "USER", "5"),
        ],
        "Lines are counted from 1, as editors do.": lambda: [
            (0, "FROM", "a"),
            (1, "RUN", f"pip install {word} && rm -r x && y"),
            (end - 1, "USER", "5"),
        ],
        "The numbers are those of the file without its comments and blank lines. Count all lines.": lambda: [
            (1, "FROM", "a"),
            (2, "RUN", f"pip install {word} && rm -r x && y"),
            (6, "USER", "5"),
        ],
    },
)

# %% [markdown]
# Docker's own parser is written in Go, and the lab uses it. Does your parser agree with it, on the bad file and on a
# good one?

# %% name="good-dockerfile"
PINNED = "python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea"
GOOD = rf"""# Built here ...
FROM {PINNED} AS build
COPY requirements.lock /build/
RUN python -m venv --copies /opt/venv \
    # compare every file with the hash in the lock
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /build/requirements.lock

# ... and run here.
FROM {PINNED}
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE sbom.cdx.json serve.py ./
COPY model/ model/
USER 10001:10001
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"]
ENTRYPOINT ["/opt/venv/bin/python", "serve.py"]
"""

# %% name="docker-agrees" tags=["demo"]
from minitorch_course.labs.docker import dockerfile


def by_docker(text):
    """The line and the name of each instruction, as Docker's own parser has them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Dockerfile")
        path.write_text(text, encoding="utf-8")
        stages = dockerfile.read(path).stages
    return [row for stage in stages for row in ((stage.line, "FROM"), *((i.line, i.name) for i in stage.body))]


with skip_if_unfinished():
    for name, text in (("bad", BAD), ("good", GOOD)):
        mine = [(line, name) for line, name, _ in instructions(text)]
        print(f"the {name} file: {len(mine)} instructions; as Docker reads it: {mine == by_docker(text)}")

# %% [markdown]
# ## 4. A reviewer that never tires
#
# Some rules everybody agrees on, and everybody forgets. A program should check these. Here are three of them, and each
# has caused real break-ins and long nights:
#
# | rule | broken when | why it matters |
# |---|---|---|
# | `unpinned` | a FROM names an image without `@sha256:`. The name of an **earlier stage** (`FROM x AS build` makes `build` one) needs no pin, nor does the empty image `scratch` | tomorrow it is another image |
# | `root` | in the **last stage** USER is missing, or the last USER is `root` or `0` (only the part before a colon counts) | an attacker who gets into the server can then do much more |
# | `shell` | the start command of the last stage is not a JSON list, so it does not begin with `[`. The start command is the last ENTRYPOINT; CMD counts only without an ENTRYPOINT | section 6 |
#
# The stages before the last one are not shipped, so root and shell do not matter there. (A last stage that starts from
# an *earlier stage* inherits from it. The lab checks that; you can ignore it here.)
#
# ### Exercise 4: remarks


# %% name="remarks" tags=["exercise"]
def remarks(instructions):
    """What is wrong with a Dockerfile.

    Args:
      instructions: list of (line, NAME, rest), as exercise 3 returns it. Each file starts something in its last stage,
        and AS stands in capitals.

    Returns:
      A sorted list of (line, rule). The line is that of the FROM, the USER, or what is started; where USER is missing,
      that of the last FROM.
    """
    # BEGIN SOLUTION Exercise 4: at each FROM judge the image and forget the stage before; then judge what is left.
    found, stages = [], ["scratch"]
    for line, name, rest in instructions:
        if name == "FROM":
            image, _, stage = rest.partition(" AS ")
            if image not in stages and "@sha256:" not in image:
                found.append((line, "unpinned"))
            stages.append(stage)
            last = {"USER": (line, "root")}
        last[name] = line, rest
    line, user = last["USER"]
    if user.split(":")[0] in ("root", "0"):
        found.append((line, "root"))
    line, command = last.get("ENTRYPOINT") or last["CMD"]
    if not command.startswith("["):
        found.append((line, "shell"))
    return sorted(found)
    # END SOLUTION


# %% name="remarks-check" tags=["check"] exercise="remarks"
pin = "python@sha256:" + "2f" * 32
start = (9, "CMD", '["serve"]')
check(
    "a tag is not a pin, an earlier stage needs none",
    lambda: remarks(
        [
            (1, "FROM", f"{pin} AS base"),
            (2, "FROM", "base AS build"),
            (3, "FROM", "python:3.12"),
            (4, "USER", "5"),
            start,
        ]
    ),
    [(3, "unpinned")],
    mistakes={
        "The name of an earlier stage was called unpinned. It is made a few lines above: remember what follows AS.": [
            (2, "unpinned"),
            (3, "unpinned"),
        ],
        "A tag was taken for a pin. Only a digest, `@sha256:`, cannot be moved.": [(2, "unpinned")],
        "A tag was taken for a pin, and nothing is said. Only a digest, `@sha256:`, cannot be moved.": [],
    },
)
check(
    "the user of the last stage, the last one named",
    lambda: [
        remarks([(1, "FROM", f"{pin} AS build"), (2, "USER", "5"), (3, "FROM", pin), start]),
        remarks([(1, "FROM", pin), (2, "USER", "5"), (3, "USER", "root"), start]),
    ],
    [[(3, "root")], [(3, "root")]],
    mistakes={
        "The USER of an earlier stage was counted. Only the last stage is shipped: start again at each FROM.": [
            [],
            [(3, "root")],
        ],
        "The first USER was counted. Each one replaces the one before: the last holds.": [[(3, "root")], []],
        "A missing USER is not named. Then the image runs as root: give the line of the last FROM.": [
            [],
            [(3, "root")],
        ],
    },
)
check(
    "root by its number, and groups",
    lambda: [remarks([(1, "FROM", pin), (2, "USER", user), start]) for user in ("0", "10001:0", "root:staff")],
    [[(2, "root")], [], [(2, "root")]],
    mistakes={
        "The number of root is 0.": [[], [], [(2, "root")]],
        "What stands behind the colon is the group. The user stands before it.": [[(2, "root")], [(2, "root")], []],
        "`root:staff` was not seen to be root: the user is what stands before the colon.": [[(2, "root")], [], []],
    },
)
check(
    "ENTRYPOINT is what is started, CMD if there is none",
    lambda: [
        remarks([(1, "FROM", pin), (2, "USER", "5"), (3, "ENTRYPOINT", '["serve"]'), (4, "CMD", "--port 80")]),
        remarks([(1, "FROM", pin), (2, "USER", "5"), (3, "ENTRYPOINT", "serve"), start]),
        remarks([(1, "FROM", pin), (2, "USER", "5"), (3, "CMD", "serve")]),
    ],
    [[], [(3, "shell")], [(3, "shell")]],
    mistakes={
        "CMD was judged though there is an ENTRYPOINT. With one, CMD holds only its arguments.": [
            [(4, "shell")],
            [],
            [(3, "shell")],
        ],
        "Both were judged. With an ENTRYPOINT, CMD holds only its arguments.": [
            [(4, "shell")],
            [(3, "shell")],
            [(3, "shell")],
        ],
        "CMD was never judged. It is what is started where there is no ENTRYPOINT.": [[], [(3, "shell")], []],
    },
)

# %% name="remarks-base" tags=["hidden-test"] exercise="remarks" points=2 hint="Remember the names behind AS. An image that is none of them, nor scratch, needs @sha256: in it."
stage, tag = inputs.choice(["build", "wheels", "base"]), f"python:3.{inputs.integers(low=9, high=14)}"
digest = "debian@sha256:" + f"{inputs.integers(low=1000, high=9999)}" * 16
k = int(inputs.integers(low=2, high=9))
file = [(1, "FROM", f"{digest} AS {stage}"), (k, "FROM", f"{tag} AS other"), (k + 1, "FROM", tag)]
file += [(k + 2, "FROM", f"{stage} AS more"), (k + 3, "FROM", "scratch"), (k + 4, "USER", "7"), (k + 5, "CMD", "[]")]
report(
    remarks(file),
    mistakes={
        "The name of an earlier stage was called unpinned. It is made a few lines above: remember what follows AS.": lambda: [
            (k, "unpinned"),
            (k + 1, "unpinned"),
            (k + 2, "unpinned"),
        ],
        "A tag was taken for a pin, and nothing is said. Only a digest, `@sha256:`, cannot be moved.": [],
    },
)

# %% name="remarks-started" tags=["hidden-test"] exercise="remarks" points=3 hint="At each FROM start again; keep the last USER, ENTRYPOINT and CMD of the last stage, and look at these."
base = "debian@sha256:" + f"{inputs.integers(low=1000, high=9999)}" * 16
k = int(inputs.integers(low=4, high=9))
build = [(1, "FROM", f"{base} AS build"), (2, "USER", "1000"), (3, "ENTRYPOINT", "make"), (k, "FROM", base)]
runs = [
    [(k + 1, "CMD", '["a"]')],
    [(k + 1, "USER", "5:0"), (k + 2, "CMD", "a")],
    [(k + 1, "USER", "5"), (k + 2, "USER", "0:5"), (k + 3, "ENTRYPOINT", '["a"]'), (k + 4, "CMD", "b")],
    [(k + 1, "USER", "root"), (k + 2, "USER", "5"), (k + 3, "ENTRYPOINT", "a"), (k + 4, "CMD", '["b"]')],
    [(k + 1, "CMD", "a"), (k + 2, "USER", "0")],
]
report(
    [remarks(build + run) for run in runs],
    mistakes={
        "The USER of an earlier stage was counted. Only the last stage is shipped: start again at each FROM.": lambda: [
            [],
            [(k + 2, "shell")],
            [(k + 2, "root")],
            [(k + 3, "shell")],
            [(k + 1, "shell"), (k + 2, "root")],
        ],
        "The first USER was counted. Each one replaces the one before: the last holds.": lambda: [
            [(k, "root")],
            [(k + 2, "shell")],
            [],
            [(k + 1, "root"), (k + 3, "shell")],
            [(k + 1, "shell"), (k + 2, "root")],
        ],
        "The number of root is 0.": lambda: [
            [(k, "root")],
            [(k + 2, "shell")],
            [],
            [(k + 3, "shell")],
            [(k + 1, "shell")],
        ],
        "CMD was judged though there is an ENTRYPOINT. With one, CMD holds only its arguments.": lambda: [
            [(k, "root")],
            [(k + 2, "shell")],
            [(k + 2, "root"), (k + 4, "shell")],
            [],
            [(k + 1, "shell"), (k + 2, "root")],
        ],
    },
)

# %% name="review" tags=["demo"]
with skip_if_unfinished():
    for name, text in (("bad", BAD), ("good", GOOD)):
        found = remarks(instructions(text))
        print(f"the {name} file:", ", ".join(f"Dockerfile:{line}: {rule}" for line, rule in found) or "no remarks")

# %% [markdown]
# Besides these three, there is more to find: `COPY .` copies everything, the compiler is shipped, `pip install` takes
# the versions of the day, pip's cache stays in a layer, and a health check is missing. The lab has twelve rules, and
# the linter `hadolint` has dozens. It works the same way: it parses the file, then calls a function for each rule.
#
# ## 5. What is in it?
#
# On 9 December 2021 a vulnerability in a logging library, log4j, became public: anyone who could make a server log a
# certain line of text could run programs on it. The question was not how to fix it (install a newer version), but
# *where do we have it?* Nobody had a list: nobody writes down a library of a library of a library. A **bill of
# materials** is that list. A program writes it when the image is built, and it is shipped in the image. This is
# CycloneDX, one of the two common formats (the other is SPDX):

# %% name="bill"
BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {"type": "library", "name": "jax", "version": "0.10.2", "purl": "pkg:pypi/jax@0.10.2"},
        {"type": "library", "name": "ml_dtypes", "version": "0.6.0", "purl": "pkg:pypi/ml-dtypes@0.6.0"},
        {"type": "library", "name": "log4j-core", "version": "2.9.1", "purl": "pkg:maven/log4j-core@2.9.1"},
        {"type": "library", "name": "xz-utils", "version": "5.6.2", "purl": "pkg:deb/xz-utils@5.6.2"},
    ],
}
ADVISORIES = [  # Name, the first version with the hole, the version that fixes it.
    ("log4j-core", "2.0", "2.15.0"),
    ("xz-utils", "5.6.0", "5.6.2"),
    ("ML.Dtypes", "0.5.9", "0.6.1"),  # An invented one.
]

# %% [markdown]
# An advisory names a library, the first vulnerable version, and the version that fixes it: a version $v$ is affected if
# $\text{first} \le v < \text{fixed}$. There are two traps:
#
# * Versions are numbers between dots, and are compared number by number: 2.9.1 is *before* 2.15.0. Compared as text, it
#   comes after 2.15.0, since `"9" > "1"`. Python compares lists of ints correctly: `[2, 9, 1] < [2, 15, 0]`.
# * The name of a library can be spelled in several ways. `-`, `_` and `.` mean the same, and so do capital and small
#   letters (for Python packages this is a standard, PEP 503).
#
# Predict: which of the four components above are affected?
#
# ### Exercise 5: is it ours?


# %% name="affected" tags=["exercise"]
def affected(components, advisories):
    """The components that an advisory is about.

    Args:
      components: list of dicts with "name", "version" ("2.9.1") and "purl".
      advisories: list of (name, first, fixed): the first version with the hole, and the one without it.

    Returns:
      The list of their "purl", in the order of the components, each once.
    """

    # BEGIN SOLUTION Exercise 5: compare names without regard to case and to - _ . and versions number by number.
    def plain(name):
        return re.sub("[-_.]", "-", name.lower())

    def numbers(version):
        return [int(number) for number in version.split(".")]

    def has(component, name, first, fixed):
        version = numbers(component["version"])
        same = plain(component["name"]) == plain(name)
        return same and version >= numbers(first) and version < numbers(fixed)

    return [c["purl"] for c in components if any(has(c, *advisory) for advisory in advisories)]
    # END SOLUTION


# %% name="component"
def component(name, version):
    return {"type": "library", "name": name, "version": version, "purl": f"{name}@{version}"}


# %% name="affected-check" tags=["check"] exercise="affected"
versions = ["1.9.9", "2.0", "2.9.1", "2.10", "2.15.0", "10.0"]
check(
    "from the first, up to the one that is fixed",
    lambda: affected([component("log", version) for version in versions], [("log", "2.0", "2.15.0")]),
    ["log@2.0", "log@2.9.1", "log@2.10"],
    mistakes={
        "Versions were compared as text, where 2.9 comes after 2.15. Compare lists of ints.": [
            "log@2.0",
            "log@2.10",
        ],
        "The version that fixes the hole was called affected: it is the first that is not.": [
            "log@2.0",
            "log@2.9.1",
            "log@2.10",
            "log@2.15.0",
        ],
        "The first version with the hole has it: >=, not >.": ["log@2.9.1", "log@2.10"],
        "Versions before the first with the hole were called affected.": [
            "log@1.9.9",
            "log@2.0",
            "log@2.9.1",
            "log@2.10",
        ],
        "Later versions were called affected as well.": ["log@2.0", "log@2.9.1", "log@2.10", "log@2.15.0", "log@10.0"],
    },
)
check(
    "one name, many spellings",
    lambda: affected(
        [
            component(name, "1.5")
            for name in ("ml_dtypes", "ML.Dtypes", "ml-dtypes", "Ml-Dtypes", "dtypes", "ml-dtypes-cpu")
        ],
        [("ml-dtypes", "1.0", "2.0")],
    ),
    ["ml_dtypes@1.5", "ML.Dtypes@1.5", "ml-dtypes@1.5", "Ml-Dtypes@1.5"],
    mistakes={
        "Names were compared letter by letter. ml_dtypes, ML.Dtypes and ml-dtypes are one library.": ["ml-dtypes@1.5"],
        "`-`, `_` and `.` in names mean the same.": ["ml-dtypes@1.5", "Ml-Dtypes@1.5"],
        "Capital and small letters in names mean the same.": ["ml_dtypes@1.5", "ml-dtypes@1.5"],
        "A name that only contains the other one is another library.": [
            "ml_dtypes@1.5",
            "ML.Dtypes@1.5",
            "ml-dtypes@1.5",
            "Ml-Dtypes@1.5",
            "ml-dtypes-cpu@1.5",
        ],
    },
)

# %% name="affected-versions" tags=["hidden-test"] exercise="affected" points=3 hint="[int(number) for number in version.split('.')], and first <= version < fixed."
m = int(inputs.integers(low=2, high=5))
names = [f"{m}.8", f"{m}.9.4", f"{m}.9.30", f"{m}.10.2", f"{m}.11", f"{m + 9}.10"]
shelf = [component("lib", version) for version in names]
report(
    affected(shelf, [("lib", f"{m}.9.4", f"{m}.11")]),
    mistakes={
        "The version that fixes the hole was called affected: it is the first that is not.": lambda: [
            f"lib@{version}" for version in names[1:5]
        ],
        "The first version with the hole has it: >=, not >.": lambda: [f"lib@{version}" for version in names[2:4]],
        "Versions before the first with the hole were called affected.": lambda: [
            f"lib@{version}" for version in names[:4]
        ],
        "Later versions were called affected as well.": lambda: [f"lib@{version}" for version in names[1:]],
        "Versions were compared as text, where 2.9 comes after 2.15. Compare lists of ints.": lambda: [
            f"lib@{version}" for version in names if f"{m}.9.4" <= version < f"{m}.11"
        ],
    },
)

# %% name="affected-names" tags=["hidden-test"] exercise="affected" points=2 hint="Small letters, and one of - _ . for all three, in both names."
word = inputs.choice(["flax", "optax", "numpy"])
names = [f"{word}_io.x", f"{word.upper()}-IO-x", f"{word}.io_X", word, f"{word}-io-x-y"]
report(
    affected(
        [component(name, "1.5") for name in names], [(f"{word}-io_X", "1.0", "2.0"), (f"{word}.IO-x", "1.4", "1.6")]
    ),
    mistakes={
        "Names were compared letter by letter. ml_dtypes, ML.Dtypes and ml-dtypes are one library.": [],
        "Capital and small letters in names mean the same.": lambda: [f"{name}@1.5" for name in names[2:3]],
    },
)

# %% name="holes" tags=["demo"]
with skip_if_unfinished():
    print(affected(BILL["components"], ADVISORIES))

# %% [markdown]
# xz-utils 5.6.0 was no accident: in 2024 somebody who had helped the project for more than two years built in a back
# door. It was found because a login took half a second longer. Pins and hashes do not help against that. But it helps
# if you can find out within a minute whether you have it.
#
# ## 6. Is it alive, and does it hear you?
#
# A process that runs is not a server that answers: it may hang, or still be loading its weights. So an image can define
# its own health check, `HEALTHCHECK`. Docker runs it at regular intervals, and keeps a state:
#
# * It begins as `starting`.
# * A good answer makes it `healthy`, at once, from any state.
# * A bad answer is counted. `retries` bad answers **in a row** (a good one in between sets the count to 0) make it
#   `unhealthy`; until then the state does not change.
# * The **start period** is for loading: while the state is `starting` and fewer than `start_period` seconds have
#   passed, a bad answer is not counted. After the first good answer the start period is over, and all bad answers
#   count.
#
# ### Exercise 6: the state of health


# %% name="health" tags=["exercise"]
def health(answers, start_period, retries):
    """The state after each answer, as Docker keeps it.

    Args:
      answers: list of (seconds since the start, whether the answer was good), in order of time.
      start_period: seconds in which bad answers do not count while the container is starting.
      retries: that many bad answers in a row mean unhealthy.

    Returns:
      A list of "starting", "healthy" or "unhealthy", one for each answer.
    """
    # BEGIN SOLUTION Exercise 6: keep the state and the number of bad answers in a row; return all states.
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good:
            state, failures = "healthy", 0
        elif state != "starting" or seconds >= start_period:
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states
    # END SOLUTION


# %% name="health-check" tags=["check"] exercise="health"
def letters(states):
    """The states by their first letters, since they are many."""
    return " ".join(state[:1] for state in states)


def asked(pattern, every=10):
    """Answers every ten seconds: + is good, - is bad."""
    return [(every * i, sign == "+") for i, sign in enumerate(pattern, 1)]


check(
    "three bad ones in a row (s, h, u: starting, healthy, unhealthy)",
    lambda: letters(health(asked("+--+---+"), 0, 3)),
    "h h h h h h u h",
    mistakes={
        "A good answer did not set the count back. They must be bad in a row.": "h h h h u u u h",
        "One bad answer too few: unhealthy comes with number `retries`.": "h h u h h u u h",
        "One bad answer too many: unhealthy comes with number `retries`.": "h h h h h h h h",
        "Once unhealthy, always unhealthy? A good answer makes it healthy again.": "h h h h h h u u",
        "One bad answer was enough. Only `retries` of them in a row are.": "h u u h u u u h",
    },
)
check(
    "the start period: 35 seconds to load",
    lambda: letters(health(asked("---" + "---"), 35, 3)),
    "s s s s s u",
    mistakes={
        "Bad answers of the start period were counted.": "s s u u u u",
        "All bad answers while starting were forgiven. After start_period seconds they count.": "s s s s s s",
        "The first bad answer after the start period was enough. Count them from there.": "s s s u u u",
    },
)
check(
    "after the first good answer the start is over",
    lambda: letters(health(asked("+---"), 1000, 3)),
    "h h h u",
    mistakes={
        "The start period went on after a good answer. It is for a container that is still starting.": "h h h h",
    },
)
check(
    "the end of the period counts",
    lambda: letters(health(asked("--"), 20, 1)),
    "s u",
    mistakes={"Fewer than start_period seconds are forgiven. At start_period itself a bad answer counts.": "s s"},
)

# %% name="health-streak" tags=["hidden-test"] exercise="health" points=2 hint="A good answer: healthy, count 0. A bad one: count it, and at `retries` say unhealthy."
r = int(inputs.integers(low=2, high=5))
pattern = [*"+" * int(inputs.integers(high=2)), *"-" * (r - 1), "+", *"-" * (r - 1), "+", *"-" * (r + 1), "+", "-"]
count = len(pattern)
report(
    " ".join(health([(7 * i, sign == "+") for i, sign in enumerate(pattern)], 0, r)),
    mistakes={
        "Once unhealthy, always unhealthy? A good answer makes it healthy again.": lambda: " ".join(
            ["starting"] * (0 if pattern[0] == "+" else r - 1)
            + ["healthy"] * (count - 4 - (0 if pattern[0] == "+" else r - 1))
            + ["unhealthy"] * 4
        ),
        "A good answer did not set the count back. They must be bad in a row.": lambda: " ".join(
            "healthy"
            if sign == "+"
            else "unhealthy"
            if pattern[: i + 1].count("-") >= r
            else "healthy"
            if "+" in pattern[:i]
            else "starting"
            for i, sign in enumerate(pattern)
        ),
        "One bad answer was enough. Only `retries` of them in a row are.": lambda: " ".join(
            "healthy" if sign == "+" else "unhealthy" for sign in pattern
        ),
    },
)

# %% name="health-start" tags=["hidden-test"] exercise="health" points=3 hint="While starting, bad answers before start_period do not count; once healthy, all do."
p = 10 * int(inputs.integers(low=5, high=8))
slow, early = "-" * (p // 10 + 3), "--+" + "-" * 5
report(
    [
        " ".join(health([(10 * i, sign == "+") for i, sign in enumerate(given, 1)], p, retries))
        for given, retries in ((slow, 2), (early, 3))
    ],
    mistakes={
        "Bad answers of the start period were counted.": lambda: [
            " ".join(["starting"] + ["unhealthy"] * (len(slow) - 1)),
            "starting starting healthy healthy healthy unhealthy unhealthy unhealthy",
        ],
        "All bad answers while starting were forgiven. After start_period seconds they count.": lambda: [
            " ".join(["starting"] * len(slow)),
            "starting starting healthy healthy healthy unhealthy unhealthy unhealthy",
        ],
        "The start period went on after a good answer. It is for a container that is still starting.": lambda: [
            " ".join(["starting"] * (p // 10) + ["unhealthy"] * 3),
            " ".join(
                ["starting"] * 2
                + [
                    "healthy" if 10 * i < p or sum(10 * j >= p for j in range(4, i + 1)) < 3 else "unhealthy"
                    for i in range(3, 9)
                ]
            ),
        ],
        "Fewer than start_period seconds are forgiven. At start_period itself a bad answer counts.": lambda: [
            " ".join(["starting"] * (p // 10 + 1) + ["unhealthy"] * 2),
            "starting starting healthy healthy healthy unhealthy unhealthy unhealthy",
        ],
        "One bad answer was enough. Only `retries` of them in a row are.": lambda: [
            " ".join(["starting"] * (p // 10 - 1) + ["unhealthy"] * 4),
            "starting starting healthy unhealthy unhealthy unhealthy unhealthy unhealthy",
        ],
    },
)

# %% name="health-picture" tags=["demo"]
from IPython.display import display

with skip_if_unfinished():
    history = [(10 * i, sign == "+") for i, sign in enumerate("---+--+----+", 1)]
    display(images.pulse(history, health(history, 35, 3)))

# %% [markdown]
# The first three answers are bad, but they are forgiven: the weights were still loading. Two bad answers are a hiccup,
# three are an illness, and the program that manages the container (Docker Swarm, a load balancer) may replace it.
#
# ### And to stop?
#
# `docker stop` sends the signal SIGTERM to process number 1 of the container. It means: finish what you are doing, then
# end. After ten seconds comes SIGKILL, which no process can catch or ignore. Process 1 is the program that the image
# starts:

# %% name="signals" tags=["demo"]
images.shell()

# %% [markdown]
# `CMD python serve.py` is a line for a shell, so process 1 *is* a shell. (This is true for `dash`, which is `/bin/sh`
# in Debian and in the images built from it. `bash` replaces itself with the program if the line is a single command; do
# not rely on it.) The shell waits for its child, and does not forward signals. As process 1 it does not even end at
# SIGTERM, since the kernel protects process 1 from signals for which it has no handler. Ten seconds pass, and then all
# processes are killed in the middle of an answer: exit code 137, which is 128 + 9. With the JSON list
# `["python", "serve.py"]` no shell comes in between. But then Python is process 1, and it ignores SIGTERM too if it has
# no handler: a server needs `signal.signal(signal.SIGTERM, ...)`.
#
# ## 7. Proof: an image by hand
#
# An image is simpler than it seems: a few tar files, a JSON file that says how to start, and a JSON file that lists
# them all by digest. Here is one, built with nothing but Python: a server of 25 lines, a table of words in place of
# your weights, and a key that somebody deleted too late.

# %% name="image-by-hand" tags=["demo"]
SERVE = b"""
import json, os, signal, socketserver, threading
from http.server import BaseHTTPRequestHandler

NEXT = json.load(open("model/next.json"))

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        place, _, word = self.path.partition("?prompt=")
        words = [word]
        while words[-1] in NEXT and len(words) < 6:
            words.append(NEXT[words[-1]])
        known = {"/health": "ok", "/complete": " ".join(words)}
        self.send_response(200 if place in known else 404)
        self.end_headers()
        self.wfile.write(known.get(place, "no such page").encode())

    def log_message(self, *_):
        pass

server = socketserver.TCPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(server.server_address[1], flush=True)
server.serve_forever()
print("goodbye", flush=True)
"""
TABLE = json.dumps({"the": "model", "model": "reads", "reads": "a", "a": "word", "word": "and"}).encode()


def tar(files):
    """A layer: a tar file in which all times and owners are 0, so that the same files make the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def put(store, data, kind):
    """Put bytes into a store under their digest; return how a manifest names them."""
    store[digest_of(data)] = data
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest_of(data), "size": len(data)}


BLOBS = {}
piled = [
    tar({"etc/os": b"tiny", "app/key.pem": b"secret"}),
    tar({"app/serve.py": SERVE, "app/.wh.key.pem": b""}),
    tar({"app/model/next.json": TABLE}),
]
config = {
    "architecture": "amd64",
    "os": "linux",
    "config": {"Entrypoint": ["python", "serve.py"], "WorkingDir": "/app", "User": "10001:10001"},
    "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in piled]},
}
manifest = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": put(BLOBS, json.dumps(config).encode(), "config.v1+json"),
    "layers": [put(BLOBS, layer, "layer.v1.tar") for layer in piled],
}
IMAGE = put(BLOBS, json.dumps(manifest).encode(), "manifest.v1+json")["digest"]
print("the image's digest:", IMAGE)

# %% [markdown]
# This is one digest, and through the manifest it fixes every byte of every layer. Git does the same with your files,
# and you will build that in notebook 14. Now play Docker: `pull` by digest, find the visible files with `seen`, write
# them to a folder, and start the entry point.


# %% name="container-by-hand" tags=["demo"]
def fetch(digest):
    return pull(f"model@{digest}", {}, BLOBS)


def untar(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def laid_out(files, folder):
    for path, content in files.items():
        Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, path).write_bytes(content)


def ask(port, page):
    """The status and the answer of the server, or none."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", page)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""


stopped = "not started yet"
with skip_if_unfinished(), tempfile.TemporaryDirectory() as root:
    described = json.loads(fetch(IMAGE))
    files = seen([untar(fetch(layer["digest"])) for layer in described["layers"]])
    settings = json.loads(fetch(described["config"]["digest"]))["config"]
    print("files:", *sorted(files))
    laid_out(files, root)
    command = [sys.executable, *settings["Entrypoint"][1:]]  # This Python in place of the image's.
    place = Path(root, settings["WorkingDir"].strip("/"))
    server = subprocess.Popen(command, cwd=place, env={**os.environ, "PORT": "0"}, stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        print("health:", health([(1, ask(port, "/health")[0] == 200)], 60, 3))
        print("answer:", ask(port, "/complete?prompt=model")[1])
    finally:
        server.terminate()
        farewell, _ = server.communicate(timeout=10)
    stopped = f"its last words: {farewell.strip()}; exit code {server.returncode}"

# %% name="stopped" tags=["demo", "nbval-ignore-output"]
print(stopped)

# %% [markdown]
# The entry point answers, and stops when it gets the signal. And it is not a toy: if you put its parts into a folder as
# the standard says, Buildah reads this image, and shows the same three files as your `seen`. Docker adds the kernel's
# *namespaces*, so that the process sees only its own files, processes and networks, and *cgroups*, which limit its
# memory and processors. The idea of a process in its own tree of files is from 1979 (`chroot`, in Version 7 of Unix);
# jails came to FreeBSD in 2000, cgroups to Linux in 2008. Docker, in 2013, added what you did here: layers, names, and
# one line to fetch and start it. Since 2015 the format is a standard of its own, the OCI's.
#
# ### Now the lab
#
# In the lab you pack *your* model of notebook 08, with its model card, for real:
#
# ```
# minitorch lab start docker
# minitorch lab check docker
# ```
#
# The first command creates a folder with a page that says what to do, and the Dockerfile `BAD`. The second reviews it
# as often as you like. If Docker, Podman or Buildah is installed, it also builds the image and requests a completion
# from it.
#
# ## 8. Stretch: why the second build is fast
#
# Docker stores the result of each instruction in a cache. The cache key consists of the key of the previous
# instruction, the text of this one, and, for a COPY, the contents of the files that it copies. Docker takes results
# from the cache **until the first key that is new**. From there on it builds everything, since each key contains the
# previous one. So the order matters: put what changes rarely first.
#
# ### Stretch exercise: how many come from the cache?


# %% name="from_cache" tags=["exercise", "stretch"]
def from_cache(steps, before, now):
    """How many of the steps need not be run again.

    Args:
      steps: list of (text, paths): an instruction, and the files that it copies, an empty list for RUN.
      before, now: dicts from path to content, at the last build and at this one.

    Returns:
      The number of steps, from the first, that come from the cache.
    """
    # BEGIN SOLUTION Stretch exercise: count the steps before the first one that copies a file which has changed.
    count = 0
    for _, paths in steps:
        if any(before.get(path) != now.get(path) for path in paths):
            break
        count += 1
    return count
    # END SOLUTION


# %% name="from_cache-check" tags=["check", "stretch"] exercise="from_cache"
lock, code = ("COPY requirements.lock .", ["requirements.lock"]), ("COPY serve.py .", ["serve.py"])
install, base_step = ("RUN pip install -r requirements.lock", []), ("FROM python", [])
versions_of = (
    {"requirements.lock": "jax==0.10.2", "serve.py": "print(1)"},
    {"requirements.lock": "jax==0.10.2", "serve.py": "print(2)"},
)
check(
    "the lock first, then the code: only the code is copied again",
    lambda: from_cache([base_step, lock, install, code], *versions_of),
    3,
    mistakes={"That is how many must be run. Wanted are those that need not.": 1},
)
check(
    "the code first: everything is installed again",
    lambda: from_cache([base_step, code, lock, install], *versions_of),
    1,
    mistakes={
        "The install step was taken from the cache, though a step before it is new.": 3,
    },
)
check("nothing has changed", lambda: from_cache([base_step, code], versions_of[0], dict(versions_of[0])), 2)

# %% [markdown]
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | `seen` | the rules: opencontainers/image-spec, `layer.md`; in Linux itself: `fs/overlayfs/` |
# | digests and manifests | opencontainers/image-spec, `descriptor.md` and `manifest.md` |
# | `instructions` | moby/buildkit: `frontend/dockerfile/parser/parser.go` |
# | `remarks` | hadolint/hadolint: `src/Hadolint/Rule/`, a file for each rule |
# | `health` | moby/moby: `daemon/health.go`, the function `handleProbeResult` |
# | refusing a file with another hash | pypa/pip: `src/pip/_internal/utils/hashes.py` |
#
# ## References
#
# - S. Soltesz, H. Pötzl, M. Fiuczynski, A. Bavier, L. Peterson, *Container-based operating system virtualization*, 2007.
# - D. Merkel, *Docker: lightweight Linux containers for consistent development and deployment*, Linux Journal, 2014.
# - R. Shu, X. Gu, W. Enck, *A study of security vulnerabilities on Docker Hub*, 2017.
# - M. Mitchell et al., *Model cards for model reporting*, 2019.
# - Open Container Initiative, *Image format specification*, 1.0 in 2017, 1.1 in 2024.
# - OWASP, *CycloneDX*, standard ECMA-424, 2024.
# - Cyber Safety Review Board, *Review of the December 2021 Log4j event*, 2022.
# - A. Freund, *backdoor in upstream xz/liblzma leading to ssh server compromise*, on oss-security, 29 March 2024.
