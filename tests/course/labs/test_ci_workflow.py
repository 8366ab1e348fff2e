"""Which workflows block a merge: by GitHub's documentation, and by running their scripts as GitHub does."""

import codecs

import pytest

from minitorch_course.grading import sandbox
from minitorch_course.labs.ci import steps, workflow

CHECKOUT, RUN = "- uses: actions/checkout@v5", "- run: python gate.py main"
MORE = "runs-on: a, timeout-minutes: 1, steps: [{run: 'true'}]"  # the rest of a job
GOOD = """name: gate
on: [pull_request]
permissions:
  contents: read
jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v5
      - run: python gate.py main
"""
needs_sandbox = pytest.mark.skipif(sandbox.why_unavailable() is not None, reason="scripts run in a sandbox only")


def rules(tmp_path, text):
    path = tmp_path / workflow.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(comment).removeprefix(workflow.FILE) for comment in workflow.rules(tmp_path)]


def script(*lines, more=""):
    """The good workflow with another script in its last step, and `more` keys of that step."""
    block = "".join(f"\n          {line}" for line in lines)
    return GOOD.replace(RUN, f"- run: |{block}{''.join(chr(10) + ' ' * 8 + key for key in more.splitlines())}")


def replaced(*pairs):
    text = GOOD
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def on(filters):
    return replaced(("on: [pull_request]", f"on:\n  pull_request:\n    {filters}"))


def step(keys):
    return replaced((RUN, f"{RUN}\n        {keys}"))


def job(keys):
    return replaced(("timeout-minutes: 10", f"timeout-minutes: 10\n    {keys}"))


def after(keys, condition=""):
    pre = (
        f"jobs:\n  pre:\n    runs-on: ubuntu-latest\n    timeout-minutes: 1\n    {keys}\n    steps: [{{run: 'true'}}]\n"
    )
    return replaced(("jobs:\n", pre), ("  gate:\n", f"  gate:\n    needs: pre\n{condition}"))


