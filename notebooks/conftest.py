"""What `pytest --nbval notebooks/` needs: the cells of a notebook stay together, in one process."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if config.getoption("numprocesses", None):
        config.option.dist = "loadfile"
