"""The lines that Asterisk needs for us, file by file; pure. `dialer asterisk config` prints or writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from telephony_adapters.asterisk.config import AsteriskFile, Server
from telephony_adapters.asterisk.detecting import SUFFIX

MODULES: Final = (
    "res_http_websocket", "res_websocket_client", "res_stasis", "res_stasis_answer", "res_stasis_playback",
    "res_stasis_recording", "res_stasis_snoop", "res_ari", "res_ari_model", "res_ari_applications",
    "res_ari_asterisk", "res_ari_bridges", "res_ari_channels", "res_ari_events", "res_ari_playbacks",
    "res_ari_recordings", "app_stasis", "app_amd", "res_musiconhold", "bridge_simple", "bridge_softmix",
    "bridge_native_rtp", "chan_bridge_media", "format_wav", "format_sln", "res_pjsip_header_funcs",
)  # fmt: skip
"""What must be loaded beside PJSIP itself; the usual autoload = yes loads them all."""
_PJSIP: Final = re.compile(r"PJSIP/(?:\{(?:phone|agent)\}@)?([A-Za-z0-9_-]+)")
AMD: Final = (2500, 1700, 800, 4000, 120, 80, 3, 400)
"""Milliseconds of silence before a greeting, of the greeting, of silence after it, and of all (shorter than a join may
take); of the shortest word, and between words; how many words are still a person's; what is louder than silence.

With Asterisk's own figures every other person who says a name was taken for a machine, and hung up on (docs/bench.md).
"""


def files(file: AsteriskFile, server: Server, *, carrier: str, agents: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each file; `carrier` is the trunk's SIP address, `agents` are passwords by agent's id."""
    app = file.common.app
    return {
        "http.conf": _http(server),
        "ari.conf": _ari(server),
        "pjsip.conf": _pjsip(file, server, carrier, agents),
        "extensions.conf": extensions(app),
        "modules.conf": "\n".join(("; needed beside PJSIP, where autoload is no", *map(_load, MODULES), "")),
    }


def _load(module: str) -> str:
    return f"; load = {module}.so"


def _http(server: Server) -> str:
    url = urlsplit(server.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    lines = ("[general]", "enabled = yes", f"bindaddr = {url.hostname}", f"bindport = {port}", "sessionlimit = 1000")
    return "\n".join((*lines, "session_keep_alive = 60000", ""))


def _ari(server: Server) -> str:
    password = server.password.reveal() if server.password is not None else "CHANGE-ME"
    user = (f"[{server.user}]", "type = user", "read_only = no", "password_format = plain", f"password = {password}")
    return "\n".join(("[general]", "enabled = yes", "", *user, ""))


def extensions(app: str) -> str:
    """Return the dialplan: where answers are told from machines, and where calls to hotlines come in."""
    amd = ",".join(map(str, AMD))
    return "\n".join(
        (
            f"[{app}{SUFFIX}]",
            f"exten = s,1,AMD({amd})",
            f" same = n,Stasis({app},amd,${{AMDSTATUS}},${{AMDCAUSE}})",
            " same = n,Hangup()",
            "",
            f"[{app}-inbound]",
            f"exten = _X!,1,Stasis({app},inbound,${{EXTEN}})",
            " same = n,Hangup()",
            f"exten = _+X!,1,Stasis({app},inbound,${{EXTEN}})",
            " same = n,Hangup()",
            "",
        )
    )


def _pjsip(file: AsteriskFile, server: Server, carrier: str, agents: Mapping[str, str]) -> str:
    found = _PJSIP.match(server.endpoint)
    trunk = found[1] if found is not None else "trunk"
    lines = [
        f"[{trunk}]", "type = aor", f"contact = sip:{carrier}", "qualify_frequency = 30", "",
        f"[{trunk}]", "type = endpoint", f"context = {file.common.app}-inbound", f"aors = {trunk}",
        *_MEDIA, "send_pai = yes", "trust_id_inbound = yes", "",
        f"[{trunk}]", "type = identify", f"endpoint = {trunk}", f"match = {carrier.partition(':')[0]}", "",
    ]  # fmt: skip
    for agent_id, password in agents.items():
        lines += _agent(agent_id, password)
    return "\n".join(lines)


_MEDIA: Final = (
    "disallow = all", "allow = ulaw,alaw", "direct_media = no", "rtp_symmetric = yes", "send_connected_line = no",
)  # fmt: skip


def _agent(agent_id: str, password: str) -> list[str]:
    """Return an agent's phone, which may call nobody: there is no such context."""
    return [
        f"[{agent_id}]", "type = aor", "max_contacts = 1", "remove_existing = yes", "qualify_frequency = 30", "",
        f"[{agent_id}]", "type = auth", "auth_type = userpass", f"username = {agent_id}", f"password = {password}", "",
        f"[{agent_id}]", "type = endpoint", "context = dialer-phones", f"aors = {agent_id}", f"auth = {agent_id}",
        *_MEDIA, "",
    ]  # fmt: skip
