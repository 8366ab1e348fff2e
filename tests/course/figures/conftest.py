from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def no_window(monkeypatch):
    """Keep figures open for the test to read, without a window, and close them afterwards."""
    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


@pytest.fixture
def texts():
    """`texts(drawing)` lists all texts of a drawing, which must be well-formed XML."""

    def read(drawing):
        nodes = ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
        return ["".join(node.itertext()) for node in nodes]

    return read
