"""The pictures are drawn, and the same figures make the same bytes."""

from __future__ import annotations

from pathlib import Path

from dialer.bench.pacing.cells import Cell
from dialer.bench.pacing.compare import Comparison
from dialer.bench.pacing.pictures import draw
from dialer.bench.pacing.summary import Curve, Point

CURVES = [
    Curve(Cell("markov", 10, 0.2), "predictive", [Point(0.01, 0.77), Point(0.03, 0.81)]),
    Curve(Cell("markov", 10, 0.2), "optimum", [Point(0.01, 0.78), Point(0.03, 0.82)]),
]


def test_curves(tmp_path: Path) -> None:
    comparison = Comparison(seeds=2, share=1.0, lines=[], curves=CURVES)
    (first,) = draw(tmp_path, "markov", comparison)
    drawn = first.read_bytes()
    assert drawn.startswith(b"\x89PNG")
    draw(tmp_path, "markov", comparison)
    assert first.read_bytes() == drawn


def test_a_shift_has_no_curve(tmp_path: Path) -> None:
    assert draw(tmp_path, "shift", Comparison(seeds=2, share=1.0, lines=[], curves=CURVES)) == []
