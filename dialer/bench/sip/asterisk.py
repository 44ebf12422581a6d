"""Asterisk beside ours: started from a folder with its programs, configured as small as a dialer's can be."""

from __future__ import annotations

import os
import platform
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from dialer.bench.sip.programs import HOST, Program, free_port
from dialer.errors import BadInput, DialerError

USER: Final = "bench"
_ASTERISK: Final = "usr/sbin/asterisk"
_BOOT_S: Final = 30.0
_ASK_S: Final = 10.0
_POLL_S: Final = 0.1
_MODULES: Final = (
    "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd", "res_crypto", "pbx_config",
    "bridge_simple", "bridge_softmix", "bridge_holding", "bridge_native_rtp", "codec_ulaw", "codec_alaw",
    "codec_a_mu", "codec_resample", "format_pcm", "format_wav", "format_sln", "res_rtp_asterisk", "res_pjproject",
    "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_caller_id", "res_pjsip_nat",
    "res_pjsip_rfc3326", "res_pjsip_header_funcs", "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user", "res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_outbound_registration", "res_pjsip_registrar", "res_pjsip_dtmf_info", "res_pjsip_dlg_options",
    "res_pjsip_pubsub", "chan_pjsip", "chan_bridge_media", "res_http_websocket", "res_websocket_client", "res_stasis",
    "res_stasis_answer", "res_stasis_playback", "res_stasis_recording", "res_stasis_snoop", "res_stasis_device_state",
    "res_ari", "res_ari_model", "res_ari_applications", "res_ari_asterisk", "res_ari_bridges", "res_ari_channels",
    "res_ari_endpoints", "res_ari_events", "res_ari_playbacks", "res_ari_recordings", "res_ari_device_states",
    "app_stasis", "app_amd", "app_dial", "app_playback", "func_channel", "func_hangupcause", "func_callerid",
    "func_pjsip_endpoint",
)  # fmt: skip
"""What an Asterisk needs that dials, plays, records and detects answering machines for a dialer; no more."""
_FOLDERS: Final = ("etc", "lib/keys", "spool", "run", "log", "cache")


class Ari(NamedTuple):
    """Where ARI is, who may ask, and at which port of 127.0.0.1 SIP is (UDP)."""

    url: str
    password: str
    sip: int


def usual_folder() -> Path:
    """Return where `python -m tests.plugins.asterisk` puts Asterisk's programs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "predictive-dialer" / "asterisk-sid"


def folder_of(given: Path | None) -> Path | None:
    """Return the folder with the programs, None when none was given and none is in the usual place; raise BadInput."""
    folder = given or usual_folder()
    if (folder / _ASTERISK).is_file():
        return folder
    if given is not None:
        raise BadInput(f"--asterisk {given}: there is no {_ASTERISK} in it; give the root of a system with Asterisk")
    return None


@contextmanager
def running(root: Path, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[tuple[Program, Ari]]:
    """Run an Asterisk of its own until the block ends; raise DialerError when it does not boot.

    `more` is appended to its files by name without ending: `pjsip`, `extensions`.
    """
    http, ari = _configure(root, folder, more or {})
    command = [*_loader(root), root / _ASTERISK, "-C", folder / "etc/asterisk.conf"]
    with Program([*command, "-f"], folder / "program") as program:
        deadline = time.monotonic() + _BOOT_S
        while "fully booted" not in _ask(command, "core waitfullybooted"):
            if time.monotonic() > deadline:
                program.fail("did not boot")
            time.sleep(_POLL_S)
        program.wait_for_port(http)
        yield program, ari
        _ask(command, "core stop now")


def _configure(root: Path, folder: Path, more: Mapping[str, str]) -> tuple[int, Ari]:
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True)
    http, sip, password = free_port(), free_port(), secrets.token_hex(8)
    files = _files(root, folder, http, sip, password)
    for name in files.keys() | more:
        (folder / "etc" / f"{name}.conf").write_text(files.get(name, "") + more.get(name, ""))
    return http, Ari(f"http://{HOST}:{http}/ari", password, sip)


def _files(root: Path, folder: Path, http: int, sip: int, password: str) -> dict[str, str]:
    places = {
        "astcachedir": folder / "cache", "astetcdir": folder / "etc", "astvarlibdir": folder / "lib",
        "astmoddir": _libraries(root) / "asterisk/modules", "astdbdir": folder / "lib", "astkeydir": folder / "lib",
        "astdatadir": root / "usr/share/asterisk", "astspooldir": folder / "spool", "astrundir": folder / "run",
        "astlogdir": folder / "log",
    }  # fmt: skip
    directories = "".join(f"{name} = {path}\n" for name, path in places.items())
    loads = "".join(f"load = {name}.so\n" for name in _MODULES)
    return {
        "asterisk": f"[directories]\n{directories}[options]\nhideconnect = yes\nnocolor = yes\n",
        "modules": f"[modules]\nautoload = no\n{loads}",
        "http": f"[general]\nenabled = yes\nbindaddr = {HOST}\nbindport = {http}\nsessionlimit = 1000\n",
        "ari": f"[general]\nenabled = yes\n[{USER}]\ntype = user\npassword_format = plain\npassword = {password}\n",
        "pjsip": (
            f"[udp]\ntype = transport\nprotocol = udp\nbind = {HOST}:{sip}\n"
            "[trunk]\ntype = endpoint\ncontext = none\ndisallow = all\nallow = ulaw,alaw\ndirect_media = no\n"
        ),
        "rtp": "[general]\nrtpstart = 20000\nrtpend = 29998\nstrictrtp = no\n",
        "logger": "[general]\n[logfiles]\nconsole = error\n",
        "cdr": "[general]\nenable = no\n",
        "cel": "[general]\nenable = no\n",
        "amd": "[general]\n",
    }


def _ask(command: list[str | Path], words: str) -> str:
    """Return what its console says, nothing while there is none."""
    try:
        done = subprocess.run(  # noqa: S603 -- its own console
            [*map(str, command), "-rx", words], check=False, capture_output=True, text=True, timeout=_ASK_S
        )
    except subprocess.TimeoutExpired as error:
        raise DialerError(f"Asterisk does not answer its console ({words!r}) within {_ASK_S:g} s") from error
    return done.stdout


def _libraries(root: Path) -> Path:
    (folder,) = root.glob(f"usr/lib/{platform.machine()}-linux-gnu*")
    return folder


def _loader(root: Path) -> list[str | Path]:
    """Return the words before a program of the folder that make it run here: its own loader and libraries."""
    if root == Path("/"):
        return []
    (loader,) = _libraries(root).glob("ld-linux-*.so.*")
    return [loader, "--library-path", _libraries(root)]
