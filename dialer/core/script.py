"""A script: what a call without an agent hears and may answer, as data (docs/scripts.md has the format)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from dialer.core.template import Fields, Template, UnknownField, field_names, fill, parse_template

Language: TypeAlias = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
DIGITS: Final = "0123456789"
"""The keys that count; `*` and `#` are wrong ones (statuses.md 2.9)."""
SAY: Final = "say:"
"""How the name of a prompt begins that is a text to be spoken: `say:LANGUAGE:TEXT`."""


class Audio(msgspec.Struct, frozen=True):
    """A file of the audio library, by name."""

    name: str

    def named(self, fields: Fields) -> str:  # noqa: ARG002 -- as `Speech.named`
        """Return the prompt's name."""
        return self.name


class Speech(msgspec.Struct, frozen=True):
    """A text to be spoken."""

    text: Template
    language: str = "vi"

    def named(self, fields: Fields) -> str:
        """Return the prompt's name, the fields filled in; raise UnknownField."""
        return f"{SAY}{self.language}:{fill(self.text, fields)}"


Prompt: TypeAlias = Audio | Speech


def prompt_of(text: str) -> Prompt:
    """Read a prompt as a setting has it: a name of the audio library, or `say:LANGUAGE:TEXT`; raise BadTemplate."""
    if not text.startswith(SAY):
        return Audio(text)
    language, _, words = text.removeprefix(SAY).partition(":")
    return Speech(parse_template(words), language)


class Play(msgspec.Struct, frozen=True):
    """Say something, and go on; without `next` the call ends."""

    prompt: Prompt
    next: str | None = None


class Gather(msgspec.Struct, frozen=True):
    """Ask for a key; each key leads to a node, and `otherwise` follows when none came; without it the call ends."""

    prompt: Prompt
    keys: dict[str, str]
    otherwise: str | None = None
    wrong: Prompt | None = None
    """Said after a key that leads nowhere, before the question is asked again."""
    timeout_s: float = 5.0
    """From the end of the question."""
    repeats: int = 2
    """How often the question is asked again."""
    barge: bool = True
    """A key may interrupt the question."""


class Transfer(msgspec.Struct, frozen=True):
    """Give the call to the agents: it waits for one as long as the campaign's queue allows."""

    prompt: Prompt | None = None


class RecordMessage(msgspec.Struct, frozen=True):
    """Record what is said until a key, or `limit_s`."""

    prompt: Prompt | None = None
    next: str | None = None
    limit_s: float = 60.0


class End(msgspec.Struct, frozen=True):
    """Hang up."""

    prompt: Prompt | None = None


Node: TypeAlias = Play | Gather | Transfer | RecordMessage | End


class Script(msgspec.Struct, frozen=True):
    """Nodes by name, and the one at which a call begins."""

    nodes: dict[str, Node]
    start: str

    @property
    def asks(self) -> bool:
        """Tell whether a key is expected somewhere."""
        return any(isinstance(node, Gather) for node in self.nodes.values())

    @property
    def transfers(self) -> bool:
        """Tell whether a call may be given to agents."""
        return any(isinstance(node, Transfer) for node in self.nodes.values())

    def prompts(self) -> Iterator[Prompt]:
        """Yield what a call may have to play."""
        for node in self.nodes.values():
            yield from filter(None, (node.prompt, node.wrong if isinstance(node, Gather) else None))

    def named(self, fields: Fields) -> tuple[str, ...]:
        """Return the names of all prompts for a customer, each once; raise UnknownField."""
        return tuple(dict.fromkeys(prompt.named(fields) for prompt in self.prompts()))

    @property
    def fields(self) -> tuple[str, ...]:
        """List the fields that the texts name, each once."""
        texts = (prompt.text for prompt in self.prompts() if isinstance(prompt, Speech))
        return tuple(dict.fromkeys(name for text in texts for name in field_names(text)))


def one_message(prompt: Prompt) -> Script:
    """Return the script of a campaign that only plays a message."""
    return Script({"message": Play(prompt)}, "message")


class ScriptText(msgspec.Struct, frozen=True):
    """A script as the store holds it; `text` None: it was deleted, or never was."""

    name: str
    version: int
    text: str | None


__all__ = [
    "DIGITS", "LANGUAGES", "SAY", "Audio", "End", "Fields", "Gather", "Language", "Node", "Play", "Prompt",
    "RecordMessage", "Script", "ScriptText", "Speech", "Transfer", "UnknownField", "one_message", "prompt_of",
]  # fmt: skip
