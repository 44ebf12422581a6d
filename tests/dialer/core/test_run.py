"""A call's way through a script is remembered for its record."""

from __future__ import annotations

from dialer.core.run import Run, StepKind
from dialer.core.script_text import parse_script
from tests.dialer.core.scripts import MENU


def test_keys_are_remembered_where_and_when_and_only_digits_count() -> None:
    run = Run(parse_script(MENU), {"name": "Lan"})
    assert not run.has_begun
    run.note(StepKind.ENTERED, 1.0)
    run.enter("menu")
    assert run.repeats_left == 1
    for at, key in enumerate("*1#2", 2):
        run.note(StepKind.KEY, float(at), key)
    assert run.dtmf_count == 2
    run.leave(7.0)
    run.leave(8.0)
    assert [(step.kind, step.at, step.node, step.digit) for step in run.steps] == [
        (StepKind.ENTERED, 1.0, "hello", ""),
        (StepKind.KEY, 2.0, "menu", "*"),
        (StepKind.KEY, 3.0, "menu", "1"),
        (StepKind.KEY, 4.0, "menu", "#"),
        (StepKind.KEY, 5.0, "menu", "2"),
        (StepKind.LEFT, 7.0, "menu", ""),
    ]
