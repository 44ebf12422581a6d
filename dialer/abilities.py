"""What a campaign asks of the telephony adapter, and what of it the adapter cannot do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from dialer.core.script import RecordMessage, Script
from dialer.core.types import CampaignKind, CampaignSettings
from dialer.switch import Capabilities

BY_HAND: Final = frozenset({CampaignKind.MANUAL, CampaignKind.PREVIEW})


class Lack(NamedTuple):
    """A capability that a campaign asks for and the adapter does not declare."""

    capability: str
    """Its name in `Capabilities`."""
    why: str
    """What of the campaign asks for it, and what becomes of it without."""
    vital: bool
    """Without it the campaign's calls come to nothing: none is placed."""


def lacks(settings: CampaignSettings, script: object, can: Capabilities) -> tuple[Lack, ...]:
    """Return what the adapter lacks for a campaign, the vital first; `script` may be none, or broken."""
    missing = [lack for lack in _asks(settings, script) if not getattr(can, lack.capability)]
    return tuple(sorted(missing, key=lambda lack: not lack.vital))


def in_words(adapter: str, missing: tuple[Lack, ...]) -> str:
    """Say what the adapter cannot do, in one line; what is vital only, where there is such."""
    vital = [lack for lack in missing if lack.vital]
    reasons = "; ".join(f"{lack.why} (`{lack.capability}`)" for lack in vital or missing)
    short_of = "cannot do what the campaign needs" if vital else "cannot do all that the campaign asks for"
    return f"the adapter {adapter!r} {short_of}: {reasons}. `dialer adapters list` shows which one can"


def _asks(settings: CampaignSettings, script: object) -> Iterator[Lack]:
    kind = settings.kind
    if kind is CampaignKind.AUTODIALER:
        yield Lack("play", "an autodialer plays its script", vital=True)
        yield from _of_script(script)
    elif settings.overflow_prompt:
        yield Lack("play", "the overflow message is not played", vital=False)
    if kind in BY_HAND:
        yield Lack("agent_first", f"a {kind.value} campaign calls the agent before the customer", vital=True)
    if kind is CampaignKind.INBOUND:
        yield Lack("inbound", "no call to a hotline arrives", vital=True)
    elif settings.inbound:
        yield Lack("inbound", "no call to a hotline arrives", vital=False)
    if settings.record:
        yield Lack("record", "talks are not recorded", vital=False)
    if settings.amd and kind not in BY_HAND:
        yield Lack("amd", "machines are not told from people", vital=False)


def _of_script(script: object) -> Iterator[Lack]:
    if not isinstance(script, Script):
        return
    if script.asks:
        yield Lack("dtmf", "its script waits for keys", vital=True)
    if any(isinstance(node, RecordMessage) for node in script.nodes.values()):
        yield Lack("record", "messages are not recorded", vital=False)
