# %% exercise="seen" says="The whiteout itself is seen" loses=["seen-overlay", "seen-whiteouts"]
def seen(layers):
    files = {}
    for layer in layers:
        hidden = [path.replace(".wh.", "") + "/" for path in layer if ".wh." in path]
        files = {path: it for path, it in files.items() if not any(f"{path}/".startswith(name) for name in hidden)}
        files |= layer
    return files


# %% exercise="seen" says="Nothing was hidden, and the whiteout is seen as a file" loses=["seen-overlay", "seen-whiteouts"]
def seen(layers):
    files = {}
    for layer in layers:
        files.update(layer)
    return files


# %% exercise="seen" says="The folder's files are still seen" loses=["seen-whiteouts"]
def seen(layers):
    files = {}
    for layer in layers:
        for path in layer:
            if ".wh." in path:
                files.pop(path.replace(".wh.", ""), None)
        files |= {path: it for path, it in layer.items() if ".wh." not in path}
    return files


# %% exercise="seen" says="mind the slash" loses=["seen-whiteouts"]
def seen(layers):
    files = {}
    for layer in layers:
        hidden = [path.replace(".wh.", "") for path in layer if ".wh." in path]
        files = {path: it for path, it in files.items() if not any(path.startswith(name) for name in hidden)}
        files |= {path: it for path, it in layer.items() if ".wh." not in path}
    return files


# %% exercise="seen" says="The file of the same layer was hidden as well" loses=["seen-whiteouts"]
def seen(layers):
    files = {}
    for layer in layers:
        files |= {path: it for path, it in layer.items() if ".wh." not in path}
        hidden = [path.replace(".wh.", "") + "/" for path in layer if ".wh." in path]
        files = {path: it for path, it in files.items() if not any(f"{path}/".startswith(name) for name in hidden)}
    return files


# %% exercise="seen" says="The lower file won" loses=["seen-overlay"]
def seen(layers):
    files = {}
    for layer in layers:
        hidden = [path.replace(".wh.", "") + "/" for path in layer if ".wh." in path]
        files = {path: it for path, it in files.items() if not any(f"{path}/".startswith(name) for name in hidden)}
        for path, it in layer.items():
            if ".wh." not in path:
                files.setdefault(path, it)
    return files


# %% exercise="pull" says="The tag decided" loses=["pull-names"]
def pull(reference, tags, store):
    name, _, digest = reference.partition("@")
    tag = name if ":" in name.rpartition("/")[2] else name + ":latest"
    digest = tags.get(tag, digest)
    sent = store[digest]
    if digest_of(sent) != digest:
        raise ValueError(reference)
    return sent


# %% exercise="pull" says="was not compared" loses=["pull-compared"]
def pull(reference, tags, store):
    name, _, digest = reference.partition("@")
    if not digest:
        digest = tags[name if ":" in name.rpartition("/")[2] else name + ":latest"]
    return store[digest]


# %% exercise="pull" says="was taken for a tag" loses=["pull-names"]
def pull(reference, tags, store):
    name, _, digest = reference.partition("@")
    if not digest:
        digest = tags[name if ":" in name else name + ":latest"]
    sent = store[digest]
    if digest_of(sent) != digest:
        raise ValueError(reference)
    return sent


# %% exercise="pull" says="the tag `latest` is meant" loses=["pull-names", "pull-compared"]
def pull(reference, tags, store):
    name, _, digest = reference.partition("@")
    if not digest:
        digest = tags[name]
    sent = store[digest]
    if digest_of(sent) != digest:
        raise ValueError(reference)
    return sent


# %% exercise="pull" says="Everything is refused" loses=["pull-names", "pull-compared"]
def pull(reference, tags, store):
    name, _, digest = reference.partition("@")
    if not digest:
        digest = tags[name if ":" in name.rpartition("/")[2] else name + ":latest"]
    sent = store[digest]
    if hashlib.sha256(sent).hexdigest() != digest:
        raise ValueError(reference)
    return sent


# %% exercise="instructions" says="Each line became an instruction" loses=["instructions-joined"]
def instructions(text):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found.append((number, name.upper(), rest.strip()))
    return found


