# %% exercise="object_id" says="the SHA-1 of the content alone" loses=["object_id-header", "object_id-bytes"]
def object_id(kind, content):
    return hashlib.sha1(content).hexdigest()


# %% exercise="object_id" says="no zero byte" loses=["object_id-header", "object_id-bytes"]
def object_id(kind, content):
    return hashlib.sha1(f"{kind} {len(content)}".encode() + content).hexdigest()


# %% exercise="object_id" says="The length is missing" loses=["object_id-header", "object_id-bytes"]
def object_id(kind, content):
    return hashlib.sha1(f"{kind}\0".encode() + content).hexdigest()


# %% exercise="object_id" says="The length is that of the text" loses=["object_id-bytes"]
def object_id(kind, content):
    text = content.decode()
    return hashlib.sha1(f"{kind} {len(text)}\0{text}".encode()).hexdigest()


# %% exercise="object_id" says="The kind is always `blob`" loses=["object_id-header"]
def object_id(kind, content):
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


# %% exercise="tree" says="The id stands there as 40 digits" loses=["tree-entries", "tree-order"]
def tree(entries):
    content = b""
    for name in sorted(entries, key=lambda name: name + "/" * (entries[name][0] == "tree")):
        kind, digits = entries[name]
        mode = "40000" if kind == "tree" else "100644"
        content += f"{mode} {name}\0{digits}".encode()
    return content


# %% exercise="tree" says="The byte 0 after the name is missing" loses=["tree-entries", "tree-order"]
def tree(entries):
    content = b""
    for name in sorted(entries, key=lambda name: name + "/" * (entries[name][0] == "tree")):
        kind, digits = entries[name]
        mode = "40000" if kind == "tree" else "100644"
        content += f"{mode} {name}".encode() + bytes.fromhex(digits)
    return content


# %% exercise="tree" says="five digits in the object" loses=["tree-entries", "tree-order"]
def tree(entries):
    content = b""
    for name in sorted(entries, key=lambda name: name + "/" * (entries[name][0] == "tree")):
        kind, digits = entries[name]
        mode = "040000" if kind == "tree" else "100644"
        content += f"{mode} {name}\0".encode() + bytes.fromhex(digits)
    return content


# %% exercise="tree" says="The folder is sorted as `lib`" loses=["tree-order"]
def tree(entries):
    content = b""
    for name in sorted(entries):
        kind, digits = entries[name]
        mode = "40000" if kind == "tree" else "100644"
        content += f"{mode} {name}\0".encode() + bytes.fromhex(digits)
    return content


# %% exercise="tree" says="The entries are as they were given" loses=["tree-entries", "tree-order"]
def tree(entries):
    content = b""
    for name, (kind, digits) in entries.items():
        mode = "40000" if kind == "tree" else "100644"
        content += f"{mode} {name}\0".encode() + bytes.fromhex(digits)
    return content


# %% exercise="commit" says="The newline at the end is missing" loses=["commit-text", "commit-parents"]
def commit(tree_id, parents, who, seconds, message):
    signature = f"{who} {seconds} +0000"
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents)]
    return "\n".join([*lines, f"author {signature}", f"committer {signature}", "", message])


# %% exercise="commit" says="The empty line before the message is missing" loses=["commit-text", "commit-parents"]
def commit(tree_id, parents, who, seconds, message):
    signature = f"{who} {seconds} +0000"
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents)]
    return "\n".join([*lines, f"author {signature}", f"committer {signature}", message, ""])


# %% exercise="commit" says="The time zone is missing" loses=["commit-text", "commit-parents"]
def commit(tree_id, parents, who, seconds, message):
    signature = f"{who} {seconds}"
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents)]
    return "\n".join([*lines, f"author {signature}", f"committer {signature}", "", message, ""])


# %% exercise="commit" says="Only the first parent is there" loses=["commit-parents"]
def commit(tree_id, parents, who, seconds, message):
    signature = f"{who} {seconds} +0000"
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents[:1])]
    return "\n".join([*lines, f"author {signature}", f"committer {signature}", "", message, ""])


# %% exercise="commit" says="The parent is missing" loses=["commit-text", "commit-parents"]
def commit(tree_id, parents, who, seconds, message):
    signature = f"{who} {seconds} +0000"
    return "\n".join([f"tree {tree_id}", f"author {signature}", f"committer {signature}", "", message, ""])


# %% exercise="commit" says="The line `committer` is missing" loses=["commit-text", "commit-parents"]
def commit(tree_id, parents, who, seconds, message):
    lines = [f"tree {tree_id}", *(f"parent {parent}" for parent in parents)]
    return "\n".join([*lines, f"author {who} {seconds} +0000", "", message, ""])


# %% exercise="merge" says="Only our changes are there" loses=["merge-clean", "merge-conflict"]
def merge(base, ours, theirs):
    return ours


