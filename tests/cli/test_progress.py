from rich.console import Console

from minitorch.cli.progress import progress_bar


def test_without_a_terminal_nothing_is_written(capsys):
    with progress_bar("verifying 02") as update:
        update(1, 2)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_bar_shows_its_description_and_count(capsys, monkeypatch):
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(stderr=stderr, force_terminal=True, width=80))
    with progress_bar("verifying 02") as update:
        update(3, 7)
    out, err = capsys.readouterr()
    assert out == ""
    assert "verifying 02" in err
    assert "3/7" in err
