# %% [markdown]
# # 14 Contributing: from a line to a merge
#
# JAX, NumPy, Linux: everything that you have used in this course was written by people who did not know each other.
# They work on the same files at the same time, in different countries, and most of them have no permission to change
# anything. Three inventions make that possible: a history that nobody can change unnoticed, a rule for merging two
# changes, and the habit of showing a change before it is merged. In this notebook you build the first two from scratch,
# and learn to see through a reviewer's eyes.
#
# **When you have finished you can**
#
# - create a commit with `hashlib` that git itself can read;
# - say why no one can change an old commit, and what a rebase really does;
# - merge two changes of one file as git does, and say what a conflict is;
# - write a test that fails on the old code, passes on the new code, and detects a wrong fix;
# - read a branch as a maintainer does, before a maintainer reads yours.
#
# ```
#   application     somebody's next version has your line in it   <- what it is for
#   MLOps           every merge runs tests, trains, measures      <- you are here: what is let in
#   hubs            GitHub, the Hub: forks, discussions
#   frameworks      JAX, PyTorch: thousands of contributors       <- and here: your first change in one
#   clusters        machines that run the tests of every branch
#   hardware        multiply, add
# ```
#
# Time: about 60 minutes, then the lab. Before: notebook 13 (digests). You need `git` on your computer, but you don't
# need to have used it before.

# %% name="imports"
import difflib
import hashlib
import os
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

from minitorch_course import check, inputs, report, setup, skip_if_unfinished

setup()

# %% [markdown]
# ## 1. Three kinds of things
#
# A repository is a store of **objects**. Each object has a name that is computed from its content. Three kinds are
# enough:
#
# | kind | holds | like |
# |---|---|---|
# | blob | the bytes of a file, and no name | a page |
# | tree | a list: name, mode, and the object there (a blob, or a tree for a folder) | a table of contents |
# | commit | one tree, the commits before it, who, when, why | an edition of the book |

# %% name="objects-picture" tags=["demo"]
from minitorch_course.figures import git_graphs

git_graphs.objects()

# %% [markdown]
# The second commit has changed one of two files. It shares the other file with the first commit: the same content has
# the same name, so it is stored only once. And see what happens if somebody changes a byte in an old file. The blob
# gets another name, so the tree that contains that name changes, so the commit changes, and so does every commit after
# it. **The name of the last commit is a seal on the whole history.** Ralph Merkle had that idea in 1979; git is one
# tree of hashes on top of another.
#
# ### The name
#
# The name is the SHA-1, in hexadecimal, of a header and the content. The header is the kind, a space, the number of
# **bytes** in decimal, and a zero byte. A file with the content `hi` has two bytes, so the name of its blob is the
# SHA-1 of `blob 2`, a zero byte, and `hi`:
#
# ```
# hashlib.sha1(b"blob 2\0hi").hexdigest()     32f95c0d1244a78b2be1bab8de17906fabb2c4a8, as `git hash-object` says
# ```
#
# Predict: how many bytes does the text `ä` have?
#
# ### Exercise 1: the name of an object


# %% name="object_id" tags=["exercise"]
def object_id(kind, content):
    """The name of an object.

    Args:
      kind: "blob", "tree" or "commit".
      content: bytes.

    Returns:
      40 hexadecimal digits, as text.
    """
    # BEGIN SOLUTION Exercise 1: the SHA-1 of the header (kind, blank, length, byte 0) and the content.
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content).hexdigest()
    # END SOLUTION


# %% name="object_id-check" tags=["check"] exercise="object_id"
check(
    "the file `hi`, as git names it",
    lambda: object_id("blob", b"hi"),
    "32f95c0d1244a78b2be1bab8de17906fabb2c4a8",
    mistakes={
        "That is the SHA-1 of the content alone. The header belongs to it.": lambda: hashlib.sha1(b"hi").hexdigest(),
        "The header has no zero byte at its end: write \\0.": lambda: hashlib.sha1(b"blob 2hi").hexdigest(),
        "The length is missing in the header.": lambda: hashlib.sha1(b"blob\0hi").hexdigest(),
        "That is SHA-256. Git's names are SHA-1.": lambda: hashlib.sha256(b"blob 2\0hi").hexdigest(),
    },
)
check(
    "two bytes, one letter",
    lambda: object_id("blob", "ä".encode()),
    lambda: hashlib.sha1(b"blob 2\0" + "ä".encode()).hexdigest(),
    mistakes={
        "The length is that of the text. Count bytes: ä has two.": lambda: hashlib.sha1(
            b"blob 1\0" + "ä".encode()
        ).hexdigest(),
    },
)
check(
    "another kind is another name",
    lambda: object_id("tree", b""),
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    mistakes={
        "The kind is always `blob`. It is the argument `kind`.": lambda: hashlib.sha1(b"blob 0\0").hexdigest(),
        "That is the SHA-1 of the content alone. The header belongs to it.": lambda: hashlib.sha1(b"").hexdigest(),
    },
)

# %% name="object_id-header" tags=["hidden-test"] exercise="object_id" points=2 hint="hashlib.sha1(f'{kind} {len(content)}\0'.encode() + content).hexdigest()"
kind, content = inputs.choice(["commit", "tree"]), b"line\n" * int(inputs.integers(low=3, high=40))
report(
    object_id(kind, content),
    mistakes={
        "That is the SHA-1 of the content alone. The header belongs to it.": lambda: hashlib.sha1(content).hexdigest(),
        "The header has no zero byte at its end: write \\0.": lambda: hashlib.sha1(
            f"{kind} {len(content)}".encode() + content
        ).hexdigest(),
        "The length is missing in the header.": lambda: hashlib.sha1(f"{kind}\0".encode() + content).hexdigest(),
        "The kind is always `blob`. It is the argument `kind`.": lambda: hashlib.sha1(
            f"blob {len(content)}\0".encode() + content
        ).hexdigest(),
    },
)

# %% name="object_id-bytes" tags=["hidden-test"] exercise="object_id" points=1 hint="len of the bytes, not of the text."
content = ("größer " * int(inputs.integers(low=2, high=30))).encode()
report(
    object_id("blob", content),
    mistakes={
        "The length is that of the text. Count bytes: ä has two.": lambda: hashlib.sha1(
            f"blob {len(content.decode())}\0".encode() + content
        ).hexdigest(),
        "That is the SHA-1 of the content alone. The header belongs to it.": lambda: hashlib.sha1(content).hexdigest(),
        "The header has no zero byte at its end: write \\0.": lambda: hashlib.sha1(
            f"blob {len(content)}".encode() + content
        ).hexdigest(),
        "The length is missing in the header.": lambda: hashlib.sha1(b"blob\0" + content).hexdigest(),
    },
)

