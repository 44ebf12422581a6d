"""The agents' phones at work: where they are, and how they are called; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from telephony_adapters.sip.srv import Candidates, Server
from telephony_adapters.trunks.line import session_of
from telephony_adapters.trunks.model import Agents
from telephony_adapters.trunks.trunk import Invitation


class Handsets:
    """Implements `Phones`. `uniform` gives numbers in [0, 1), for weights."""

    def __init__(self, agents: Agents, *, uniform: Callable[[], float]) -> None:
        self.settings = agents
        self.nailed_up = agents.nailed_up
        self.answer_limit_s, self.join_limit_s = agents.answer_limit_s, agents.join_limit_s
        self.auth = session_of(agents)
        self.servers = Candidates(())
        self._uniform = uniform

    def serve(self, servers: Sequence[Server]) -> None:
        """Take the servers that the name of the agents' side stands for now."""
        self.servers.replace(servers)

    def invitation(self, agent_id: str, now: float) -> Invitation | None:
        """Return how an agent's phone is called."""
        uri = self.settings.uri_of(agent_id)
        flow = self.servers.choose(now, self._uniform)
        if uri is None or flow is None:
            return None
        caller = f"<sip:dialer@{self.settings.uri_host}>"
        return Invitation(
            flow, uri, caller, f"<{uri}>", (), self.settings.session_expires_s, self.settings.early_100rel
        )
