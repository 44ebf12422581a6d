"""The names that our channels and bridges have at Asterisk; pure.

A customer's channel bears the call's id, so that a second one cannot be placed. The others' names are derived from what
they belong to. Asterisk takes the beginning of a name for the whole in places: each of ours ends in a full stop, and
none begins with another's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote

from dialer.core.ids import uuid7
from telephony_adapters.asterisk.messages import Channel

_DESK, _LEG, _TAP, _SUPERVISOR, _TRANSFER, _TALK, _PROMPT = "desk", "leg", "tap", "boss", "third", "talk", "prompt"
_RECORDING: Final = ".rec."


class Names:
    """Name and recognise what belongs to one ARI application."""

    def __init__(self, app: str) -> None:
        self.app = app
        self._recording = f"{app}{_RECORDING}"

    def desk(self, agent_id: str) -> str:
        """Return the bridge in which an agent talks."""
        return self._name(_DESK, agent_id)

    def leg(self, agent_id: str, number: int) -> str:
        """Return the `number`-th channel of an agent's phone."""
        return self._name(_LEG, agent_id, str(number))

    def tap(self, call_id: str, number: int) -> str:
        """Return the channel that listens to a call for a recording."""
        return self._name(_TAP, call_id, str(number))

    def supervisor(self, agent_id: str, number: int) -> str:
        """Return the channel of a supervisor's phone, or the bridge in which it hears a talk."""
        return self._name(_SUPERVISOR, agent_id, str(number))

    def third(self, call_id: str, number: int) -> str:
        """Return the channel of the number that a call is transferred to."""
        return self._name(_TRANSFER, call_id, str(number))

    def talk(self, call_id: str) -> str:
        """Return the bridge of a call that was transferred."""
        return self._name(_TALK, call_id)

    def prompt(self, call_id: str, number: int) -> str:
        """Return the `number`-th playback of a call."""
        return self._name(_PROMPT, call_id, str(number))

    def prompted(self, playback: str) -> str | None:
        """Return the call that a prompt is played to; None: it is not ours."""
        return self._owner(_PROMPT, playback)

    def recording(self, call_id: str) -> str:
        """Return the recording of a call."""
        return self._recording + call_id

    def recorded(self, name: str) -> str | None:
        """Return the call that a recording is of; None: it is not ours."""
        return name.removeprefix(self._recording) if name.startswith(self._recording) else None

    def is_ours(self, name: str) -> bool:
        """Tell whether a channel or bridge is one of those with derived names."""
        return name.startswith(f"{self.app}.")

    def agent_of(self, bridge: str) -> str | None:
        """Return whose desk a bridge is; None: it is none."""
        return self._owner(_DESK, bridge)

    def leg_agent(self, channel: str) -> str | None:
        """Return whose phone a channel is; None: it is none."""
        return self._owner(_LEG, channel)

    def tapped(self, channel: str) -> str | None:
        """Return the call that a channel records; None: it records none."""
        return self._owner(_TAP, channel)

    def _owner(self, kind: str, name: str) -> str | None:
        start = f"{self.app}.{kind}."
        return unquote(name.removeprefix(start).partition(".")[0]) if name.startswith(start) else None

    def _name(self, kind: str, *parts: str) -> str:
        """Join the parts; a full stop in one of them would end it too early."""
        return ".".join((self.app, kind, *(_quoted(part) for part in parts), ""))


def _quoted(part: str) -> str:
    return quote(part, safe="").replace(".", "%2E")


def path_of(name: str) -> str:
    """Return a name as it stands in a URL's path."""
    return quote(name, safe="")


def arrived_id(server: str, channel: Channel) -> str:
    """Return the id of a call that came to a hotline: the same each time it is asked for, even by another process."""
    return uuid7(moment(channel.creationtime), purpose=f"{server}/{channel.id}")


def moment(text: str) -> float:
    """Return a time of Asterisk's (`2026-11-26T02:15:02.376+0000`) as UTC epoch seconds; 0.0 for anything else."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
