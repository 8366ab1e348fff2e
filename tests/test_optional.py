"""A missing package raises one line with the install command; a slow one that nobody needs is not imported."""

import json
import sys

import pytest

from minitorch._optional import UNWANTED, require, without_rfc3987


def test_a_module_that_is_installed_is_returned():
    assert require("json", "reading", "pip install json") is json
    assert require("json.decoder", "reading", "pip install json") is json.decoder


def test_a_missing_module_names_its_package_the_purpose_and_the_command():
    message = "^reading needs the package no_such_package, which is not installed: pip install it$"
    with pytest.raises(ImportError, match=message):
        require("no_such_package.reader", "reading", "pip install it")


def test_the_unwanted_package_cannot_be_imported_inside_only(monkeypatch):
    monkeypatch.delitem(sys.modules, UNWANTED, raising=False)
    with without_rfc3987(), pytest.raises(ImportError, match=UNWANTED):
        __import__(UNWANTED)
    assert UNWANTED not in sys.modules
    with pytest.raises(KeyError, match="inside"), without_rfc3987():
        raise KeyError("inside")
    assert UNWANTED not in sys.modules


def test_an_unwanted_package_that_was_imported_stays(monkeypatch):
    monkeypatch.setitem(sys.modules, UNWANTED, json)
    with without_rfc3987():
        assert __import__(UNWANTED) is json
    assert sys.modules[UNWANTED] is json
