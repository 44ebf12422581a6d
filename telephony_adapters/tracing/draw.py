"""Draw a ladder in a terminal of a given width, and print whole messages. PURE."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from dialer.ports import CallTrace, TraceColumn, TraceStep
from telephony_adapters.tracing.record import Record

WIDTH_MIN: Final = 40
GAP_MS: Final = 1000.0
"""A silence that is longer is told."""
_LEFT: Final = 10
"""Where the first lane's names may begin: the times stand before."""
_SPAN_MIN: Final = 16
"""Lanes that would be nearer to each other cannot bear a label: the messages are listed instead."""


class Line(NamedTuple):
    """A line of text; `kind` (a TraceStep's, "head", "gap" or "") and where in it that applies."""

    text: str
    kind: str = ""
    start: int = 0
    end: int = 0


def draw(trace: CallTrace, width: int) -> list[Line]:
    """Draw the ladder in `width` columns, at least WIDTH_MIN: lanes and arrows, or a list where lanes would not fit."""
    width = max(width, WIDTH_MIN)
    lanes = _lanes(len(trace.columns), width)
    lines = [] if trace.whole else [Line("earlier messages are no longer kept", "gap", 0, width)]
    if lanes[1] - lanes[0] < _SPAN_MIN:
        return [*lines, *_listed(trace, width)]
    lines += _heads(trace.columns, lanes, width)
    before = 0.0
    for step in trace.steps:
        if step.ms - before >= GAP_MS:
            lines.append(_gap(step.ms - before, lanes))
        lines.append(_arrow(step, lanes))
        before = step.ms
    return lines


def as_text(call_id: str, trace: CallTrace, records: Sequence[Record], *, width: int) -> str:
    """Return the ladder and the messages as one text."""
    ladder = [line.text for line in draw(trace, width)]
    return "\n".join([f"call {call_id}", "", *ladder, "", *printed(trace, records)]) + "\n"


def printed(trace: CallTrace, records: Sequence[Record]) -> Iterator[str]:
    """Yield each message under a line that says when it went from whom to whom, a blank line after each."""
    for step, record in zip(trace.steps, records, strict=True):
        source, target = (participant(trace.columns[end]) for end in (step.source, step.target))
        yield f"--- {step.ms:.1f} ms: {source} -> {target}, {record.transport}, {len(record.data)} bytes"
        yield from map(_printable, record.data.decode("utf-8", "replace").splitlines())
        yield ""


def participant(column: TraceColumn) -> str:
    """Name a column in one line."""
    return f"{column.role} {column.address}"


def label_of(step: TraceStep) -> str:
    """Return the label, and whether it is a repetition."""
    return f"again {step.label}" if step.again else step.label


def _lanes(count: int, width: int) -> list[int]:
    last = width - 1
    return [_LEFT + 1 + round(place * (last - _LEFT - 1) / (count - 1)) for place in range(count)]


def _heads(columns: Sequence[TraceColumn], lanes: Sequence[int], width: int) -> Iterator[Line]:
    room = lanes[1] - lanes[0] - 1
    roles, addresses = [column.role for column in columns], [column.address for column in columns]
    for unit, names in (("ms", roles), ("", addresses)):
        text = f"{unit:>9}".ljust(width)
        for lane, name in zip(lanes, names, strict=True):
            shown = shorten(name, room)
            start = min(max(lane - len(shown) // 2, _LEFT), width - len(shown))
            text = _put(text, start, shown)
        yield Line(text.rstrip(), "head", 0, width)


def _arrow(step: TraceStep, lanes: Sequence[int]) -> Line:
    left, right = sorted((lanes[step.source], lanes[step.target]))
    room = right - left - 1
    label = shorten(label_of(step), room - 3)
    shaft = label.center(room - 1, "-")
    shaft = f"{shaft}>" if step.source < step.target else f"<{shaft}"
    text = _put(_rail(lanes), left + 1, shaft)
    return Line(_put(text, 0, f"{step.ms:9.1f}"), step.kind, left + 1, right)


def _gap(ms: float, lanes: Sequence[int]) -> Line:
    text = _put(_rail(lanes, ":"), 0, f"{ms / 1000:7.1f} s")
    return Line(text, "gap", 0, len(text))


def _rail(lanes: Sequence[int], post: str = "|") -> str:
    text = " " * (lanes[-1] + 1)
    for lane in lanes:
        text = _put(text, lane, post)
    return text


def _listed(trace: CallTrace, width: int) -> Iterator[Line]:
    yield from (Line(shorten(participant(column), width), "head", 0, width) for column in trace.columns)
    names: list[str] = [column.role for column in trace.columns]
    if len(set(names)) < len(names):
        names = [participant(column) for column in trace.columns]
    for step in trace.steps:
        text = f"{names[step.source]} -> {names[step.target]}: {label_of(step)}"
        for place, part in enumerate(textwrap.wrap(text, width - _LEFT)):
            time = f"{step.ms:9.1f}" if place == 0 else ""
            yield Line(f"{time:{_LEFT}}{part}", step.kind, _LEFT, width)


def _put(text: str, start: int, part: str) -> str:
    return text[:start] + part + text[start + len(part) :]


def shorten(text: str, room: int) -> str:
    """Cut a text that is longer than `room`, and show that it was; what stands in brackets at its end stays."""
    if len(text) <= room:
        return text
    notes = text[text.rfind(" (") :] if text.endswith(")") else ""
    if len(notes) > room // 2:
        notes = ""
    return text[: max(0, room - 1 - len(notes))] + "…" + notes


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in line)
