"""Figures for Prometheus: a closed set, documented, without names or numbers of people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialer import metrics
from dialer.metrics import METRICS, Metric, Sample, of_process, render

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
LINE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+$')


def test_the_text_is_what_prometheus_reads() -> None:
    text = render([Sample(metrics.LAG, 1.5, ("projector",)), Sample(metrics.LAG, 0, ("relay",)), *of_process("up")])
    lines = text.splitlines()
    assert text.endswith("\n")
    assert 'dialer_log_lag_seconds{part="projector"} 1.5' in lines
    assert 'dialer_info{role="up"} 1' in lines
    assert lines.count("# TYPE dialer_log_lag_seconds gauge") == 1
    assert all(LINE.match(line) for line in lines if not line.startswith("# "))


def test_labels_are_escaped() -> None:
    assert render([Sample(metrics.DEPENDENCY, 1, ('a"\n\\b',))]).splitlines()[2] == (
        r'dialer_dependency_up{dependency="a\"\n\\b"} 1'
    )


def test_the_set_is_closed() -> None:
    with pytest.raises(KeyError):
        render([Sample(Metric("dialer_new", "gauge", "not known"), 1)])
    with pytest.raises(ValueError, match="zip"):
        render([Sample(metrics.LAG, 1)])
    assert {metric for metric in vars(metrics).values() if isinstance(metric, Metric)} == set(METRICS)


def test_names_follow_the_rules_and_no_label_is_free() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith(("dialer_", "process_"))
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert set(metric.labels) <= {"role", "dependency", "campaign", "state", "phase", "part", "trunk", "event"}


def test_the_documents_list_is_the_set() -> None:
    listed = set(re.findall(r"^\| `((?:dialer|process)_[a-z_]+)", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {metric.name for metric in METRICS}
