"""The site in a real browser: loading, search, figures, slides, the dark theme and a phone's width."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.costly]

ROOT = Path(__file__).parents[2]
PAGES = [
    "index.html",
    "five-minutes.html",
    "term-plan.html",
    "notebooks/02_autodiff.html",
    "lectures/00_open_source_ai.html",
    "explanation/resume.html",
    "reference/nn.html",
    "compare/train_step.html",
]
DARK = 90  # The brightest background of the dark theme, of 255.


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Testing the site in a browser needs playwright from PyPI."
    )
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("Testing the site in a browser needs Chromium: apt install chromium")
    options = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(site):
    """The address of the site, served on this machine only."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def look(browser, address):
    """`look(path, width=..., scheme=...)` is a page in the browser; `complaints` lists its errors and warnings."""
    opened = []

    def open_page(path, width=1300, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.complaints = []
        page.on(
            "console",
            lambda message: page.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("response", lambda got: page.complaints.append(f"{got.status} {got.url}") if got.status > 399 else None)
        page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "file:")) else page.complaints.append(r.url),
        )
        opened.append(page)
        page.goto(address + path)
        return page

    yield open_page
    for page in opened:
        page.close()


@pytest.mark.parametrize("width", [1300, 390])
def test_pages_load_without_errors_and_fit(look, address, width):
    page = look(PAGES[0], width)
    for path in PAGES:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.complaints == [], path


@pytest.mark.parametrize("served", [True, False], ids=["served", "from a file"])
def test_the_search_finds_softmax(look, site, served):
    page = look("index.html")
    if not served:
        page.goto((site / "index.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("softmax")
    results = page.locator(".md-search-result__link")
    results.first.wait_for()
    assert any("softmax" in words.lower() for words in results.all_inner_texts())
    assert any("notebooks/" in link.get_attribute("href") for link in results.all())
    assert page.complaints == []


def test_a_notebook_shows_its_figures(look):
    page = look("notebooks/02_autodiff.html")
    figures = page.locator("img.figure")
    figures.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('img.figure').complete")
    assert figures.count() >= 10
    assert page.evaluate("document.querySelector('img.figure').naturalWidth") > 300


def test_slides_advance(look):
    page = look("lectures/00_open_source_ai.html")
    page.get_by_role("link", name="slides").click()
    page.wait_for_url("**-slides.html*")
    shown = page.locator(".slide.now")
    assert "The open-source AI stack" in shown.inner_text()
    page.keyboard.press("ArrowRight")
    assert "Which parts can you read?" in shown.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "The open-source AI stack" in shown.inner_text()
    assert page.complaints == []


def test_the_picture_of_the_stack_links_to_every_notebook(look):
    page = look("index.html")
    links = {link.get_attribute("href") for link in page.locator(".stack.wide a").all()}
    assert links == {f"notebooks/{path.stem}.html" for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    page.locator(".stack.wide a", has_text="02 Autodiff").click()
    page.wait_for_url("**/notebooks/02_autodiff.html")
    assert not page.locator(".stack").count()


def test_the_dark_theme_is_dark_and_a_phone_gets_the_narrow_picture(look):
    page = look("index.html", 390, "dark")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert all(int(part) <= DARK for part in colour.strip("rgb()").split(","))
    assert page.locator(".stack.narrow").is_visible()
    assert not page.locator(".stack.wide").is_visible()