# %% [markdown]
# ### A folder
#
# The content of a tree is a sequence of entries, with nothing between them. An entry is
#
# ```
# mode, blank, name, byte 0, the name of the object as 20 raw bytes (not as 40 digits)
# ```
#
# The mode of a file is `100644`, and the mode of a folder is `40000`. (Listings pad it to `040000`; the object does
# not.) `bytes.fromhex` turns digits into raw bytes. Entries are sorted by name, **and the name of a folder counts as if
# it ended with `/`**. So the folder `lib` comes after the files `lib-x` and `lib.txt`, since in ASCII `-` and `.` come
# before `/`. And it comes before `lib2`. The same files have the same order and the same name, on every computer.
#
# ### Exercise 2: a tree


# %% name="tree" tags=["exercise"]
def tree(entries):
    """The content of a tree object.

    Args:
      entries: dict from name to (kind, id): kind is "blob" or "tree", id has 40 hexadecimal digits.

    Returns:
      bytes.
    """

    # BEGIN SOLUTION Exercise 2: sort the names, a folder's as if it ended with /; join mode, blank, name, byte 0 and 20 raw bytes.
    def place(name):
        kind, _ = entries[name]
        return name + "/" if kind == "tree" else name

    content = b""
    for name in sorted(entries, key=place):
        kind, digits = entries[name]
        mode = "40000" if kind == "tree" else "100644"
        content += f"{mode} {name}\0".encode() + bytes.fromhex(digits)
    return content
    # END SOLUTION


# %% name="entries-shown"
def readable(content):
    """A tree's content as text: bytes outside ASCII as \\x.."""
    return ascii(content.decode("latin-1"))


A, B, C = "a1" * 20, "b2" * 20, "c3" * 20
ADA, GRACE = "Ada <ada@example.org>", "Grace <grace@example.org>"

# %% name="tree-check" tags=["check"] exercise="tree"
check(
    "one file",
    lambda: readable(tree({"a.py": ("blob", A)})),
    lambda: readable(b"100644 a.py\0" + bytes.fromhex(A)),
    mistakes={
        "The id stands there as 40 digits. Put its 20 raw bytes: bytes.fromhex.": lambda: readable(
            b"100644 a.py\0" + A.encode()
        ),
        "The byte 0 after the name is missing.": lambda: readable(b"100644 a.py" + bytes.fromhex(A)),
    },
)
check(
    "a folder",
    lambda: readable(tree({"lib": ("tree", B)})),
    lambda: readable(b"40000 lib\0" + bytes.fromhex(B)),
    mistakes={
        "The mode of a folder has five digits in the object: 40000. Only listings show 040000.": lambda: readable(
            b"040000 lib\0" + bytes.fromhex(B)
        ),
        "A folder has the mode 40000.": lambda: readable(b"100644 lib\0" + bytes.fromhex(B)),
        "The slash counts for the order only, and is not written.": lambda: readable(
            b"40000 lib/\0" + bytes.fromhex(B)
        ),
    },
)
check(
    "the order of names",
    lambda: readable(tree({"lib2": ("blob", A), "lib": ("tree", B), "lib.txt": ("blob", C)})),
    lambda: readable(
        b"100644 lib.txt\0" + bytes.fromhex(C) + b"40000 lib\0" + bytes.fromhex(B) + b"100644 lib2\0" + bytes.fromhex(A)
    ),
    mistakes={
        "The entries are as they were given. They are sorted by name.": lambda: readable(
            b"100644 lib2\0"
            + bytes.fromhex(A)
            + b"40000 lib\0"
            + bytes.fromhex(B)
            + b"100644 lib.txt\0"
            + bytes.fromhex(C)
        ),
        "The folder is sorted as `lib`. It counts as `lib/`, and so comes after `lib.txt`.": lambda: readable(
            b"40000 lib\0"
            + bytes.fromhex(B)
            + b"100644 lib.txt\0"
            + bytes.fromhex(C)
            + b"100644 lib2\0"
            + bytes.fromhex(A)
        ),
    },
)

# %% name="tree-entries" tags=["hidden-test"] exercise="tree" points=2 hint="f'{mode} {name}\0'.encode() + bytes.fromhex(id), with mode 100644 or 40000, in the order of the names."
first, second, third = (f"{number:04x}" * 10 for number in inputs.permutation(60000)[:3].tolist())
report(
    readable(tree({"m.py": ("blob", first), "z": ("tree", second), "b": ("blob", third)})),
    mistakes={
        "The id stands there as 40 digits. Put its 20 raw bytes: bytes.fromhex.": lambda: readable(
            f"100644 b\0{third}100644 m.py\0{first}40000 z\0{second}".encode()
        ),
        "The byte 0 after the name is missing.": lambda: readable(
            b"100644 b"
            + bytes.fromhex(third)
            + b"100644 m.py"
            + bytes.fromhex(first)
            + b"40000 z"
            + bytes.fromhex(second)
        ),
        "The mode of a folder has five digits in the object: 40000. Only listings show 040000.": lambda: readable(
            b"100644 b\0"
            + bytes.fromhex(third)
            + b"100644 m.py\0"
            + bytes.fromhex(first)
            + b"040000 z\0"
            + bytes.fromhex(second)
        ),
        "The entries are as they were given. They are sorted by name.": lambda: readable(
            b"100644 m.py\0"
            + bytes.fromhex(first)
            + b"40000 z\0"
            + bytes.fromhex(second)
            + b"100644 b\0"
            + bytes.fromhex(third)
        ),
    },
)

# %% name="tree-order" tags=["hidden-test"] exercise="tree" points=2 hint="Sort with a key: the name, and for a tree the name with a slash."
word = inputs.choice(["docs", "src", "tests"])
given = {f"{word}0": ("blob", A), word: ("tree", B), f"{word}-old": ("blob", C), f"{word}.md": ("blob", A)}
report(
    readable(tree(given)),
    mistakes={
        "The folder is sorted as `lib`. It counts as `lib/`, and so comes after `lib.txt`.": lambda: readable(
            b"40000 "
            + word.encode()
            + b"\0"
            + bytes.fromhex(B)
            + b"".join(
                f"100644 {word}{end}\0".encode() + bytes.fromhex(given[word + end][1]) for end in ("-old", ".md", "0")
            )
        ),
        "The entries are as they were given. They are sorted by name.": lambda: readable(
            b"".join(
                f"{'40000' if kind == 'tree' else '100644'} {name}\0".encode() + bytes.fromhex(digits)
                for name, (kind, digits) in given.items()
            )
        ),
    },
)

