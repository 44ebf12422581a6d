"""Wire agents' desks over MQTT: the broker that is named, else the embedded one, and who may sign in there."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import importlib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.agents.both import BothLinks
from dialer.agents.mqtt_at import MqttAt
from dialer.agents.mqtt_link import MqttLink
from dialer.agents.password import matches
from dialer.agents.topics import DIALER
from dialer.config import Settings
from dialer.errors import ResourceBusy
from dialer.home import MQTT, Home
from dialer.ports import AgentLink, Clock
from store.agents import SqlAgents

if TYPE_CHECKING:
    from dialer.agents.embedded import Rights

LAST_PORT: Final = "mqtt-port"
"""Where the home folder keeps the embedded broker's port, for desks that outlive the dialer."""
_MOST: Final = 65_535
_USE: Final = b"the dialer's own user at its embedded MQTT broker"


def own_password(home: Home) -> str:
    """Return the password of the dialer itself at its embedded broker: made of the installation's secret."""
    return hmac.new(home.secrets().service.encode(), _USE, hashlib.sha256).hexdigest()


def own_broker(settings: Settings) -> MqttAt | None:
    """Return the address of the broker as the dialer itself uses it; None while the embedded one does not run."""
    if settings.mqtt_url:
        return MqttAt.parse(settings.mqtt_url)
    home = Home(settings.home)
    running = home.running(MQTT)
    if running is None:
        return None
    return msgspec.structs.replace(MqttAt.parse(running.url), user=DIALER, password=own_password(home))


def _last_port(kept: Path) -> int:
    """Return the port that desks know from the last run, 0 when there is none."""
    try:
        port = int(kept.read_text("ascii"))
    except (OSError, ValueError):
        return 0
    return port if 0 < port <= _MOST else 0


async def admit(accounts: SqlAgents, password_of_ours: str, user: str, password: str) -> Rights | None:
    """Return the rights of somebody at the embedded broker; None: is not let in."""
    from dialer.agents.embedded import Rights  # noqa: PLC0415 -- the broker's import is left to who has one

    if user == DIALER:
        return Rights() if hmac.compare_digest(password.encode(), password_of_ours.encode()) else None
    account = await accounts.find(user)
    if account is None or not account.active or not matches(password, account.secret):
        return None
    return Rights(supervisor=account.supervisor)


async def open_desks(
    settings: Settings, engine: AsyncEngine, clock: Clock, stack: AsyncExitStack, beside: AgentLink
) -> AgentLink:
    """Return the link to real agents' desks and to those of `beside`; what it needs is closed with the stack."""
    accounts = SqlAgents(engine)
    at = MqttAt.parse(settings.mqtt_url) if settings.mqtt_url else await _embedded(settings, accounts, stack)
    link = MqttLink(at, clock=clock, find_campaign=accounts.campaign, grace_s=settings.agent_grace_s)
    return BothLinks(beside, link)


async def _embedded(settings: Settings, accounts: SqlAgents, stack: AsyncExitStack) -> MqttAt:
    # Its import takes a fifth of a second: in a thread, so that what else starts goes on.
    embedded = await asyncio.to_thread(importlib.import_module, "dialer.agents.embedded")
    home = Home(settings.home)
    password = own_password(home)
    door = functools.partial(admit, accounts, password)
    kept = home.path / LAST_PORT
    open_at = functools.partial(embedded.embedded_broker, door)
    try:
        at: MqttAt = await stack.enter_async_context(open_at(port=settings.mqtt_port or _last_port(kept)))
    except ResourceBusy:
        if settings.mqtt_port:
            raise
        at = await stack.enter_async_context(open_at(port=0))
    kept.write_text(str(at.port), "ascii")
    stack.enter_context(home.claimed(at.where, (MQTT,)))
    return msgspec.structs.replace(at, user=DIALER, password=password)
