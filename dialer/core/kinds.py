"""What a campaign's kind asks of its other settings."""

from __future__ import annotations

from dialer.core.pacing.agentless import Agentless
from dialer.core.pacing.base import Pacer
from dialer.core.pacing.registry import pacer_named
from dialer.core.script import Script, ScriptText, one_message, prompt_of
from dialer.core.script_text import BadScript, parse_script
from dialer.core.template import BadTemplate
from dialer.core.types import CampaignKind, CampaignSettings
from statuses.outcomes import LocalError


def pacer_for(settings: CampaignSettings) -> Pacer:
    """Return the campaign's pacing policy; raise ValueError for an unknown one or one of other kinds."""
    pacer = pacer_named(settings.pacer)
    without_agents = settings.kind is CampaignKind.AUTODIALER
    if without_agents and pacer.name != Agentless.name:
        raise ValueError(f"pacer: a campaign of kind autodialer dials by {Agentless.name!r}, not by {pacer.name!r}")
    if not without_agents and pacer.name == Agentless.name:
        raise ValueError(f"pacer: {pacer.name!r} is for the kind autodialer; a {settings.kind} campaign needs agents")
    return pacer


def is_scripted(settings: CampaignSettings) -> bool:
    """Tell whether a script takes the agents' place at first; raise ValueError when nothing says what to play."""
    if settings.kind is not CampaignKind.AUTODIALER:
        return False
    if not (settings.script or settings.prompt):
        raise ValueError(
            "prompt: a campaign of kind autodialer needs something to play; set script=NAME (dialer script list), or "
            "prompt=NAME for one message"
        )
    return True


def script_for(settings: CampaignSettings, stored: ScriptText | None) -> Script | LocalError | None:
    """Return the script that a campaign's calls follow, or why they cannot; None when agents take them at once."""
    if not is_scripted(settings):
        return None
    if settings.script is None:
        return _message(settings.prompt or "")
    if stored is None or stored.text is None or stored.name != settings.script:
        return LocalError.SCRIPT_DELETED
    try:
        return parse_script(stored.text)
    except BadScript as error:
        return error.error


def _message(prompt: str) -> Script | LocalError:
    try:
        return one_message(prompt_of(prompt))
    except BadTemplate:
        return LocalError.TEMPLATE


def check_prompts(settings: CampaignSettings) -> None:
    """Raise ValueError for texts of the settings whose braces do not go together."""
    for key in ("prompt", "overflow_prompt"):
        try:
            prompt_of(getattr(settings, key) or "")
        except BadTemplate as error:
            raise ValueError(f"{key}: {error}") from error


def names_fields(settings: CampaignSettings) -> bool:
    """Tell whether what a campaign plays may name fields of its customers."""
    return settings.script is not None or any(
        "{" in (text or "") for text in (settings.prompt, settings.overflow_prompt)
    )