# %% [markdown]
# ### An edition
#
# A commit is plain text:
#
# ```
# tree 290001e02431d9c280975a6c0f9f61cbde6f3ce4
# parent 78497a71f2dc9a0ae7c81d982e408809bdfc87b0
# author Ada <ada@example.org> 1700000000 +0000
# committer Ada <ada@example.org> 1700000000 +0000
#
# Count letters once
# ```
#
# There is a `parent` line for each parent, in the order given: none for the very first commit, usually one, and two for
# a merge. The number is the time in seconds since 1970, and the time zone follows. After an empty line comes the
# message, and the text ends with a newline.
#
# Author and committer differ if somebody else adds the author's change to the history. Here they are the same.
#
# ### Exercise 3: a commit


# %% name="commit" tags=["exercise"]
def commit(tree_id, parents, who, seconds, message):
    """The content of a commit object, as text.

    Args:
      tree_id: the name of its tree.
      parents: list of the names of the commits before it; may be empty.
      who: "Name <mail>", both author and committer.
      seconds: int, the time; the zone is +0000.
      message: text without a newline at its end.
    """
    # BEGIN SOLUTION Exercise 3: the lines tree, parent (as many as there are), author, committer, an empty one, and the message.
    signature = f"{who} {seconds} +0000"
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {signature}", f"committer {signature}", "", message]
    return "\n".join(lines) + "\n"
    # END SOLUTION


# %% name="commit-check" tags=["check"] exercise="commit"
head, tail = f"tree {A}\n", f"author {ADA} 1700000000 +0000\ncommitter {ADA} 1700000000 +0000\n\nCount once\n"
check(
    "the first commit of all",
    lambda: commit(A, [], ADA, 1700000000, "Count once"),
    head + tail,
    mistakes={
        "The newline at the end is missing.": (head + tail)[:-1],
        "The empty line before the message is missing.": (head + tail).replace("\n\n", "\n"),
        "The line `committer` is missing: who puts it in is written down too.": head
        + tail.replace("committer", "author", 0).replace(f"committer {ADA} 1700000000 +0000\n", ""),
        "The time zone is missing: +0000.": (head + tail).replace(" +0000", ""),
        "The first commit has no parent, and so no line `parent`.": head + "parent \n" + tail,
    },
)
check(
    "one before it",
    lambda: commit(A, [B], ADA, 1700000000, "Count once"),
    f"{head}parent {B}\n{tail}",
    mistakes={
        "The parent is missing. Without it this would be the first commit of another history.": head + tail,
        "The parents come after the tree.": f"parent {B}\n{head}{tail}",
        "The parent's line came after the author. It comes between tree and author.": head
        + tail.replace("\n\n", f"\nparent {B}\n\n"),
    },
)
check(
    "a merge",
    lambda: commit(A, [C, B], ADA, 1700000000, "Count once"),
    f"{head}parent {C}\nparent {B}\n{tail}",
    mistakes={
        "Only the first parent is there. A merge has a line for each.": f"{head}parent {C}\n{tail}",
        "The parents are in another order than given. The first is the branch that was merged into.": f"{head}parent {B}\nparent {C}\n{tail}",
        "Both parents are in one line. Each has a line of its own.": f"{head}parent {C} {B}\n{tail}",
    },
)

# %% name="commit-text" tags=["hidden-test"] exercise="commit" points=2 hint="Join the lines tree, parent, author, committer, an empty one and the message; a newline at the end."
when, person = (
    int(inputs.integers(low=10**9, high=2 * 10**9)),
    inputs.choice(["Alan <alan@example.org>", "Grace <g@example.org>"]),
)
first, second = (f"{number:04x}" * 10 for number in inputs.permutation(60000)[:2].tolist())
text = f"tree {first}\nparent {second}\nauthor {person} {when} +0000\ncommitter {person} {when} +0000\n\nAdd a mean\n\nSee issue 4.\n"
report(
    commit(first, [second], person, when, "Add a mean\n\nSee issue 4."),
    mistakes={
        "The newline at the end is missing.": lambda: text[:-1],
        "The empty line before the message is missing.": lambda: text.replace("+0000\n\n", "+0000\n"),
        "The time zone is missing: +0000.": lambda: text.replace(" +0000", ""),
        "The parent is missing. Without it this would be the first commit of another history.": lambda: text.replace(
            f"parent {second}\n", ""
        ),
        "The line `committer` is missing: who puts it in is written down too.": lambda: text.replace(
            f"committer {person} {when} +0000\n", ""
        ),
    },
)

# %% name="commit-parents" tags=["hidden-test"] exercise="commit" points=1 hint="A line `parent` for each of the parents, in their order; none for the first commit."
several = [f"{number:04x}" * 10 for number in inputs.permutation(60000)[:3].tolist()]
report(
    [commit(A, parents, ADA, 5, "Merge").count("\n") for parents in ([], several)]
    + [commit(A, several, ADA, 5, "Merge")],
    mistakes={
        "Only the first parent is there. A merge has a line for each.": lambda: [
            5,
            6,
            f"tree {A}\nparent {several[0]}\nauthor {ADA} 5 +0000\ncommitter {ADA} 5 +0000\n\nMerge\n",
        ],
        "The parent is missing. Without it this would be the first commit of another history.": lambda: [
            5,
            5,
            f"tree {A}\nauthor {ADA} 5 +0000\ncommitter {ADA} 5 +0000\n\nMerge\n",
        ],
    },
)

# %% [markdown]
# ### Does git believe it?
#
# Git keeps an object in the file `.git/objects/ab/cdef...`, named by its id and compressed with zlib. That is all. So
# let's write your objects there by hand, name the last commit `main`, and ask git: `fsck` checks every object, and
# `log` reads the history.


# %% name="by-hand" tags=["demo"]
def git(folder, *words):
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=os.environ | alone, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip()


def write(folder, kind, content):
    """Put an object into a repository, by hand; return its name."""
    name = object_id(kind, content)
    path = Path(folder, ".git", "objects", name[:2], name[2:])
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(f"{kind} {len(content)}\0".encode() + content))
    return name


with skip_if_unfinished(), tempfile.TemporaryDirectory() as folder:
    git(folder, "init", "-q", "--object-format=sha1", ".")
    page, code = write(folder, "blob", "größer\n".encode()), write(folder, "blob", b"print(1)\n")
    docs = write(folder, "tree", tree({"guide.md": ("blob", page)}))
    one = write(folder, "tree", tree({"docs": ("tree", docs), "docs.py": ("blob", code)}))
    two = write(folder, "tree", tree({"docs": ("tree", docs)}))
    start = write(folder, "commit", commit(one, [], ADA, 1700000000, "Begin").encode())
    left = write(folder, "commit", commit(two, [start], ADA, 1700000100, "Remove the script").encode())
    right = write(folder, "commit", commit(one, [start], ADA, 1700000200, "Think again").encode())
    joined = write(folder, "commit", commit(two, [left, right], ADA, 1700000300, "Merge the thought").encode())
    git(folder, "update-ref", "refs/heads/main", joined)
    git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    print("fsck:", git(folder, "fsck", "--strict", "--no-progress") or "nothing to complain about")
    print(git(folder, "log", "--graph", "--format=%h %s"))
    print("files of main:", git(folder, "ls-tree", "-r", "--name-only", "main"))

