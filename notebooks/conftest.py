"""Keep the cells of a notebook in one process when `pytest --nbval notebooks/` runs in parallel."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if config.getoption("numprocesses", None):
        config.option.dist = "loadfile"