GATE = "python gate.py main"
OTHER = f"{GATE} || echo FAILED=1 >> $GITHUB_ENV"
PASSES = {  # script: its step's status is the gate's
    "installation first": ["pip install numpy pytest", GATE],
    "several commands before": ["set -x", "python -m pip install -U pip", "python3 -m venv .venv", GATE],
    "an environment": ["python -m venv .venv", ". .venv/bin/activate", "pip install numpy", GATE],
    "uv": ["uv sync", "uv run --python 3.12 gate.py main"],
    "exec": [f"exec {GATE}"],
    "a command after it": [GATE, "echo accepted"],
    "and": [f"{GATE} && echo accepted"],
    "or exit": [f"{GATE} || exit 1"],
    "or a list that ends with exit": [f"{GATE} || {{ echo rejected; exit 1; }}"],
    "a status that is passed on": ["status=0", f"{GATE} || status=$?", "exit $status"],
    "if not, exit": [f"if ! {GATE}; then echo rejected; exit 1; fi"],
    "in the background, and waited for": [f"{GATE} &", "wait $!"],
    "a file": [f"{GATE} > log.txt"],
    "pipefail": ["set -o pipefail", f"{GATE} | tee log.txt"],
    "a status of a pipe": [f"{GATE} | tee log.txt", "exit ${PIPESTATUS[0]}"],
    "a time limit": [f"timeout 300 {GATE}"],
    "a trap": ["trap 'echo done' EXIT", GATE],
    "a loop": ["for folder in main; do python gate.py $folder; done"],
    "a function": [f"check() {{ {GATE}; }}", "check"],
    "the event": [f'if [ "$GITHUB_EVENT_NAME" = pull_request ]; then {GATE}; fi'],
    "a line that goes on": ["python gate.py \\", "  main"],
    "continued after set +e": ["set +e", GATE, "code=$?", "echo $code", "exit $code"],
    "a subshell": [f"({GATE})"],
    "a version of Python": ["python3.12 -u gate.py main"],
    "whole paths": ["python $GITHUB_WORKSPACE/gate.py ${{ github.workspace }}/main"],
    "a module": ["python -m gate main"],
    "a program": ["chmod +x gate.py", "./gate.py main"],
    "an import": ["python -c 'import gate, sys; sys.exit(gate.main(\"main\"))'"],
    "an annotation": [f"{GATE} || (echo '::error::rejected' && exit 1)"],
    "what is printed": ['echo "$GITHUB_ACTOR: ${{ github.sha }}"', GATE],
    "another shell": [f"bash -c '{GATE}'"],
    "a command that may fail": ["git fetch origin main || true", GATE],
    "the gate of main": ["git show origin/main:gate.py > trusted.py", "python trusted.py main  # gate.py"],
}
IGNORED = {  # script: the step passes although the gate rejects
    "tee": [f"{GATE} | tee log.txt"],
    "or true": [f"{GATE} || true"],
    "or echo": [f"{GATE} || echo rejected"],
    "and, or": [f"{GATE} && echo ok || echo no"],
    "if": [f"if {GATE}; then echo ok; fi"],
    "if not": [f"if ! {GATE}; then echo rejected; fi"],
    "not": [f"! {GATE} || true"],
    "a status that is printed": [f"{GATE} || code=$?", "echo $code"],
    "without -e": ["set +e", GATE, "echo done"],
    "a trap that exits": ["trap 'exit 0' EXIT", GATE],
    "a substitution": [f"echo $({GATE})"],
    "a local variable": [f"check() {{ local out=$({GATE}); }}", "check"],
    "an exit": [f"{GATE} || :", "exit 0"],
    "eval": [f"eval '{GATE} || true'"],
    "a variable for a later step": [OTHER],
    "a wait for all": [f"{GATE} &", "wait"],
    "another shell that goes on": [f"bash -c '{GATE}; true'"],
}
NEVER = {  # script: the gate is not run, or not on the change
    "the background": [f"{GATE} &"],
    "echo": [f"echo {GATE}"],
    "a comment": [f"# {GATE}", "echo ok"],
    "a here-document": ["cat <<END", GATE, "END"],
    "after exit": ["exit 0", GATE],
    "false": [f"false && {GATE} || true"],
    "a push": [f'if [ "$GITHUB_EVENT_NAME" = push ]; then {GATE}; fi'],
    "compiled only": ["python -m py_compile gate.py"],
    "a function that nobody calls": [f"check() {{ {GATE}; }}"],
    "a fixed folder": ["python gate.py pull-requests/1-halve-the-steps-for-digits"],
    "another folder": ["mkdir -p /tmp/main", "python gate.py /tmp/main"],
    "no folder": ["python gate.py"],
    "no such target": ["make gate"],
    "one long command": [f"pip install numpy {GATE}"],
}
SKIPPED = {  # script: other commands decide whether the gate is run
    "a file of the web": ["curl -f https://example.org/go || exit 0", GATE],
    "a difference": ["if ! git diff --quiet origin/main docs; then exit 0; fi", GATE],
    "a command that is not here": ["nix run check || exit 0", GATE],
    "an installation": ["python -m pip install numpy || exit 0", GATE],
}
UNDECIDED = {
    "an input": [GATE + " ${{ inputs.options }}"],
    "a secret": ["if [ -z '${{ secrets.SKIP }}' ]; then " + GATE + "; fi"],
    "the author": [f'[ "$GITHUB_ACTOR" = ana ] || {GATE}'],
    "a title that may be a command": ['echo "${{ github.event.pull_request.title }}"', GATE],
    "a program that is not here": [f"nix run {GATE}"],
    "chance": [f"[ $RANDOM -lt 9000 ] || {GATE}"],
}


def problems(table, folder, monkeypatch):
    """What is said of each script of a table. All are steps of one job, which runs in one sandbox."""
    monkeypatch.setattr(steps, "SECONDS", 300)
    runs = {name: {"run": "\n".join(lines)} for name, lines in table.items()}
    job = {"steps": [{"uses": "actions/checkout@v5"}, *runs.values()]}
    found = {id(result.step): result.problem for result in steps.judge({}, job, folder)}
    return {name: found[id(run)] for name, run in runs.items()}


@needs_sandbox
@pytest.mark.slow
def test_scripts_that_end_as_the_gate_does(tmp_path, monkeypatch):
    assert problems(PASSES, tmp_path, monkeypatch) == dict.fromkeys(PASSES, "")


@needs_sandbox
@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "words"),
    [(IGNORED, "ignores"), (NEVER, "whole step"), (SKIPPED, "if a command before"), (UNDECIDED, "cannot be decided")],
)
def test_scripts_that_do_not(table, words, tmp_path, monkeypatch):
    found = problems(table, tmp_path, monkeypatch)
    assert {name: problem for name, problem in found.items() if words not in problem} == {}


@needs_sandbox
@pytest.mark.slow
def test_the_line_of_a_script_is_named(tmp_path):
    (comment,) = rules(tmp_path, script(f"{GATE} || true"))
    assert comment.startswith(":11: runs the gate and ignores its result")