# %% [markdown]
# Now you understand two words. A **branch** is a file of 41 bytes that contains the name of a commit. And to **rebase**
# means to create *new* commits, with the same changes and messages but with another parent. The content is different,
# so the names are different. The old commits stay in the store for a while, so `git reflog` can bring nearly everything
# back.
#
# (Isn't SHA-1 broken? In 2017 researchers created two files with the same SHA-1. It took them 6,500 CPU years and 110
# GPU years. Since then git detects and refuses such contents, and it can use SHA-256 instead.)
#
# ## 2. Two changes, one file
#
# You change a file, and somebody else, who began with the same version, changes it too. Which lines should the merged
# file have? If you compare the two versions, you only see *that* they differ. To see who changed what, you need the
# common ancestor, the **base**:
#
# | base | ours | theirs | joined | why |
# |---|---|---|---|---|
# | `import os` | `import os` | `import os` | `import os` | nobody touched it |
# | `rate = 1` | `rate = 3` | `rate = 1` | `rate = 3` | only we changed it |
# | `seed = 0` | `seed = 0` | (gone) | (gone) | only they changed it: they removed it |
# | `steps = 5` | `steps = 9` | `steps = 9` | `steps = 9` | both did the same |
# | `name = "a"` | `name = "b"` | `name = "c"` | ? | **conflict** |
#
# That is the whole rule, and it is called a *three-way merge*. If only one side has changed something, that side wins.
# A conflict is not an error: the program says that it cannot know, and a human being who knows what both wanted
# decides. Git writes both versions into the file, between marks:
#
# ```
# <<<<<<< ours
# name = "b"
# =======
# name = "c"
# >>>>>>> theirs
# ```
#
# First the three files are cut into pieces: lines that all three have, and between them the lines that somebody
# changed. You already have a function for that, `pieces(base, ours, theirs)`; each piece is three lists of lines.

# %% name="pieces"
MINE, MIDDLE, OTHER = "<<<<<<< ours", "=======", ">>>>>>> theirs"


def kept(base, other):
    """Which lines of `base` are still in `other`: a dict from the place here to the place there."""
    blocks = difflib.SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {i + n: j + n for i, j, size in blocks for n in range(size)}


def pieces(base, ours, theirs):
    """Cut three versions at the lines that all have: triples (of base, of ours, of theirs) of lists of lines."""
    mine, other = kept(base, ours), kept(base, theirs)
    found, b, o, t = [], 0, 0, 0
    for i in [i for i in range(len(base)) if i in mine and i in other] + [len(base)]:
        j, k = mine.get(i, len(ours)), other.get(i, len(theirs))
        found += [(base[b:i], ours[o:j], theirs[t:k]), (base[i : i + 1],) * 3]
        b, o, t = i + 1, j + 1, k + 1
    return [piece for piece in found if any(piece)]


# %% name="pieces-shown" tags=["demo"]
BASE = ["import os", "rate = 1", "print(rate)", "seed = 0", "run()"]
OURS = ["import os", "rate = 3", "print(rate)", "seed = 0", "run()", "save()"]
THEIRS = ["import os", "rate = 1", "print(rate)", "run()"]
for piece in pieces(BASE, OURS, THEIRS):
    print(*piece, sep="  |  ")

# %% [markdown]
# An empty list means that the piece does not exist in that version. Either the other versions added it, or this version
# removed it.
#
# ### Exercise 4: merge
#
# Apply the rule to each piece, and join the lines. For a conflict, write `MINE`, our lines, `MIDDLE`, their lines,
# `OTHER`.


# %% name="merge" tags=["exercise"]
def merge(base, ours, theirs):
    """Three versions of a file joined into one.

    Args:
      base, ours, theirs: lists of lines (without newlines): the common ancestor, and two people's versions of it.

    Returns:
      A list of lines, with marks where both have changed one piece differently.
    """
    # BEGIN SOLUTION Exercise 4: go through pieces(base, ours, theirs); who has not changed a piece has no say in it.
    joined = []
    for was, mine, other in pieces(base, ours, theirs):
        if mine == other or other == was:
            joined += mine
        elif mine == was:
            joined += other
        else:
            joined += [MINE, *mine, MIDDLE, *other, OTHER]
    return joined
    # END SOLUTION


# %% name="merge-check" tags=["check"] exercise="merge"
check(
    "each has changed another line",
    lambda: merge(["a", "b", "c", "d"], ["A", "b", "c", "d"], ["a", "b", "c", "D"]),
    ["A", "b", "c", "D"],
    mistakes={
        "Only our changes are there. Where we have changed nothing, theirs count.": ["A", "b", "c", "d"],
        "Only their changes are there. Where they have changed nothing, ours count.": ["a", "b", "c", "D"],
        "Wherever the two differ you see a conflict. Look at the base: who has not changed a piece has no say in it.": [
            MINE,
            "A",
            MIDDLE,
            "a",
            OTHER,
            "b",
            "c",
            MINE,
            "d",
            MIDDLE,
            "D",
            OTHER,
        ],
    },
)
check(
    "what one of them takes out stays out",
    lambda: merge(["a", "b", "c", "d", "e"], ["a", "c", "d", "e"], ["a", "b", "c", "e"]),
    ["a", "c", "e"],
    mistakes={
        "A line that one of them has taken out is back. To take out is a change too.": ["a", "b", "c", "d", "e"],
        "Only our changes are there. Where we have changed nothing, theirs count.": ["a", "c", "d", "e"],
        "Only their changes are there. Where they have changed nothing, ours count.": ["a", "b", "c", "e"],
    },
)
check(
    "both did the same",
    lambda: merge(["a", "b", "c"], ["a", "B", "c"], ["a", "B", "c"]),
    ["a", "B", "c"],
    mistakes={
        "Both made the same change, so there is nothing to decide.": ["a", MINE, "B", MIDDLE, "B", OTHER, "c"],
        "The change is there twice. Both made the same one: take it once.": ["a", "B", "B", "c"],
    },
)
check(
    "a conflict",
    lambda: merge(["a", "b", "c"], ["a", "x", "c"], ["a", "y", "z", "c"]),
    ["a", MINE, "x", MIDDLE, "y", "z", OTHER, "c"],
    mistakes={
        "Ours won. Both have changed the piece, and no program can know who is right: write a conflict.": [
            "a",
            "x",
            "c",
        ],
        "Theirs won. Both have changed the piece, and no program can know who is right: write a conflict.": [
            "a",
            "y",
            "z",
            "c",
        ],
        "Ours stand above the middle, theirs below it.": ["a", MINE, "y", "z", MIDDLE, "x", OTHER, "c"],
        "Both versions are there without marks, so that nobody notices. Write a conflict.": ["a", "x", "y", "z", "c"],
    },
)

