"""What a detector of machines is worth: precision, recall, and what it took each kind of greeting for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from dialer.bench.amd.greetings import PEOPLE, Kind
from dialer.bench.figures import Figure, plain
from statuses.outcomes import AmdResult

Verdict = AmdResult | None
"""None: the detector came to no result."""
VERDICTS: Final[tuple[Verdict, ...]] = (*AmdResult, None)


class Score:
    """Counts verdicts by kind. Positive = taken for a machine: that call is hung up, or gets no agent."""

    def __init__(self, found: Iterable[tuple[Kind, Verdict]]) -> None:
        self._counts = Counter(found)

    def count(self, kind: Kind, verdict: Verdict) -> int:
        """Return how many of a kind were taken for this."""
        return self._counts[kind, verdict]

    @property
    def precision(self) -> float:
        """Return the share of machines among those taken for machines; 1 when none was."""
        positive = self._right + self._wrong
        return self._right / positive if positive else 1.0

    @property
    def recall(self) -> float:
        """Return the share of machines that were taken for machines; 1 when there was none."""
        machines = sum(count for (kind, _), count in self._counts.items() if kind not in PEOPLE)
        return self._right / machines if machines else 1.0

    def figures(self) -> Iterator[Figure]:
        """Yield the two, and the confusion matrix: a row for each kind and verdict that came."""
        yield plain("machines: precision", self.precision)
        yield plain("machines: recall", self.recall)
        for kind in Kind:
            who = "person" if kind in PEOPLE else "machine"
            for verdict in VERDICTS:
                if count := self.count(kind, verdict):
                    yield plain(f"{who}, {kind}: taken for {_word(verdict)}", count)

    @property
    def _right(self) -> int:
        return sum(self.count(kind, AmdResult.MACHINE) for kind in Kind if kind not in PEOPLE)

    @property
    def _wrong(self) -> int:
        return sum(self.count(kind, AmdResult.MACHINE) for kind in PEOPLE)


def _word(verdict: Verdict) -> str:
    return "nothing" if verdict is None else verdict.value.lower().replace("_", " ")
