"""Keep the cells of a notebook in one process and in order, whatever plugins `pytest --nbval notebooks/` runs with."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Give each notebook to one worker of pytest-xdist, and keep pytest-randomly from shuffling its cells."""
    if config.getoption("numprocesses", None):
        config.option.dist = "loadfile"
    config.option.randomly_reorganize = False