# %% name="merge-clean" tags=["hidden-test"] exercise="merge" points=3 hint="If theirs is as the base, take ours; if ours is, take theirs; if both are equal, take one."
words = [f"line {number}" for number in inputs.permutation(100)[:8].tolist()]
a, b, c, d, e, f, *new = words
report(
    merge([a, b, c, d, e, f], [a, new[0], c, d, e, f], [a, b, c, e, f, new[1]]),
    mistakes={
        "Only our changes are there. Where we have changed nothing, theirs count.": lambda: [a, new[0], c, d, e, f],
        "Only their changes are there. Where they have changed nothing, ours count.": lambda: [a, b, c, e, f, new[1]],
        "A line that one of them has taken out is back. To take out is a change too.": lambda: [
            a,
            new[0],
            c,
            d,
            e,
            f,
            new[1],
        ],
        "Wherever the two differ you see a conflict. Look at the base: who has not changed a piece has no say in it.": lambda: [
            *(a, MINE, new[0], MIDDLE, b, OTHER, c),
            *(MINE, d, MIDDLE, OTHER, e, f, MINE, MIDDLE, new[1], OTHER),
        ],
    },
)
report(
    merge([a, b, c], [new[0], a, b], [new[0], a, b, c]),
    mistakes={
        "Both made the same change, so there is nothing to decide.": lambda: [
            MINE,
            new[0],
            MIDDLE,
            new[0],
            OTHER,
            a,
            b,
        ],
    },
)

# %% name="merge-conflict" tags=["hidden-test"] exercise="merge" points=2 hint="Both differ from the base and from each other: MINE, ours, MIDDLE, theirs, OTHER."
words = [f"line {number}" for number in inputs.permutation(100)[:7].tolist()]
a, b, c, *new = words
report(
    merge([a, b, c], [a, new[0], new[1], c], [a, new[2], c, new[3]]),
    mistakes={
        "Ours won. Both have changed the piece, and no program can know who is right: write a conflict.": lambda: [
            *(a, new[0], new[1], c, new[3])
        ],
        "Theirs won. Both have changed the piece, and no program can know who is right: write a conflict.": lambda: [
            *(a, new[2], c, new[3])
        ],
        "Ours stand above the middle, theirs below it.": lambda: [
            *(a, MINE, new[2], MIDDLE, new[0], new[1], OTHER, c, new[3])
        ],
        "Both versions are there without marks, so that nobody notices. Write a conflict.": lambda: [
            *(a, new[0], new[1], new[2], c, new[3])
        ],
        "Only our changes are there. Where we have changed nothing, theirs count.": lambda: [a, new[0], new[1], c],
        "Only their changes are there. Where they have changed nothing, ours count.": lambda: [a, new[2], c, new[3]],
    },
)

# %% name="merge-picture" tags=["demo"]
from IPython.display import display

with skip_if_unfinished():
    theirs = [*THEIRS[:1], "rate = 2", *THEIRS[2:]]
    display(git_graphs.joined(pieces(BASE, OURS, theirs), [merge(*piece) for piece in pieces(BASE, OURS, theirs)]))