# %% exercise="instructions" says="that of the instruction's last line" loses=["instructions-joined"]
def instructions(text):
    found, parts = [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append((number, name.upper(), rest.strip()))
            parts = []
    return found


# %% exercise="instructions" says="The comment became a part of the command" loses=["instructions-joined"]
def instructions(text):
    found, parts = [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or (line.startswith("#") and not parts):
            continue
        if not parts:
            first = number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append((first, name.upper(), rest.strip()))
            parts = []
    return found


# %% exercise="instructions" says="ended the instruction" loses=["instructions-joined"]
def instructions(text):
    found, parts = [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        skipped = not line or line.startswith("#")
        if not skipped:
            if not parts:
                first = number
            parts.append(line.removesuffix("\\").strip())
        if parts and (skipped or not line.endswith("\\")):
            name, _, rest = " ".join(parts).partition(" ")
            found.append((first, name.upper(), rest.strip()))
            parts = []
    return found


# %% exercise="instructions" says="give them in capitals" loses=["instructions-lines", "instructions-joined"]
def instructions(text):
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
            found.append((first, name, rest.strip()))
            parts = []
    return found


# %% exercise="instructions" says="counted from 1" loses=["instructions-lines", "instructions-joined"]
def instructions(text):
    found, parts = [], []
    for number, line in enumerate(text.splitlines()):
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


# %% exercise="instructions" says="without its comments and blank lines" loses=["instructions-lines", "instructions-joined"]
def instructions(text):
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    found, parts = [], []
    for number, line in enumerate(lines, 1):
        if not parts:
            first = number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append((first, name.upper(), rest.strip()))
            parts = []
    return found


# %% exercise="instructions" says="The line was cut at `#`" loses=["instructions-lines"]
def instructions(text):
    found, parts = [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if not parts:
            first = number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append((first, name.upper(), rest.strip()))
            parts = []
    return found


# %% exercise="remarks" says="The name of an earlier stage was called unpinned" loses=["remarks-base"]
def remarks(instructions):
    found = []
    for line, name, rest in instructions:
        if name == "FROM":
            if "@sha256:" not in rest and rest != "scratch":
                found.append((line, "unpinned"))
            last = {"USER": (line, "root")}
        last[name] = line, rest
    line, user = last["USER"]
    if user.split(":")[0] in ("root", "0"):
        found.append((line, "root"))
    line, command = last.get("ENTRYPOINT") or last["CMD"]
    if not command.startswith("["):
        found.append((line, "shell"))
    return sorted(found)


# %% exercise="remarks" says="A tag was taken for a pin" loses=["remarks-base"]
def remarks(instructions):
    found, stages = [], ["scratch"]
    for line, name, rest in instructions:
        if name == "FROM":
            image, _, stage = rest.partition(" AS ")
            if image not in stages and ":" not in image:
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


# %% exercise="remarks" says="The USER of an earlier stage was counted" loses=["remarks-started"]
def remarks(instructions):
    found, stages, users = [], ["scratch"], []
    for line, name, rest in instructions:
        if name == "FROM":
            image, _, stage = rest.partition(" AS ")
            if image not in stages and "@sha256:" not in image:
                found.append((line, "unpinned"))
            stages.append(stage)
            last = {}
        if name == "USER":
            users.append((line, rest))
        last[name] = line, rest
    line, user = users[-1] if users else (last["FROM"][0], "root")
    if user.split(":")[0] in ("root", "0"):
        found.append((line, "root"))
    line, command = last.get("ENTRYPOINT") or last["CMD"]
    if not command.startswith("["):
        found.append((line, "shell"))
    return sorted(found)


# %% exercise="remarks" says="The first USER was counted" loses=["remarks-started"]
def remarks(instructions):
    found, stages = [], ["scratch"]
    for line, name, rest in instructions:
        if name == "FROM":
            image, _, stage = rest.partition(" AS ")
            if image not in stages and "@sha256:" not in image:
                found.append((line, "unpinned"))
            stages.append(stage)
            last, start = {}, line
        last.setdefault(name, (line, rest))
    line, user = last.get("USER", (start, "root"))
    if user.split(":")[0] in ("root", "0"):
        found.append((line, "root"))
    line, command = last.get("ENTRYPOINT") or last["CMD"]
    if not command.startswith("["):
        found.append((line, "shell"))
    return sorted(found)


# %% exercise="remarks" says="The number of root is 0" loses=["remarks-started"]
def remarks(instructions):
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
    if user.split(":")[0] == "root":
        found.append((line, "root"))
    line, command = last.get("ENTRYPOINT") or last["CMD"]
    if not command.startswith("["):
        found.append((line, "shell"))
    return sorted(found)


# %% exercise="remarks" says="CMD was judged though there is an ENTRYPOINT" loses=["remarks-started"]
def remarks(instructions):
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
    line, command = last.get("CMD") or last["ENTRYPOINT"]
    if not command.startswith("["):
        found.append((line, "shell"))
    return sorted(found)


# %% exercise="affected" says="Versions were compared as text" loses=["affected-versions"]
def affected(components, advisories):
    def plain(name):
        return name.lower().replace("_", "-").replace(".", "-")

    return [
        c["purl"]
        for c in components
        if any(plain(c["name"]) == plain(name) and first <= c["version"] < fixed for name, first, fixed in advisories)
    ]


# %% exercise="affected" says="The version that fixes the hole" loses=["affected-versions"]
def affected(components, advisories):
    def plain(name):
        return name.lower().replace("_", "-").replace(".", "-")

    def numbers(version):
        return [int(number) for number in version.split(".")]

    return [
        c["purl"]
        for c in components
        if any(
            plain(c["name"]) == plain(name) and numbers(first) <= numbers(c["version"]) <= numbers(fixed)
            for name, first, fixed in advisories
        )
    ]


# %% exercise="affected" says="The first version with the hole has it" loses=["affected-versions"]
def affected(components, advisories):
    def plain(name):
        return name.lower().replace("_", "-").replace(".", "-")

    def numbers(version):
        return [int(number) for number in version.split(".")]

    return [
        c["purl"]
        for c in components
        if any(
            plain(c["name"]) == plain(name) and numbers(first) < numbers(c["version"]) < numbers(fixed)
            for name, first, fixed in advisories
        )
    ]


# %% exercise="affected" says="Versions before the first with the hole" loses=["affected-versions"]
def affected(components, advisories):
    def plain(name):
        return name.lower().replace("_", "-").replace(".", "-")

    def numbers(version):
        return [int(number) for number in version.split(".")]

    return [
        c["purl"]
        for c in components
        if any(
            plain(c["name"]) == plain(name) and numbers(c["version"]) < numbers(fixed) for name, _, fixed in advisories
        )
    ]


# %% exercise="affected" says="Names were compared letter by letter" loses=["affected-names"]
def affected(components, advisories):
    def numbers(version):
        return [int(number) for number in version.split(".")]

    return [
        c["purl"]
        for c in components
        if any(
            c["name"] == name and numbers(first) <= numbers(c["version"]) < numbers(fixed)
            for name, first, fixed in advisories
        )
    ]


# %% exercise="affected" says="Capital and small letters" loses=["affected-names"]
def affected(components, advisories):
    def plain(name):
        return name.replace("_", "-").replace(".", "-")

    def numbers(version):
        return [int(number) for number in version.split(".")]

    return [
        c["purl"]
        for c in components
        if any(
            plain(c["name"]) == plain(name) and numbers(first) <= numbers(c["version"]) < numbers(fixed)
            for name, first, fixed in advisories
        )
    ]


# %% exercise="health" says="A good answer did not set the count back" loses=["health-streak"]
def health(answers, start_period, retries):
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good:
            state = "healthy"
        elif state != "starting" or seconds >= start_period:
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states


# %% exercise="health" says="Once unhealthy, always unhealthy?" loses=["health-streak"]
def health(answers, start_period, retries):
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good and state != "unhealthy":
            state, failures = "healthy", 0
        elif not good and (state != "starting" or seconds >= start_period):
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states


# %% exercise="health" says="Bad answers of the start period were counted" loses=["health-start"]
def health(answers, start_period, retries):
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good:
            state, failures = "healthy", 0
        else:
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states


# %% exercise="health" says="The start period went on after a good answer" loses=["health-start"]
def health(answers, start_period, retries):
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good:
            state, failures = "healthy", 0
        elif seconds >= start_period:
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states


# %% exercise="health" says="All bad answers while starting were forgiven" loses=["health-start"]
def health(answers, start_period, retries):
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good:
            state, failures = "healthy", 0
        elif state != "starting":
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states


# %% exercise="health" says="At start_period itself a bad answer counts" loses=["health-start"]
def health(answers, start_period, retries):
    state, failures, states = "starting", 0, []
    for seconds, good in answers:
        if good:
            state, failures = "healthy", 0
        elif state != "starting" or seconds > start_period:
            failures += 1
            if failures >= retries:
                state = "unhealthy"
        states.append(state)
    return states


# %% exercise="health" says="One bad answer was enough" loses=["health-streak", "health-start"]
def health(answers, start_period, retries):
    states = []
    for seconds, good in answers:
        starting = not any(state == "healthy" for state in states)
        if good:
            states.append("healthy")
        elif starting and seconds < start_period:
            states.append("starting")
        else:
            states.append("unhealthy")
    return states