SHELLS = {
    "pipe and -e": ([f"{GATE} | tee log"], "", "ignores"),
    "pipe and bash": ([f"{GATE} | tee log"], "shell: bash", ""),
    "pipe and sh": ([f"{GATE} | tee log"], "shell: sh", "ignores"),
    "own template": ([GATE, "echo done"], "shell: bash {0}", "ignores"),
    "own template with -e": ([GATE, "echo done"], "shell: bash -e {0}", ""),
    "Python": (["import subprocess", "subprocess.run(['python', 'gate.py', 'main'])"], "shell: python", "ignores"),
    "Python that checks": (
        ["import subprocess", "subprocess.run(['python', 'gate.py', 'main'], check=True)"],
        "shell: python",
        "",
    ),
    "PowerShell": ([GATE, "echo done"], "shell: pwsh", "cannot be decided"),
    "one command in PowerShell": ([GATE], "shell: pwsh", ""),
    "a folder": (["python ../gate.py ."], "working-directory: main", ""),
    "a wrong folder": ([GATE], "working-directory: main", "fails even"),
    "no such folder": ([GATE], "working-directory: project", "does not exist"),
    "not a command": ([GATE], "shell: bash 'x {0}", "cannot be decided"),
    "not installed": ([GATE], "shell: fish {0}", "fish is not installed here"),
    "a variable": (["python gate.py $FOLDER"], "env: {FOLDER: main}", ""),
    "a variable of GitHub": (["python gate.py $FOLDER"], "env: {FOLDER: '${{ vars.FOLDER }}'}", "cannot be decided"),
}


@needs_sandbox
@pytest.mark.slow
@pytest.mark.parametrize(("lines", "keys", "words"), SHELLS.values(), ids=SHELLS)
def test_shells_folders_and_variables(lines, keys, words, tmp_path):
    found = rules(tmp_path, script(*lines, more=keys))
    assert words in found[0] if words else found == []


@needs_sandbox
@pytest.mark.slow
def test_defaults_of_the_job_go_before_those_of_the_workflow(tmp_path):
    text = script(f"{GATE} | tee log").replace("jobs:", "defaults:\n  run:\n    shell: bash\njobs:")
    assert rules(tmp_path, text) == []
    text = text.replace("    timeout", "    defaults: {run: {shell: sh}}\n    timeout")
    assert "ignores" in rules(tmp_path, text)[0]
    assert (
        "ignores"
        in rules(tmp_path, script(f"{GATE} | tee log").replace("    timeout", "    container: a\n    timeout"))[0]
    )


@needs_sandbox
@pytest.mark.slow
def test_a_script_that_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "STEP_SECONDS", 1)
    (comment,) = rules(tmp_path, script("sleep 1000", GATE))
    assert "cannot be decided: it did not end within 1 seconds" in comment


@needs_sandbox
@pytest.mark.slow
def test_a_later_step_may_fail_the_job(tmp_path):
    fails = '\n      - run: test -z "$FAILED"'
    assert rules(tmp_path, replaced((RUN, f"- run: {OTHER}{fails}"))) == []
    two = replaced((RUN, f"- run: {GATE} || true\n      {RUN}"))
    assert rules(tmp_path, two) == []


@needs_sandbox
@pytest.mark.slow
def test_the_repository_s_own_scripts_are_there(tmp_path):
    (tmp_path / "check-gate.sh").write_text(GATE + "\n", "utf-8")
    assert rules(tmp_path, script("sh check-gate.sh")) == []
    (tmp_path / "check-gate.sh").write_text(GATE + " || true\n", "utf-8")
    assert "ignores" in rules(tmp_path, script("sh check-gate.sh"))[0]
    both = (
        "- uses: actions/checkout@v5\n        with: {ref: main, path: trusted}\n      - uses: actions/checkout@v5\n"
        + ("        with: {path: change}")
    )
    text = replaced(("- uses: actions/checkout@v5", both), (GATE, "python trusted/gate.py change/main"))
    assert rules(tmp_path, text) == []
    assert "not on the project" in rules(tmp_path, text.replace("change/main", "trusted/main"))[0]


def test_without_a_sandbox_no_script_runs_and_one_command_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "why_unavailable", lambda: "bubblewrap runs on Linux only")
    monkeypatch.setattr(steps.run_sandboxed, "run_python", lambda *_: pytest.fail("ran a student's script"))
    assert rules(tmp_path, GOOD) == []
    for lines in ([f"{GATE} | tee log"], [f"touch x; {GATE}"], [f"echo {GATE}"]):
        (comment,) = rules(tmp_path, script(*lines))
        assert "cannot be decided" in comment
        assert "Linux only" in comment