# %% exercise="merge" says="Wherever the two differ you see a conflict" loses=["merge-clean", "merge-conflict"]
def merge(base, ours, theirs):
    joined = []
    for _, mine, other in pieces(base, ours, theirs):
        joined += mine if mine == other else [MINE, *mine, MIDDLE, *other, OTHER]
    return joined


# %% exercise="merge" says="A line that one of them has taken out is back" loses=["merge-clean"]
def merge(base, ours, theirs):
    joined = []
    for was, mine, other in pieces(base, ours, theirs):
        if not mine or not other:
            joined += mine or other
        elif mine == other or other == was:
            joined += mine
        elif mine == was:
            joined += other
        else:
            joined += [MINE, *mine, MIDDLE, *other, OTHER]
    return joined


# %% exercise="merge" says="Both made the same change" loses=["merge-clean"]
def merge(base, ours, theirs):
    joined = []
    for was, mine, other in pieces(base, ours, theirs):
        if other == was:
            joined += mine
        elif mine == was:
            joined += other
        else:
            joined += [MINE, *mine, MIDDLE, *other, OTHER]
    return joined


# %% exercise="merge" says="Ours won" loses=["merge-conflict"]
def merge(base, ours, theirs):
    joined = []
    for was, mine, other in pieces(base, ours, theirs):
        joined += other if mine == was else mine
    return joined


# %% exercise="merge" says="Ours stand above the middle" loses=["merge-conflict"]
def merge(base, ours, theirs):
    joined = []
    for was, mine, other in pieces(base, ours, theirs):
        if mine == other or other == was:
            joined += mine
        elif mine == was:
            joined += other
        else:
            joined += [MINE, *other, MIDDLE, *mine, OTHER]
    return joined


# %% exercise="test_start" says="It passes on the old code" loses=["test_start-old"]
def test_start(moving_average):
    means = moving_average([4.0, 2.0, 6.0, 1.0, 2.0], 3)
    assert len(means) == 5
    assert means[2:] == [4.0, 3.0, 3.0]
    assert means[0] > 0


# %% exercise="test_start" says="It accepts the mean of all numbers" loses=["test_start-wrong"]
def test_start(moving_average):
    assert moving_average([4.0, 2.0], 3) == [4.0, 3.0]


# %% exercise="test_start" says="It accepts everything" loses=["test_start-old", "test_start-wrong"]
def test_start(moving_average):
    assert isinstance(moving_average([4.0, 2.0, 6.0, 1.0], 3), list)


# %% exercise="test_start" says="It fails on the right code" loses=["test_start-old", "test_start-wrong"]
def test_start(moving_average):
    assert moving_average([4.0, 2.0, 6.0, 1.0], 3) == [4.0, 3.0, 4.0, 3.25]


# %% exercise="test_start" says="only rounds otherwise" loses=["test_start-old"]
def test_start(moving_average):
    losses = [0.1, 0.2, 0.3, 0.4]
    assert moving_average(losses, 3) == [sum(losses[max(0, i - 2) : i + 1]) / min(3, i + 1) for i in range(4)]


# %% exercise="comments" says="60 characters are allowed" loses=["comments-messages"]
def comments(branch, scope):
    found, tested = [], False
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = tested or any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) >= 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": any(file not in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found


# %% exercise="comments" says="Somebody else's signature was accepted" loses=["comments-messages"]
def comments(branch, scope):
    found, tested = [], False
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = tested or any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": "Signed-off-by: " not in message,
            "scope": any(file not in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found


# %% exercise="comments" says="The second line was not looked at" loses=["comments-messages"]
def comments(branch, scope):
    found, tested = [], False
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = tested or any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": any(file not in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found


# %% exercise="comments" says="A test after the code was accepted" loses=["comments-files"]
def comments(branch, scope):
    found = []
    tested = any(file.startswith("tests/") for commit in branch for file in commit.files)
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": any(file not in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found


# %% exercise="comments" says="A test in an earlier commit was not counted" loses=["comments-files"]
def comments(branch, scope):
    found = []
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": any(file not in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found


# %% exercise="comments" says="One file within the scope does not excuse" loses=["comments-files"]
def comments(branch, scope):
    found, tested = [], False
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = tested or any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": files and not any(file in scope for file in files),
            "untested": not tested and any(file.endswith(".py") for file in files),
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found


# %% exercise="comments" says="A text needs no test" loses=["comments-files"]
def comments(branch, scope):
    found, tested = [], False
    for number, (author, message, files) in enumerate(branch, 1):
        title, *rest = message.split("\n")
        tested = tested or any(file.startswith("tests/") for file in files)
        broken = {
            "title": len(title) > 60 or title.endswith("."),
            "gap": rest and rest[0] != "",
            "unsigned": f"Signed-off-by: {author}" not in rest,
            "scope": any(file not in scope for file in files),
            "untested": files and not tested,
        }
        found += [(number, rule) for rule in broken if broken[rule]]
    return found
