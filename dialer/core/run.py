"""Where one call stands in its script, and what has happened in it so far."""

from __future__ import annotations

from enum import StrEnum

from dialer.core.script import DIGITS, Fields, Gather, Node, Script
from dialer.core.types import ScriptStep, StepKind

__all__ = ["Part", "Run", "StepKind"]


class Part(StrEnum):
    """What a node waits for."""

    PROMPT = "prompt"
    """The end of its prompt."""
    WRONG = "wrong"
    """The end of what is said after a wrong key."""
    HUSHED = "hushed"
    """The end of a prompt that a key interrupted."""
    KEY = "key"
    RECORDING = "recording"
    STOPPING = "stopping"
    """The end of a recording that a key ended."""


class Run:
    """One call's way through a script; `fields` are its customer's."""

    __slots__ = ("fields", "node", "node_name", "part", "pressed", "repeats_left", "script", "steps", "visits")

    def __init__(self, script: Script, fields: Fields) -> None:
        self.script = script
        self.fields = fields
        self.steps: list[ScriptStep] = []
        self.part = Part.PROMPT
        self.visits = 0
        """How many nodes it has come to."""
        self.pressed = ""
        """The key that interrupted the prompt."""
        self.enter(script.start)

    def enter(self, name: str) -> None:
        """Come to a node."""
        self.visits += 1
        self.node_name = name
        self.node: Node = self.script.nodes[name]
        self.repeats_left = self.node.repeats if isinstance(self.node, Gather) else 0

    def note(self, kind: StepKind, at: float, digit: str = "") -> None:
        """Remember what happened, for the call's record."""
        self.steps.append(ScriptStep(kind, at, self.node_name, digit))

    def leave(self, at: float) -> None:
        """Remember that the script is over; a second time does nothing."""
        if self.has_begun and all(step.kind is not StepKind.LEFT for step in self.steps):
            self.note(StepKind.LEFT, at)

    @property
    def has_begun(self) -> bool:
        """Tell whether the call was answered into the script."""
        return bool(self.steps)

    @property
    def dtmf_count(self) -> int:
        """Count the keys 0 to 9 that were pressed; `*` and `#` are wrong ones (statuses.md 2.9)."""
        return sum(step.digit in DIGITS for step in self.steps if step.kind is StepKind.KEY)
