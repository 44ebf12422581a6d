"""Why what was asked of a desk is not done, and what its agent is doing, in the reader's language."""

from __future__ import annotations

from web.i18n import Words
from web.texts import TEXTS


def refusal(code: str, words: Words) -> str:
    """Return the words for a HoldReason or a Declined; the code itself for one that a newer engine knows."""
    key = next((key for key in (f"declined.{code}", f"hold.{code}") if key in TEXTS), None)
    return code if key is None else words(key)


def agent_state(state: str, words: Words) -> str:
    """Return the words for what an agent is doing."""
    key = f"desk.{state}"
    return words(key) if key in TEXTS else state
