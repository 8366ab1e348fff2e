import re

import pytest

from minitorch.train import read_record
from minitorch.train.model_card import _si

SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


def test_the_card_has_the_sections_of_the_paper_filled_from_the_run(finished):
    result, _ = finished
    card = (result.out / "model-card.md").read_text("utf-8")
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == SECTIONS
    provenance = read_record(result.out).provenance
    for fact in (
        provenance.data_sha256,
        f"{provenance.parameters:,} parameters",
        f"{result.val_loss:.4f}",
        "24 steps of 4 x 16",
    ):
        assert fact in card
    links = set(re.findall(r"\]\(([^)]*)\)", card))
    assert links == {"datasheet.md", "loss.png"}
    assert all((result.out / link).is_file() for link in links)


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5 "), (999, "999 "), (12_345, "12.3 k"), (6.02e14, "602 T")])
def test_large_numbers_get_the_prefix_of_their_unit(value, text):
    assert _si(value) == text