# %% name="git-agrees" tags=["demo"]
with skip_if_unfinished(), tempfile.TemporaryDirectory() as folder:
    for name, other in (("without a conflict", THEIRS), ("with one", theirs)):
        for file, lines in (("ours", OURS), ("base", BASE), ("theirs", other)):
            Path(folder, file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        theirs_of_git = git(
            folder, "merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs", "ours", "base", "theirs"
        )
        print(f"{name}: as git merges it: {theirs_of_git.splitlines() == merge(BASE, OURS, other)}")

# %% [markdown]
# A merge without a conflict can still be wrong: for example, we call a function that they have renamed in another file.
# The lines do not touch, but the program does not run. So CI tests **the result of the merge**, not the branch.
#
# ## 3. A test first, and it must fail
#
# Here is an issue from a project with training tools:
#
# > **`moving_average` is too small at the start.** With a window of 3, the loss 4.0 at the first step is drawn as
# > 1.33. If there are fewer numbers than the window, it should be the mean of the numbers so far.


# %% name="old-code"
def old_average(losses, window):
    """The mean of the last `window` losses, at each step."""
    return [sum(losses[max(0, i - window + 1) : i + 1]) / window for i in range(len(losses))]


def new_average(losses, window):
    """The mean of the last `window` losses, or of as many as there are, at each step."""
    last = [losses[max(0, i - window + 1) : i + 1] for i in range(len(losses))]
    return [sum(some) / len(some) for some in last]


# %% name="too-small" tags=["demo"]
print([round(mean, 2) for mean in old_average([4.0, 2.0, 6.0, 1.0], 3)])

# %% [markdown]
# If you write the fix first and the test afterwards, you test what you wrote. Three things can go wrong, and each
# happens in real projects every day:
#
# * **The test passes on the old code.** Then it does not test the fix, and nobody will notice if the fix is undone.
# * **The test passes on wrong fixes.** The mean of `[1, 1, 1]` is 1, no matter which numbers you average.
# * **The test fails on a different, correct fix**, because it compares rounded numbers exactly, or the wording of a
#   message.
#
# So judge a test like a classifier: it should say *yes* to all correct programs and *no* to all wrong ones. That is the
# idea of mutation testing (DeMillo, Lipton and Sayward, 1978). The exercises of this course are tested in this way too,
# and the lab will judge your test in this way.
#
# ### Exercise 5: the test
#
# Write the test for this issue. It gets the function as its argument, calls it as often as you like, and uses `assert`.
# Watch it fail on `old_average` before you believe it.


# %% name="test_start" tags=["exercise"]
def test_start(moving_average):
    """Fails (by assert) unless `moving_average(losses, window)` is right, at the start and after it.

    Args:
      moving_average: a function of a list of floats and an int, like `old_average`.
    """
    # BEGIN SOLUTION Exercise 5: call it on a few different numbers, more than the window, and assert what must come out.
    losses, means = [4.0, 2.0, 6.0, 1.0], [4.0, 3.0, 4.0, 3.0]
    assert moving_average(losses, 3) == means
    # END SOLUTION


# %% name="verdict"
def verdict(test, function):
    """What a test says of a function. An error of any kind is a no."""
    try:
        test(function)
    except NotImplementedError:
        raise
    except Exception:
        return "no"
    return "yes"


def cumulative(losses, window):
    """Wrong: the mean of all so far."""
    return [sum(losses[: i + 1]) / (i + 1) for i in range(len(losses))]


def shorter(losses, window):
    """Wrong: says nothing where the window is not full."""
    return old_average(losses, window)[window - 1 :]


def wider(losses, window):
    """Wrong: one number too many."""
    return new_average(losses, window + 1)


def by_running_sum(losses, window):
    """Right, by another way: what comes in is added, what goes out is subtracted."""
    total, means = 0.0, []
    for i, loss in enumerate(losses):
        total += loss - (losses[i - window] if i >= window else 0.0)
        means.append(total / min(i + 1, window))
    return means


RIGHT = {"new_average": new_average, "by_running_sum": by_running_sum}
WRONG = {"old_average": old_average, "cumulative": cumulative, "shorter": shorter, "wider": wider}

# %% name="test_start-check" tags=["check"] exercise="test_start"
check(
    "yes to the repair, no to the old code",
    lambda: {name: verdict(test_start, f) for name, f in {**RIGHT, "old_average": old_average}.items()},
    {"new_average": "yes", "by_running_sum": "yes", "old_average": "no"},
    mistakes={
        "It passes on the old code, so it does not test the repair. Look at the first steps.": {
            "new_average": "yes",
            "by_running_sum": "yes",
            "old_average": "yes",
        },
        "It fails on the right code. Work out by hand what must come out; with a window of 3 the second mean is that of two.": {
            "new_average": "no",
            "by_running_sum": "no",
            "old_average": "no",
        },
        "It fails on code that is right and only rounds otherwise. Choose numbers whose means are exact, or use math.isclose.": {
            "new_average": "yes",
            "by_running_sum": "no",
            "old_average": "no",
        },
    },
)
check(
    "no to wrong repairs",
    lambda: {name: verdict(test_start, f) for name, f in WRONG.items()},
    dict.fromkeys(WRONG, "no"),
    mistakes={
        "It accepts the mean of all numbers, and a window that is too wide. Test beyond the window, with numbers that differ.": {
            "old_average": "no",
            "cumulative": "yes",
            "shorter": "no",
            "wider": "yes",
        },
        "It accepts everything. Does it compare what comes out?": dict.fromkeys(WRONG, "yes"),
        "It passes on the old code, so it does not test the repair. Look at the first steps.": {
            "old_average": "yes",
            "cumulative": "no",
            "shorter": "no",
            "wider": "no",
        },
        "It accepts a list that is too short. Compare the whole list, its length included.": {
            "old_average": "no",
            "cumulative": "no",
            "shorter": "yes",
            "wider": "no",
        },
    },
)


# %% name="test_start-old" tags=["hidden-test"] exercise="test_start" points=2 hint="The test must pass on the new code and fail on the old one: look at the first steps."
def narrow_sum(losses, window):
    return [
        sum(losses[j] for j in range(max(0, i + 1 - window), i + 1)) / min(window, i + 1) for i in range(len(losses))
    ]


report(
    [verdict(test_start, function) for function in (narrow_sum, by_running_sum, old_average)],
    mistakes={
        "It passes on the old code, so it does not test the repair. Look at the first steps.": ["yes", "yes", "yes"],
        "It fails on the right code. Work out by hand what must come out; with a window of 3 the second mean is that of two.": [
            "no",
            "no",
            "no",
        ],
        "It fails on code that is right and only rounds otherwise. Choose numbers whose means are exact, or use math.isclose.": [
            "yes",
            "no",
            "no",
        ],
    },
)


# %% name="test_start-wrong" tags=["hidden-test"] exercise="test_start" points=3 hint="Several different numbers, more than the window; compare the whole list."
def late(losses, window):
    return [0.0, *new_average(losses, window)[1:]]


def narrower(losses, window):
    return new_average(losses, max(1, window - 1))


suspects = [
    narrow_sum,
    cumulative,
    wider,
    narrower,
    late,
    lambda losses, window: old_average(losses, window)[window - 1 :],
]
report(
    [verdict(test_start, function) for function in suspects],
    mistakes={
        "It accepts the mean of all numbers, and a window that is too wide. Test beyond the window, with numbers that differ.": [
            *("yes", "yes", "yes", "yes", "no", "no")
        ],
        "It accepts everything. Does it compare what comes out?": ["yes"] * 6,
        "It fails on the right code. Work out by hand what must come out; with a window of 3 the second mean is that of two.": [
            "no"
        ]
        * 6,
    },
)


# %% name="test-picture" tags=["demo"]
def flat(moving_average):
    assert moving_average([1.0, 1.0, 1.0, 1.0], 3) == [1.0, 1.0, 1.0, 1.0]


with skip_if_unfinished():
    tests = {"[1, 1, 1, 1]": flat, "yours": test_start}
    answers = {name: [verdict(test, f) for f in (*RIGHT.values(), *WRONG.values())] for name, test in tests.items()}
    display(git_graphs.verdicts(answers, list(RIGHT), list(WRONG)))

# %% [markdown]
# ## 4. Read a branch
#
# A reviewer has ten minutes, and reads the commits from the first to the last. Each commit should be one sentence of a
# story: it has **one purpose** and a title that is a command, and it says why the change was made and who takes
# responsibility for it. The rules differ from project to project, and you find them in `CONTRIBUTING.md`. These are the
# rules of the lab's project, as far as a program can judge them:
#
# | rule | broken when |
# |---|---|
# | `title` | the first line of the message is longer than 60 characters, or ends with a full stop |
# | `gap` | there is a second line, and it is not empty (git would treat both lines as the title) |
# | `unsigned` | no line is exactly `Signed-off-by: ` followed by the author: somebody else's signature does not count |
# | `scope` | the commit changes a file that has nothing to do with the issue: a second purpose |
# | `untested` | the commit changes Python code (`.py`), and neither this commit nor an earlier one changes a file in `tests/` |
#
# The **sign-off** is a promise: I wrote this, or may pass it on (the Developer Certificate of Origin). Linux introduced
# it in 2004, after a company had gone to court over the origin of lines in the kernel. `git commit -s` writes it.


# %% name="commits"
class Commit(NamedTuple):
    """A commit of a branch, as a reviewer sees it."""

    author: str
    message: str
    files: list


def signed(message, author=GRACE):
    return f"{message}\n\nSigned-off-by: {author}"


NEEDED = ["tools/average.py", "tests/test_average.py", "CHANGELOG.md"]
BRANCH = [
    Commit(GRACE, "fixed the average.", ["tools/average.py", "tools/plot.py"]),
    Commit(GRACE, f"Test the start of averages\n\nSigned-off-by: {GRACE}", ["tests/test_average.py"]),
    Commit(GRACE, f"Note it in the changelog\nSigned-off-by: {ADA}", ["CHANGELOG.md"]),
]

# %% [markdown]
# Predict the comments on the three commits of `BRANCH`. There are six.
#
# ### Exercise 6: comments


# %% name="comments" tags=["exercise"] forbids=["minitorch_course.labs.pull_request.history.review"]
def comments(branch, scope):
    """What a reviewer says of a branch.

    Args:
      branch: list of Commit, the oldest first.
      scope: list of the files that the issue needs.

    Returns:
      A list of (number of the commit, from 1, rule), commit by commit; for each in the order of the table.
    """
    # BEGIN SOLUTION Exercise 6: for each commit go through the five rules, and remember whether a test has been seen.
    found, tested = [], False
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = tested or any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": any(file not in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found
    # END SOLUTION


# %% name="comments-check" tags=["check"] exercise="comments"
code, proof = ["tools/average.py"], ["tests/test_average.py"]
check(
    "titles",
    lambda: comments([Commit(GRACE, signed(title), []) for title in ("A" * 60, "A" * 61, "Add a mean.")], NEEDED),
    [(2, "title"), (3, "title")],
    mistakes={
        "60 characters are allowed; more are not.": [(1, "title"), (2, "title"), (3, "title")],
        "The whole message was measured. The title is its first line.": [(1, "title"), (2, "title"), (3, "title")],
        "A full stop at the end of a title was not seen.": [(2, "title")],
        "Commits are counted from 1.": [(1, "title"), (2, "title")],
    },
)
check(
    "a long body is welcome, a second line is not",
    lambda: comments(
        [
            Commit(GRACE, signed("Add a mean\n\n" + "Because it was missing. " * 5), []),
            Commit(GRACE, f"Add a mean\nBecause it was missing\nSigned-off-by: {GRACE}", []),
        ],
        NEEDED,
    ),
    [(2, "gap")],
    mistakes={
        "The whole message was measured. The title is its first line.": [(1, "title"), (2, "title"), (2, "gap")],
        "The second line was not looked at: it must be empty.": [],
        "An empty second line is as it should be.": [(1, "gap")],
    },
)
check(
    "who signs",
    lambda: comments(
        [
            Commit(GRACE, signed("Add a mean", ADA), []),
            Commit(GRACE, "Add a mode", []),
            Commit(GRACE, signed(f"Add it\n\nSigned-off-by: {ADA}"), []),
        ],
        NEEDED,
    ),
    [(1, "unsigned"), (2, "unsigned")],
    mistakes={
        "Somebody else's signature was accepted. The author has to sign.": [(2, "unsigned")],
        "Signatures were not looked at.": [],
        "Only the last line, or the first signature, was looked at. Others may sign too; the author's must be among them.": [
            (1, "unsigned"),
            (2, "unsigned"),
            (3, "unsigned"),
        ],
    },
)
check(
    "one purpose, and a test before the code",
    lambda: [
        comments([Commit(GRACE, signed("Fix it"), code), Commit(GRACE, signed("Test it"), proof)], NEEDED),
        comments([Commit(GRACE, signed("Test it"), proof), Commit(GRACE, signed("Fix it"), code)], NEEDED),
        comments([Commit(GRACE, signed("Fix it"), [*code, *proof])], NEEDED),
        comments([Commit(GRACE, signed("Note it"), ["CHANGELOG.md", "README.md"])], NEEDED),
    ],
    [[(1, "untested")], [], [], [(1, "scope")]],
    mistakes={
        "A test after the code was accepted. It must be in the same commit or in one before.": [
            [],
            [],
            [],
            [(1, "scope")],
        ],
        "A test in an earlier commit was not counted.": [
            [(1, "untested")],
            [(2, "untested")],
            [],
            [(1, "scope")],
        ],
        "A test in the same commit was not counted: look at its files first.": [
            [(1, "untested")],
            [],
            [(1, "untested")],
            [(1, "scope")],
        ],
        "A text needs no test. Only Python code does.": [
            [(1, "untested")],
            [],
            [],
            [(1, "scope"), (1, "untested")],
        ],
        "One file within the scope does not excuse another outside of it.": [[(1, "untested")], [], [], []],
    },
)

# %% name="comments-messages" tags=["hidden-test"] exercise="comments" points=3 hint="title, *rest = message.split('\\n'); at most 60 characters; rest[0] is empty; the author's own signature is among the rest."
who, guest = inputs.choice([(ADA, GRACE), (GRACE, ADA)])
messages = [
    f"{'M' * 60}\n\nWhy.\n\nSigned-off-by: {who}\nSigned-off-by: {guest}",
    f"{'M' * 61}\n\nSigned-off-by: {who}",
    f"Add it.\n\nSigned-off-by: {guest}",
    f"Add it\nat once\n\nSigned-off-by: {who}",
    "Add it",
    f"Add it\n\nSigned-off-by: {who} and others",
]
right = [(2, "title"), (3, "title"), (3, "unsigned"), (4, "gap"), (5, "unsigned"), (6, "unsigned")]
report(
    comments([Commit(who, message, []) for message in messages], []),
    mistakes={
        "60 characters are allowed; more are not.": lambda: [(1, "title"), *right],
        "The whole message was measured. The title is its first line.": lambda: [
            (1, "title"),
            *right[:1],
            *([(3, "title")] if len(messages[2]) > 60 else []),
            (3, "unsigned"),
            *([(4, "title")] if len(messages[3]) > 60 else []),
            *right[3:5],
            *([(6, "title")] if len(messages[5]) > 60 else []),
            (6, "unsigned"),
        ],
        "Somebody else's signature was accepted. The author has to sign.": lambda: [*right[:2], *right[3:5]],
        "Signatures were not looked at.": lambda: [*right[:2], right[3]],
        "The second line was not looked at: it must be empty.": lambda: [*right[:3], *right[4:]],
        "Commits are counted from 1.": lambda: [(number - 1, rule) for number, rule in right],
    },
)

# %% name="comments-files" tags=["hidden-test"] exercise="comments" points=3 hint="Remember whether a file of tests/ has been seen, the commit's own included; code before it is untested. Every file must be in scope."
part = inputs.choice(["text", "metrics", "plots"])
needed = [f"lib/{part}.py", f"tests/test_{part}.py", "NEWS.md"]
plans = [
    [["NEWS.md"], [f"lib/{part}.py"], [f"tests/test_{part}.py"], [f"lib/{part}.py"]],
    [[f"tests/test_{part}.py"], [f"lib/{part}.py", "lib/other.py"]],
    [[f"lib/{part}.py", f"tests/test_{part}.py"], ["README.md", "NEWS.md"]],
]
branches = [[Commit(ADA, signed("Do it", ADA), files) for files in plan] for plan in plans]
report(
    [comments(branch, needed) for branch in branches],
    mistakes={
        "A test after the code was accepted. It must be in the same commit or in one before.": lambda: [
            [],
            [(2, "scope")],
            [(2, "scope")],
        ],
        "A test in an earlier commit was not counted.": lambda: [
            [(2, "untested"), (4, "untested")],
            [(2, "scope"), (2, "untested")],
            [(2, "scope")],
        ],
        "A test in the same commit was not counted: look at its files first.": lambda: [
            [(2, "untested")],
            [(2, "scope")],
            [(1, "untested"), (2, "scope")],
        ],
        "A text needs no test. Only Python code does.": lambda: [
            [(1, "untested"), (2, "untested")],
            [(2, "scope")],
            [(2, "scope")],
        ],
        "One file within the scope does not excuse another outside of it.": lambda: [[(2, "untested")], [], []],
        "Commits are counted from 1.": lambda: [[(1, "untested")], [(1, "scope")], [(1, "scope")]],
    },
)

# %% name="branch-read" tags=["demo"]
with skip_if_unfinished():
    for number, rule in comments(BRANCH, NEEDED):
        print(f"commit {number}: {rule:9} {BRANCH[number - 1].message.splitlines()[0]}")

# %% [markdown]
# The lab's reviewer reads messages with a function of minitorch. It knows more rules (is the title a command? are the
# lines short?). Here is what it says about the first commit:

# %% name="lab-reviewer" tags=["demo"]
from minitorch_course.labs.pull_request import history

first = history.Commit("4f2a91c", ("0d" * 20,), GRACE, BRANCH[0].message, tuple(BRANCH[0].files))
for comment in history.review([first]):
    print(comment)

# %% [markdown]
# ### What a review is for
#
# Fewer bugs, people say. A study of Microsoft's reviews in 2013 showed that everybody expected this. But reviews mostly
# brought other things: code that others can understand, and people who know what is changing. So:
#
# * **As an author**: make it small. Say what a user will see. Answer every comment with a change or with a reason. A
#   comment is about the change, not about you.
# * **As a reviewer**: say where the problem is, what goes wrong, and what you propose. If you do not know something,
#   ask. Say what is good. "This crashes for an empty list; `if not losses: return []`?" is a gift; "wrong" is not.
# * **Second round**: check the old comments first, then read what is new. If main has changed in the meantime, rebase,
#   and read what is new in *main*.

# %% name="rebase-picture" tags=["demo"]
git_graphs.rebase()

# %% [markdown]
# ### Now the lab
#
# The lab is a small project with three open issues: a typo, a bug and a feature. It has maintainers who answer: they
# comment with file and line, or they merge. Its CI runs on the result of the merge. Your test must fail on the old code
# and on wrong fixes. And in the second round, somebody was faster than you.
#
# ```
# minitorch lab start pull-request
# minitorch lab check pull-request
# ```
#
# Afterwards do it for real. Look for `good first issue` in a project that you use, read its `CONTRIBUTING.md`, and
# begin by fixing a single word. This course has such a page too. Here the story of these notebooks ends: a model was
# trained in 08, made small, and packed, and anyone who takes it from here can send you a pull request.
#
# ## 5. Stretch: the common ancestor
#
# Where does `base` come from? Git looks for the best common ancestor of two commits in the graph of parents: both
# commits descend from it, and no other common ancestor descends from *it*.
#
# ### Stretch exercise: merge base


# %% name="merge_base" tags=["exercise", "stretch"]
def merge_base(parents, a, b):
    """The best common ancestors of two commits. A commit counts as an ancestor of itself.

    Args:
      parents: dict from each commit to the list of its parents.
      a, b: two commits.

    Returns:
      A sorted list; it mostly has one.
    """

    # BEGIN SOLUTION Stretch exercise: the ancestors of both, without those that are ancestors of another one of them.
    def ancestors(commit):
        return {commit}.union(*(ancestors(parent) for parent in parents[commit]))

    common = ancestors(a) & ancestors(b)
    return sorted(c for c in common if not any(c in ancestors(other) for other in common - {c}))
    # END SOLUTION


# %% name="merge_base-check" tags=["check", "stretch"] exercise="merge_base"
GRAPH = {
    "1": [],
    "2": ["1"],
    "3": ["2"],
    "x": ["2"],
    "y": ["x"],
    "4": ["3", "x"],
    "criss": ["3", "x"],
    "cross": ["x", "3"],
}
check(
    "two branches",
    lambda: merge_base(GRAPH, "3", "y"),
    ["2"],
    mistakes={
        "These are all common ancestors. The best is the one that no other descends from.": ["1", "2"],
        "That is the oldest one. The best is the youngest.": ["1"],
    },
)
check("one is the ancestor of the other", lambda: merge_base(GRAPH, "2", "y"), ["2"])
check("after a merge the base has moved", lambda: merge_base(GRAPH, "4", "y"), ["x"])
check("merged crosswise there are two", lambda: merge_base(GRAPH, "criss", "cross"), ["3", "x"])

# %% [markdown]
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | `object_id`, `tree`, `commit` | git: `object-file.c`, `tree.c`, `commit.c`; in Python: dulwich, `dulwich/objects.py` |
# | `merge` | git: `xdiff/xmerge.c` and, for whole trees, `merge-ort.c`; in Python: `merge3` (of Breezy) |
# | `merge_base` | git: `commit-reach.c` |
# | a test that must fail | SWE-bench judges patches by tests that fail before and pass after: `swebench/harness/grading.py` |
# | mutants | cosmic-ray, mutmut; in this course `minitorch_course/author/mutate.py` |
# | `comments` | Linux: `scripts/checkpatch.pl`; `commitlint`; here `minitorch_course/labs/pull_request/history.py` |
#
# ## References
#
# - M. Fagan, *Design and code inspections to reduce errors in program development*, 1976.
# - R. DeMillo, R. Lipton, F. Sayward, *Hints on test data selection*, 1978.
# - R. Merkle, *Secrecy, authentication, and public key systems*, 1979.
# - S. Khanna, K. Kunal, B. Pierce, *A formal investigation of diff3*, 2007.
# - A. Bacchelli, C. Bird, *Expectations, outcomes, and challenges of modern code review*, 2013.
# - G. Gousios, M. Pinzger, A. van Deursen, *An exploratory study of the pull-based software development model*, 2014.
# - S. Chacon, B. Straub, *Pro Git*, second edition, 2014: chapter 10 for the objects.
# - M. Stevens et al., *The first collision for full SHA-1*, 2017.
# - C. Jimenez et al., *SWE-bench: can language models resolve real-world GitHub issues?*, 2024.
