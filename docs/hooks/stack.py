"""The picture of the stack, with each notebook on its layer, and the table of skills.

A notebook declares its layers: in the drawing of its first cell an arrow `<-` points at them.
`python docs/hooks/stack.py` redraws the README's picture, `docs/images/stack.svg`.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from minitorch_course.student.skills import SKILLS

ROOT = Path(__file__).parents[2]
LAYERS = {
    "application": "a chat window, a digit reader",
    "MLOps": "runs, metrics, packages",
    "hubs": "weights and data for everybody",
    "frameworks": "JAX, PyTorch, minitorch",
    "clusters": "many machines as one",
    "hardware": "multiply, add",
}
STYLE = """
.stack{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif}
.stack .layer{fill:var(--stack-layer)}.stack .ours{fill:var(--stack-ours)}
.stack .chip rect{fill:var(--stack-chip);stroke:var(--stack-line)}
.stack .chip text{fill:var(--stack-link);font-size:14px}
.stack .name{fill:var(--stack-ink);font-size:17px;font-weight:600}.stack .of{fill:var(--stack-quiet);font-size:13px}
"""
ALONE = """
svg{--stack-layer:#f3f0e9;--stack-ours:#cfe3f1;--stack-chip:#fbfaf7;--stack-line:#c9c2b4;--stack-link:#0a5c9e;
--stack-ink:#23211d;--stack-quiet:#5f594f}
@media(prefers-color-scheme:dark){svg{--stack-layer:#22201d;--stack-ours:#12344d;--stack-chip:#181715;--stack-line:#4a463f;
--stack-link:#8cc4f2;--stack-ink:#e6e2d9;--stack-quiet:#b1aa9d}}
"""
CHIP, ROW, PAD, GAP = 28, 34, 10, 8  # Pixels.


class Notebook(NamedTuple):
    """A notebook's name and layers."""

    name: str
    layers: tuple[str, ...]

    @property
    def label(self) -> str:
        """The number and the topic, from the file's name."""
        return f"{self.name[:2]} {self.name[3:].replace('_', ' ').capitalize()}"


def notebooks() -> list[Notebook]:
    """Return the notebooks, in order."""
    return [_notebook(path.with_suffix(".py")) for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))]


def _notebook(path: Path) -> Notebook:
    text = path.read_text(encoding="utf-8")
    first = text.removeprefix("# %%").partition("\n# %%")[0]
    pointed = re.findall(r"^# +(\w+) .*<-", first, re.MULTILINE)
    return Notebook(path.stem, tuple(layer for layer in LAYERS if layer in pointed))


def stack(shown: list[Notebook], width: int, kind: str = "", alone: bool = False) -> str:
    """Draw the layers from top to bottom, `width` pixels wide, as SVG. Notebooks link to their pages unless `alone`."""
    narrow = width < 600
    left = PAD if narrow else 250
    shapes, y = [], 0.0
    for layer, words in LAYERS.items():
        top = 50 if narrow else PAD
        chips, height = _chips([book for book in shown if layer in book.layers], left, top, width - PAD, alone)
        height = max(height, 52)
        title = f'<text class="name" x="14" y="22">{layer}</text><text class="of" x="14" y="40">{words}</text>'
        ours = " ours" if layer == "frameworks" else ""
        box = f'<rect class="layer{ours}" width="{width}" height="{height}" rx="6"/>'
        shapes.append(f'<g transform="translate(0 {y:g})">{box}{title}{chips}</g>')
        y += height + 5
    title = "Six layers, from application to hardware, and on each the notebooks that build it"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="stack {kind}" role="img" viewBox="0 0 {width} {y - 5:g}">'
        f"<title>{title}</title><style>{ALONE if alone else ''}{STYLE}</style>{''.join(shapes)}</svg>"
    ).replace("\n", "")


def _chips(books: list[Notebook], left: float, top: float, right: float, alone: bool) -> tuple[str, float]:
    """Draw the notebooks of a layer, wrapped into lines, and return them with the layer's height."""
    drawn, x, y = [], left, top
    for book in books:
        wide = 7.4 * len(book.label) + 18
        if x + wide > right and x > left:
            x, y = left, y + ROW
        chip = (
            f'<g class="chip"><rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{CHIP}" rx="5"/>'
            f'<text x="{x + wide / 2:g}" y="{y + 19:g}" text-anchor="middle">{escape(book.label)}</text></g>'
        )
        drawn.append(chip if alone else f'<a href="notebooks/{book.name}.html">{chip}</a>')
        x += wide + GAP
    return "".join(drawn), (y + CHIP + PAD if books else top)


def skills(shown: list[Notebook]) -> str:
    """Return a table of the notebooks and labs that train each skill."""
    books = {book.name[:2]: f"[{book.label}](notebooks/{book.name}.md)" for book in shown}
    labs = {path.parent.name: path.parent.name for path in (ROOT / "labs").glob("*/README.md")}
    pages = books | {name: f"[lab {name}](labs/{name}.md)" for name in labs}
    rows = [
        f"| **{skill}** | {' · '.join(pages[name] for name in names.split() if name in pages)} |"
        for skill, names in SKILLS.items()
    ]
    return "\n".join(["| skill | trained in |", "|---|---|", *rows])


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Insert the picture and the table into pages that contain their markers."""
    if "<!-- stack -->" in markdown:
        both = stack(notebooks(), 960, "wide") + stack(notebooks(), 380, "narrow")
        markdown = markdown.replace("<!-- stack -->", f"<div>{both}</div>")
    return markdown.replace("<!-- skills -->", skills(notebooks())) if "<!-- skills -->" in markdown else markdown


if __name__ == "__main__":
    picture = ROOT / "docs" / "images" / "stack.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(stack(notebooks(), 960, alone=True) + "\n", encoding="utf-8")
