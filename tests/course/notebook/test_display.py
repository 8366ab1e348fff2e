from minitorch_course.notebook.display import listen, publish

BUNDLE = {"text/plain": "text", "text/html": "<b>text</b>"}


def test_without_a_notebook_the_text_is_printed(capsys):
    publish(BUNDLE)
    assert capsys.readouterr().out == "text\n"


def test_the_innermost_listener_gets_the_bundle(capsys):
    outer, inner = [], []
    with listen(outer.append):
        with listen(inner.append):
            publish(BUNDLE)
        publish({"text/plain": "second"})
    assert (outer, inner) == ([{"text/plain": "second"}], [BUNDLE])
    assert capsys.readouterr().out == ""