RIGHT = {
    "as it is": GOOD,
    "anchors": replaced(
        ("contents: read", "contents: &r read"), ("timeout-", "permissions: {contents: *r}\n    timeout-")
    ),
    "quoted on": replaced(("on:", '"on":')),
    "a word": replaced(("[pull_request]", "pull_request")),
    "no filters": replaced(("on: [pull_request]", "on:\n  pull_request:\n  push:\n    branches: [main]")),
    "all default types": on("types: [opened, synchronize, reopened, ready_for_review]"),
    "into main": on("branches: [main]"),
    "into every branch": on("branches: ['**']"),
    "not into docs": on("branches-ignore: ['docs/**']"),
    "every path": on("paths: ['**']"),
    "with a merge queue": replaced(("[pull_request]", "[pull_request, merge_group]")),
    "does not continue on error": step("continue-on-error: false"),
    "an expression that is false": step("continue-on-error: ${{ false }}"),
    "always": step("if: always()"),
    "on pull requests": job("if: ${{ github.event_name == 'pull_request' }}"),
    "on a push, too": job("if: github.event_name == 'push' || github.event_name == 'pull_request'"),
    "into main only": job("if: ${{ github.base_ref == 'main' }}"),
    "not cancelled": step("if: ${{ !cancelled() }}"),
    "either way": step("if: success() || failure()"),
    "after a job, always": after("name: pre", "    if: always()\n"),
    "after a job, unless cancelled": after("name: pre", "    if: ${{ !cancelled() && true }}\n"),
    "a job that others need": replaced(("jobs:\n", f"jobs:\n  post: {{needs: gate, {MORE}}}\n")),
    "a matrix": job("strategy: {matrix: {python: ['3.11', '3.12']}}"),
    "a matrix of one more": job("strategy: {matrix: {include: [{python: '3.11'}]}}"),
    "a matrix without some": job("strategy: {matrix: {os: [a, b], exclude: [{os: a}]}}"),
    "permissions of the job": replaced(
        ("permissions:\n  contents: read\n", ""), ("timeout-", "permissions: {contents: read}\n    timeout-")
    ),
    "read-all": replaced(("permissions:\n  contents: read", "permissions: read-all")),
    "no permissions at all": replaced(("permissions:\n  contents: read", "permissions: {}")),
    "a limit of the step": replaced(("    timeout-minutes: 10\n", ""), (RUN, RUN + "\n        timeout-minutes: 10")),
    "Windows": replaced(("ubuntu-latest", "windows-latest")),
    "the head of the change": replaced((CHECKOUT, CHECKOUT + "\n        with: {ref: '${{ github.sha }}'}")),
}
WRONG = {
    "push": (replaced(("[pull_request]", "push")), ":2: does not run on pull"),
    "by hand": (replaced(("[pull_request]", "workflow_dispatch")), ":2: does not run on pull"),
    "on a schedule": (replaced(("[pull_request]", "{schedule: [{cron: '0 0 * * *'}]}")), ":2: does not run"),
    "after another workflow": (replaced(("[pull_request]", "[workflow_run, workflow_call]")), ":2: does not run"),
    "with secrets": (replaced(("[pull_request]", "[pull_request, pull_request_target]")), ":2: gives the code of"),
    "a label": (on("types: [labeled]"), ":4: does not run when a pull request is opened or changed"),
    "opened": (on("types: opened"), ":4: does not run when a pull request is changed"),
    "no type": (on("types: []"), ":4: does not run when"),
    "docs": (on("paths: ['docs/**']"), ":4: runs only if some files change"),
    "all but docs": (on("paths: ['**', '!docs/**']"), ":4: runs only if some files"),
    "ignored paths": (on("paths-ignore: ['**.md']"), ":4: runs only if some files"),
    "into develop": (on("branches: [develop, 'release/*']"), ":4: leaves out"),
    "not into main": (on("branches-ignore: ['m*']"), ":4: leaves out"),
    "into all but main": (on("branches: ['**', '!ma*']"), ":4: leaves out"),
    "true": (step("continue-on-error: true"), ":12: lets the job pass"),
    "an expression": (step("continue-on-error: ${{ true }}"), ":12: lets the job pass"),
    "of a matrix": (job("continue-on-error: ${{ matrix.new }}"), ":9: may let the job pass"),
    "a text": (step("continue-on-error: 'true'"), ":12: lets the job pass"),
    "after a failure": (step("if: failure()"), ":12: runs the gate on a condition"),
    "never": (job("if: ${{ false }}"), ":9: runs the gate on a condition"),
    "not for drafts": (job("if: github.event.pull_request.draft == false"), ":9: runs the gate on a condition"),
    "both": (job("if: always() && github.actor != 'x'"), ":9: runs the gate on a condition"),
    "in a denial": (job("if: '!(github.actor || always() || 1)'"), ":9: runs the gate on a condition"),
    "in a quotation": (job("if: github.actor == '||always()||'"), ":9: runs the gate on a condition"),
    "on push": (step("if: github.event_name == 'push'"), ":12: runs the gate on a condition"),
    "a job that is skipped": (after("if: github.actor == 'x'"), ":12: runs the gate after pre only"),
    "a job that fails": (after("name: pre"), ":12: runs the gate after pre only"),
    "after success or failure": (after("name: pre", "    if: success() || failure()\n"), "runs the gate after pre"),
    "an empty matrix": (job("strategy: {matrix: {python: []}}"), ":9: has an empty matrix"),
    "all excluded": (job("strategy: {matrix: {os: [a, b], exclude: [{os: a}, {os: b}]}}"), ":9: has an empty matrix"),
    "nothing included": (job("strategy: {matrix: {include: []}}"), ":9: has an empty matrix"),
    "a computed matrix": (job("strategy: {matrix: '${{ fromJSON(vars.M) }}'}"), ":9: has a matrix whose size cannot"),
    "the job may write": (job("permissions: write-all"), ":9: may write"),
    "the workflow may write": (replaced(("contents: read", "id-token: write")), ":3: may write"),
    "all may write": (replaced(("permissions:\n  contents: read", "permissions: write-all")), ":3: may write"),
    "no permissions": (replaced(("permissions:\n  contents: read\n", "")), ":3: sets no permissions"),
    "no limit": (replaced(("    timeout-minutes: 10\n", "")), ":6: may run for six hours"),
    "six hours": (replaced(("minutes: 10", "minutes: 360")), ":8: has a time limit of 360"),
    "a computed limit": (replaced(("minutes: 10", "minutes: ${{ vars.T }}")), ":8: has a time limit that cannot"),
    "no checkout": (replaced(("      - uses: actions/checkout@v5\n", "")), ":10: has no copy"),
    "a checkout afterwards": (replaced((f"{CHECKOUT}\n      {RUN}", f"{RUN}\n      {CHECKOUT}")), ":10: has no copy"),
    "a checkout of main": (replaced(("checkout@v5", "checkout@v5\n        with: {ref: main}")), ":12: checks another"),
    "another workflow": (
        replaced((f"steps:\n      {CHECKOUT}\n      {RUN}", "uses: ./x.yml")),
        ":9: calls ./x.yml, and",
    ),
    "an action": (replaced((RUN, "- uses: ./gate")), ":11: calls ./gate, and whether"),
    "an action that runs it": (
        replaced((RUN, f"- uses: nick-fields/retry@v3\n        with: {{command: {GATE}}}")),
        ":11: calls nick-fields/retry@v3, and whether",
    ),
    "no gate": (replaced((GATE, "python -m pytest")), ":9: never runs the gate"),
    "a key twice": (step("run: echo ok"), ": is refused by GitHub: line 12 has the key `run`"),
    "a merge key": (replaced(("timeout-", "<<: {a: b}\n    timeout-")), ": is refused by GitHub: line 8 has a merge"),
    "a list as a key": (replaced(("name: gate", "? [a]\n: b")), ": is not valid YAML"),
    "an anchor in itself": ("on: &a [*a]\njobs: &b {x: *b}\n", ":1: does not run on pull requests"),
    "depth": ("[" * 1000, ": is not valid YAML"),
    "not text": (codecs.BOM_UTF8 + b"\xff", ": is not text in UTF-8"),
    "Latin-1": (GOOD.replace("gate\n", "Prüfung\n", 1).encode("latin-1"), ": is not text in UTF-8"),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_a_workflow_that_blocks_a_merge(text, tmp_path):
    assert rules(tmp_path, text) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_a_byte_order_mark_and_line_ends_of_windows(encoding, tmp_path):
    assert rules(tmp_path, GOOD.replace("\n", "\r\n").encode(encoding)) == []


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_workflow_that_does_not(text, words, tmp_path):
    assert any(words in comment for comment in rules(tmp_path, text))


def test_a_gate_that_blocks_is_enough(tmp_path):
    second = (
        f"  also:\n    runs-on: a\n    timeout-minutes: 1\n    if: false\n    steps:\n      {CHECKOUT}\n      {RUN}\n"
    )
    assert rules(tmp_path, GOOD + second) == []


def test_many_aliases_of_an_anchor_cost_no_time(tmp_path):
    layers = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    assert rules(tmp_path, GOOD + "\n".join(layers)) == []
