from rich.console import Console

from minitorch.cli.bar import bar


def test_without_a_terminal_nothing_is_written(capsys):
    with bar("verifying 02") as done:
        done(1, 2)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_says_what_is_done_and_how_far(capsys, monkeypatch):
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(stderr=stderr, force_terminal=True, width=80))
    with bar("verifying 02") as done:
        done(3, 7)
    out, err = capsys.readouterr()
    assert out == ""
    assert "verifying 02" in err and "3/7" in err
