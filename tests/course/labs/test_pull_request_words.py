"""The words of a pull request: descriptions, titles, sign-offs, by GitHub's and git's own reading."""

import re
import unicodedata

import pytest

from minitorch_course.labs.git import Git
from minitorch_course.labs.pull_request import check, description, history, issues, mood, scope
from minitorch_course.labs.pull_request.mood import is_not_imperative
from minitorch_course.labs.text import count_words, read_text

TEXT = """Branch: spelling
Closes: #1

# Spell occurrence with two r

## What changes for users

The guide is spelt correctly.

## How it is tested

I read the page again, and ran ci.py.
"""
BODY = "I read the page again, and ran ci.py."


def reviewed(tmp_path, text, encoding="utf-8"):
    (tmp_path / "pull-requests").mkdir(exist_ok=True)
    content = text if isinstance(text, bytes) else text.encode(encoding)
    (tmp_path / "pull-requests/1.md").write_bytes(content)
    described = description.read(tmp_path, 1)
    assert described
    return described, [str(comment).removeprefix("pull-requests/1.md") for comment in description.review(described)]


def closing(words):
    return TEXT.replace("Closes: #1", words)


def how(words):
    return TEXT.replace(BODY, words)


RIGHT = {
    "as it is": TEXT,
    "lines of Windows": TEXT.replace("\n", "\r\n"),
    "lower-case keys": TEXT.replace("Branch", "branch").replace("Closes", "closes"),
    "a branch in code": TEXT.replace(" spelling\n", " `spelling`\n", 1),
    "a space after a heading": TEXT.replace("users\n", "users \n"),
    "a closed heading": TEXT.replace("## What changes for users", "## What changes for users ##"),
    "underlined headings": TEXT.replace("## How it is tested", "How it is tested\n---"),
    "a deeper heading": TEXT.replace("## How", "#### How"),
    "a colon, and another case": TEXT.replace("## How it is tested", "## How It Is Tested:"),
    "an emphasized heading": TEXT.replace("## How it is tested", "## **How it is tested**"),
    "a sub-heading first": how(f"### By hand\n\n{BODY}"),
    "output in a fence": how("```\n## 3 passed in 0.1 s\n```"),
    "a fence of tildes": how("~~~ text\n# four words are here\n~~~"),
    "indented code": how("    ## four words are here"),
    "a list": how("* read it\n* ran ci.py"),
    "a table": how("| by | result |\n|---|---|\n| ci.py | passes |"),
    "a quotation": how("> all the tests passed"),
    "folded": how("<details><summary>By hand</summary>ran all tests</details>"),
    "Chinese": how("我重新阅读了该页面。"),
    "Japanese": how("ページをもう一度読みました。"),
    "Korean": how("저는 이 페이지를 다시 읽었습니다."),
    "Thai": how("ฉันอ่านหน้านี้อีกครั้ง"),
    "Arabic": how("قرأت الصفحة مرة أخرى."),
    "a Chinese title": TEXT.replace("# Spell occurrence with two r", "# 修正拼写错误"),
    "a separator in a line": TEXT.replace("# Spell", "a\x0bb\x85c\u2028d\n\n# Spell"),
    "a full stop": closing("Closes: #1."),
    "a list of issues": closing("Closes #1, closes #2"),
    "in a sentence": closing("This pull request fixes #1, at last."),
    "that it does not": closing("This does not fix #1 (GitHub closes it all the same)."),
    "the repository": closing("Resolves: maintainers/tinyscore#1"),
    "an address": closing("Fixes https://github.com/maintainers/tinyscore/issues/1"),
    **{word: closing(f"{word} #1") for word in ("close", "Closed:", "FIX", "fixes:", "FIXED", "resolve", "Resolved:")},
}
WRONG = {
    "no branch": (TEXT.replace("Branch: spelling\n", ""), ":1: does not name a branch"),
    "two words": (TEXT.replace("Branch: spelling", "Branch: my branch"), ":1: does not name a branch"),
    "no issue": (closing("Refs: #1"), ":2: does not say which"),
    "another issue": (closing("Closes: #11"), ":2: does not say which"),
    "another keyword": (closing("Closing #1"), ":2: does not say which"),
    "a part of a word": (closing("Discloses #1"), ":2: does not say which"),
    "not the next word": (closing("Closes #2 and #1"), ":2: does not say which"),
    "no number sign": (closing("Closes 1"), ":2: does not say which"),
    "another repository": (closing("Closes numpy/numpy#1"), ":2: does not say which"),
    "in code": (closing("`Closes #1`"), ":2: does not say which"),
    "in a fence": (closing("```\nCloses #1\n```"), ":2: does not say which"),
    "in a comment": (closing("<!-- Closes #1 -->"), ":2: does not say which"),
    "no title": (TEXT.replace("# Spell occurrence with two r\n", ""), ": has no title"),
    "a title of one word": (TEXT.replace("# Spell occurrence with two r", "# Spelling"), ": has no title"),
    "a title in a fence": (TEXT.replace("# Spell occurrence with two r", "```\n# Spell it\n```"), ": has no title"),
    "a section as the title": (
        TEXT.replace("# Spell occurrence with two r", "").replace("## How", "# How"),
        ": has no title",
    ),
    "no section": (TEXT.replace("## How it is tested", "How it is tested"), ": has no section `## How"),
    "a section in a fence": (TEXT.replace("## How it is tested", "```\n## How it is tested\n```"), ": has no section"),
    "a section in a list": (TEXT.replace("## How it is tested", "* ## How it is tested"), ": has no section"),
    "an empty section": (how(""), ":10: leaves `How it is tested` empty"),
    "three words": (how("It is tested."), ":10: leaves"),
    "signs only": (how("- - -\n\n... ... ... ... ..."), ":10: leaves"),
    "a comment only": (how("<!-- say here how it was tested -->"), ":10: leaves"),
    "an open comment": (how("<!-- say here how it was tested"), ":10: leaves"),
    "a sub-heading only": (how("### All of it by hand"), ":10: leaves"),
    "two letters": (how("没有"), ":10: leaves"),
    "a placeholder": (how("REPLACE THIS"), ":12: still says 'REPLACE THIS'"),
    "Latin-1": (TEXT.replace("page", "pägé").encode("latin-1"), ": is not text in UTF-8 (byte"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "does not name a branch"),
    "half a letter": (b"\xef\xbb\xbf" + TEXT.encode() + b"\xe6", ": is not text in UTF-8"),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_a_description_that_is_in_order(text, tmp_path):
    described, comments = reviewed(tmp_path, text)
    assert comments == []
    assert described.branch == "spelling"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_description_in_every_encoding_that_editors_save(encoding, tmp_path):
    assert reviewed(tmp_path, TEXT.replace("page", "Seite — 页"), encoding)[1] == []
    mark = "\ufeff".encode("utf-16-be")
    assert reviewed(tmp_path, mark + TEXT.encode("utf-16-be"))[1] == []


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_description_that_is_not(text, words, tmp_path):
    comments = reviewed(tmp_path, text)[1]
    assert any(words in comment for comment in comments)


def test_a_description_that_cannot_be_read_has_one_comment(tmp_path):
    described, comments = reviewed(tmp_path, b"\xff")
    assert len(comments) == 1
    upstream = check._Upstream(None, tmp_path, tmp_path, {})  # pyright: ignore[reportArgumentType]
    assert "UTF-8" in upstream._no_branch(described).text
    assert "does not name a branch" in upstream._no_branch(description.Description(1, "", "")).text


def test_words_of_every_script():
    assert count_words("one two-three, four's -- ... #5") == 4
    assert count_words("修正拼写错误") == 3
    assert count_words("修正 a typo") == 3
    assert count_words("") == count_words(" -- ") == 0


def test_a_text_has_newlines_only(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_text(tmp_path / "a") == "a\nb\nc\n"


IMPERATIVE = """
Ping the scorer|Heed the case|Weed out words|Swing the loop|Ring a bell|Bring it back|String them together|Wring it out
Spring clean the code|Sling the data|Embed the words|Exceed the limit|Feed the model|Need no division|Proceed as before
Seed the generator|Shed the load|Speed up the loop|Breed more cases|Shred the cache|Bed it in|Focus on positives
Alias the name|Bias the score|Pass the labels|Process the words|Address the case|Access the field|Miss no case
Discuss the score|Canvas the users|Guess less often|Index the words|Cross the bridge|Dismiss the warning|Set it to 0.0
Read it once|Put it first|Split the words|Let it be|Cut the loop|Reset the count|Always return 0.0|Never divide by zero
Only divide if needed|Apply the rule|Multiply fixed values|Rely on the sum|Do not fail|Be strict|Bound the loss
Now return 0.0|Silently ignore it|Re-add the test|Undo the change|Fly less|Pluralize it|Harness the test|Ceil it
Left-pad the numbers|Deduplicate positives|Lens the view|Use the sum|Free the memory|Progress by one|Overdo nothing
"""
OTHER = """
Fixed the loop|Fixes the loop|Fixing the loop|Added a test|Adds a test|Adding a test|Stopped the loop|Planning a test
Tried it again|Applies the rule|Copied the words|Used the sum|Using the sum|Uses the sum|Wrote a test|Made it faster
Ran the tests|Found the bug|Built the docs|Is now 0.0|Was wrong before|Does not fail|Has a test|Doing it again
Always returns 0.0|Now returning 0.0|Finally fixed it|Also adds a test|Agreed on 0.0|Passes the labels|Focused the test
Processed the words|Embedded the words|FIXED the loop|Fixed: the loop|Normalised it|Normalizes it|Splitting the words
"""


@pytest.mark.parametrize("title", [title for line in IMPERATIVE.split("\n") if line for title in line.split("|")])
def test_an_imperative(title):
    assert not is_not_imperative(title)


@pytest.mark.parametrize("title", [title for line in OTHER.split("\n") if line for title in line.split("|")])
def test_another_form_of_a_verb(title):
    assert is_not_imperative(title)


ME = "A Student <student@example.org>"
SIGNED = f"\n\nSigned-off-by: {ME}"


def remarks(message, author=ME):
    commit = history.Commit("a" * 40, ("p",), author, message, ("f",))
    return [comment.text for comment in history.review([commit])]


TITLES = {
    "修正拼写错误": "",
    "修正 拼写错误": "",
    "تصحيح كلمة في الدليل": "",
    "שנה מילה": "",
    "Исправь слово": "",
    "Über words: count them": "",
    "ǅ is a letter": "",
    "Temper the scores": "",
    "Template the guide": "",
    "Wipe the cache": "",
    "Miscount nothing": "",
    "Stuffing is removed": "",
    "Update the guide": "",
    "é" * 2 + " begins it": "lower-case letter",
    "fix the loop": "lower-case letter",
    "исправь слово": "lower-case letter",
    "`f1`: return 0.0": "not begin with a letter",
    "2 words more": "not begin with a letter",
    "[docs] Fix a word": "not begin with a letter",
    "Fix a word.": "full stop",
    "修正拼写错误。": "full stop",
    "修正": "does not say what",
    "Fix": "does not say what",
    "WIP: divide": "does not say what",
    "Wip the loop": "does not say what",
    "Temp change": "does not say what",
    "Misc changes": "does not say what",
    "fixup! Fix a word": "does not say what",
    "Updated": "does not say what",
    "Count " + "a" * 55: "61 characters",
    "Count " + unicodedata.normalize("NFD", "é" * 54): "",
    "\ufeffCount words once": "",
}


@pytest.mark.parametrize(("title", "words"), TITLES.items())
def test_a_title(title, words):
    found = remarks(title + SIGNED)
    assert words in found[0] if words else found == []
    assert len(found) == bool(words)


BEGIN = "Count words once\n\n"
SIGN_OFFS = {
    "as git writes it": (BEGIN + f"Signed-off-by: {ME}", ME),
    "another case of the key": (BEGIN + f"Signed-Off-By: {ME}", ME),
    "another case of the address": (BEGIN + "Signed-off-by: A Student <Student@Example.ORG>", ME),
    "another case of the name": (BEGIN + "Signed-off-by: a student <student@example.org>", ME),
    "a composed letter": (BEGIN + "Signed-off-by: Zo\u00eb <z@x.org>", "Zoe\u0308 <z@x.org>"),
    "a letter of two": (BEGIN + "Signed-off-by: Zoe\u0308 <z@x.org>", "Zo\u00eb <z@x.org>"),
    "spaces": (BEGIN + "Signed-off-by:   A  Student   < student@example.org >", ME),
    "a space before the colon": (BEGIN + f"Signed-off-by : {ME}", ME),
    "several people": (BEGIN + f"Signed-off-by: B <b@x.org>\nSigned-off-by: {ME}", ME),
    "other trailers": (BEGIN + f"A reason.\n\nCloses: #1\nSigned-off-by: {ME}\nReviewed-by: B <b@x.org>", ME),
    "a folded line": (BEGIN + "Signed-off-by: A Student\n <student@example.org>", ME),
    "an address in capitals": (BEGIN + "Signed-off-by: A Student <straße@x.org>", "A Student <STRASSE@x.org>"),
    "a long trailer": (BEGIN + f"Co-authored-by: {'B ' * 30}<b@x.org>\nSigned-off-by: {ME}", ME),
}  # fmt: skip
NOT_SIGNED = {
    "none": ("Count words once", "not signed off"),
    "in the title's paragraph": (
        f"Count words once\nSigned-off-by: {ME}",
        "git reads a sign-off in the last paragraph",
    ),
    "in an earlier paragraph": (BEGIN + f"Signed-off-by: {ME}\n\nA reason.", "git reads a sign-off in the last"),
    "in a sentence": (BEGIN + f"It is Signed-off-by: {ME}", "git reads a sign-off in the last paragraph"),
    "another key": (BEGIN + f"Reviewed-by: {ME}", "not signed off"),
    "another person": (BEGIN + "Signed-off-by: B <b@x.org>", "but written by"),
    "another address": (BEGIN + "Signed-off-by: A Student <student@x.org>", "but written by"),
    "another name": (BEGIN + "Signed-off-by: Another <student@example.org>", "but written by"),
    "no address": (BEGIN + "Signed-off-by: A Student", "but written by"),
}


@pytest.mark.parametrize(("message", "author"), SIGN_OFFS.values(), ids=SIGN_OFFS)
def test_a_sign_off(message, author):
    assert remarks(message, author) == []


@pytest.mark.parametrize(("message", "words"), NOT_SIGNED.values(), ids=NOT_SIGNED)
def test_a_sign_off_that_git_does_not_read_or_of_somebody_else(message, words):
    assert any(words in remark for remark in remarks(message))


CHANGES = {
    "a new line": ("## Unreleased\n\n* New.\n* Old.\n\n## 0.1\n", True),
    "a dash": ("## Unreleased\n\n* Old.\n- New.\n\n## 0.1\n", True),
    "a heading of another form": ("## [Unreleased] ##  \n\n* New.\n\n## 0.1\n", True),
    "the last section": ("## Unreleased\n* New.\n", True),
    "an old release": ("## Unreleased\n\n* Old.\n\n## 0.1\n* New.\n", False),
    "no section": ("* New.\n\n## 0.1\n", False),
    "emphasis": ("## Unreleased\n\n*New*\n", False),
    "nothing": ("", False),
}


class OneFile:
    """A repository whose file is `text` now, and had an old line before."""

    def __init__(self, text):
        self._text = text

    def __call__(self, *_):
        return "before"

    def succeeds(self, *_):
        return True

    def text(self, revision, _):
        return "## Unreleased\n\n* Old.\n" if revision == "before" else self._text


@pytest.mark.parametrize(("text", "good"), CHANGES.values(), ids=CHANGES)
def test_a_line_in_the_changelog(text, good):
    assert bool(list(scope._changelog(OneFile(text), "base", "tip"))) != good  # pyright: ignore[reportArgumentType]


def test_a_file_that_is_not_text_has_one_comment():
    commit = history.Commit("a" * 40, ("p",), ME, "Note it" + SIGNED, ("CHANGELOG.md",))
    found = list(scope.review(OneFile(None), issues.ISSUES[1], "base", "tip", [commit]))  # pyright: ignore[reportArgumentType]
    assert [str(comment)[:40] for comment in found] == ["CHANGELOG.md: is not text in UTF-8: save"]


def test_a_byte_order_mark_does_not_hide_the_functions_of_a_file(tmp_path):
    git = Git(tmp_path)
    git("init", "-q", ".")
    contents = ("\ufeffdef f(): ...\n".encode(), "a".encode("utf-16"))
    blobs = [git("hash-object", "-w", "--stdin", stdin=content) for content in contents]
    tree = git("mktree", stdin="".join(f"100644 blob {blob}\t{i}\n" for i, blob in enumerate(blobs)).encode())
    assert set(scope.functions(git.text(tree, "0"))) == {"f"}
    assert git.text(tree, "1") is None


def forms(verb):
    """The third person, the past and the -ing form of a regular verb."""
    short = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb)  # stop, stopped
    stem = verb + verb[-1] if short else verb.removesuffix("e")
    soft = verb[:-1] if verb.endswith("y") and verb[-2] not in "aeiou" else ""
    third = f"{soft}ies" if soft else verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
    return third, f"{soft}ied" if soft else f"{stem}ed", f"{verb if verb.endswith('ee') else stem}ing"


def test_every_verb_of_the_list():
    verbs = set(mood.VERBS.split()) - {"be"}  # whose forms are irregular
    others = {form for verb in verbs for form in forms(verb)} - verbs
    assert not [verb for verb in verbs if is_not_imperative(f"Always {verb} the words")]
    assert not [form for form in others if not is_not_imperative(f"{form.capitalize()} the words")]


def test_a_message_with_the_line_ends_of_windows():
    assert remarks(f"\ufeffCount words once\n\nA reason.{SIGNED}\n".replace("\n", "\r\n")) == []
