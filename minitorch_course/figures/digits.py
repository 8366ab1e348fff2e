"""Small images in a row, such as digits of 8 by 8 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Sequence


def show(images: Any, titles: Sequence[str], columns: int = 10) -> None:
    """Plot images with titles, dark where there is ink."""
    rows = -(-len(images) // columns)
    _, grid = plt.subplots(rows, columns, figsize=(columns, 1.25 * rows), layout="constrained", squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(title, fontsize=10)
    plt.show()
