"""Mosquitto's files for agents' desks: who may sign in, who may use which topics, and the lines that name both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dialer.agents.topics import AGENT_READS, AGENT_WRITES, DIALER, ROOT, Leaf, topic
from dialer.ports import AgentAccount

ACL: Final = "acl"
PASSWORDS: Final = "passwords"
CONF: Final = "mosquitto.conf"


def acl(accounts: Iterable[AgentAccount], *, dialer: str = DIALER) -> str:
    """Return the ACL file: each agent has their own topics, a supervisor one more, the dialer all of them."""
    lines = [
        "# Who may use which topics; whoever is not named here has none. Written by `dialer mqtt acl`.",
        f"user {dialer}",
        "topic readwrite dialer/#",
        "topic read $SYS/broker/version",
    ]
    for account in accounts:
        if account.active:
            lines += ["", f"user {account.agent_id}", *_topics(account)]
    return "\n".join(lines) + "\n"


def _topics(account: AgentAccount) -> list[str]:
    writes = AGENT_WRITES | {Leaf.SUPERVISE} if account.supervisor else AGENT_WRITES
    rights = [(leaf, "write") for leaf in writes] + [(leaf, "read") for leaf in AGENT_READS]
    return [f"topic {right} {topic(account.agent_id, leaf)}" for leaf, right in sorted(rights)]


def passwords(accounts: Iterable[AgentAccount], *, dialer: str = DIALER, secret: str) -> str:
    """Return the password file; `secret` is the hash of the dialer's own password."""
    users = [(dialer, secret), *((one.agent_id, one.secret) for one in accounts if one.active)]
    return "".join(f"{user}:{hashed}\n" for user, hashed in users)


def conf(folder: str) -> str:
    """Return the lines of mosquitto.conf that these files need, in this folder of Mosquitto's."""
    return (
        f"# Agents' desks ({ROOT}/...). TLS: certfile, keyfile and listener 8883 instead.\n"
        "listener 1883\n"
        "allow_anonymous false\n"
        f"password_file {folder}/{PASSWORDS}\n"
        f"acl_file {folder}/{ACL}\n"
        "persistence true\n"
        "persistence_location /var/lib/mosquitto/\n"
    )
