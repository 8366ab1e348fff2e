import re
import xml.etree.ElementTree as ET

import pytest

from minitorch.cli.tour.chart import loss_chart

SVG = "{http://www.w3.org/2000/svg}"


def drawn(rows, **options):
    return ET.fromstring(loss_chart(rows, 64, **options))


def points(svg, kind):
    return [tuple(map(float, p.split(","))) for p in svg.find(f"polyline[@class='{kind}']").get("points").split()]


ROWS = [{"step": i, "loss": 4.0 - i / 100} for i in range(1, 201)]
ROWS[99] |= {"val_loss": 3.5}
ROWS[199] |= {"val_loss": 2.5}


def test_losses_are_drawn_at_the_ticks():
    svg = drawn(ROWS)
    ticks = {float(t.text): float(t.get("y")) - 5 for t in svg.findall("text") if t.get("class") is None}
    steps = {float(t.text): float(t.get("x")) for t in svg.findall("text[@class='step']")}
    assert min(ticks) <= 2
    assert max(ticks) >= 4.16
    assert ticks[3] > ticks[4]
    assert {0, 200} <= set(steps)
    assert points(svg, "batch")[99] == pytest.approx((steps[100], ticks[3]), abs=1)
    assert points(svg, "validation") == [
        pytest.approx((steps[100], ticks[3.5]), abs=1),
        pytest.approx((steps[200], ticks[2.5]), abs=1),
    ]
    assert points(svg, "guess")[0][1] == pytest.approx((ticks[4] + 0.159 * (ticks[4] - ticks[3])), abs=1)


def test_the_training_line_is_smoothed_and_the_stop_is_marked():
    wild = [{"step": i, "loss": 3 + (-1) ** i} for i in range(1, 401)]
    svg = drawn(wild, stopped_at=50)
    heights = [y for _, y in points(svg, "training")][10:-10]
    assert max(heights) - min(heights) < 0.3 * (max(y for _, y in points(svg, "batch")) - min(heights))
    (x, _), (same, _) = points(svg, "stop")
    assert x == same == points(svg, "batch")[49][0]
    assert drawn(wild).find("polyline[@class='stop']") is None


@pytest.mark.parametrize("rows", [[{"step": 1, "loss": 4.2}], [{"step": 1, "loss": 900.0}, {"step": 2, "loss": 1e-3}]])
def test_extreme_runs_are_drawn_inside_the_axes(rows):
    svg = drawn(rows)
    _, _, width, height = map(float, svg.get("viewBox").split())
    for x, y in (point for line in svg.findall("polyline") for point in points(svg, line.get("class")) if point):
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_the_label_describes_the_chart_in_words():
    assert re.search(r"The loss falls from 3\.99 to a validation loss 2\.50", drawn(ROWS).get("aria-label") or "")
