"""Asterisk 22 for tests: a trunk on the other side that answers, rings, refuses, echoes and has phones.

Debian 12 has none, so its programs come from Debian sid, by debootstrap, into a cache outside the repository:
`python -m tests.plugins.asterisk` does that, as root (by sudo). It then runs from there, in place, as anybody: the
folder's own loader and libraries start it; its configuration, sockets and logs are in a temporary folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import platform
import re
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from telephony_adapters.asterisk.files import extensions
from tests.plugins.components import Absent, Found, register
from tests.plugins.processes import HOST, RTP_PORTS, STOP_TIMEOUT_S, Program, filled, free_port, program

CONFIG: Final = Path(__file__).parents[1] / "servers" / "sip" / "asterisk"
SUITE: Final = "sid"
PACKAGES: Final = ("asterisk", "asterisk-config", "asterisk-core-sounds-en-gsm", "asterisk-modules")
CONTEXT: Final = "trunk"
USER: Final = "dialer"
"""Who signs in at the guarded port, and at ARI."""
MUSIC: Final = struct.pack("<8000h", *(round(8000 * math.sin(math.tau * 300 * t / 8000)) for t in range(8000)))
"""A second of what a customer hears who waits: 300 Hz."""
_COMMAND_TIMEOUT_S: Final = 10.0
_FOLDERS: Final = ("etc", "lib/keys", "spool/recording", "run", "log", "cache", "music")
_REFUSED: Final = re.compile(r"^No such command|^Command '.*' failed", re.MULTILINE)
_CHANNEL: Final = re.compile(r"(\S+-[0-9a-f]{8}) +\S+ +\w+ +(\d+) +\d+ +\d+ +[\d.]+ +(\d+) ")


class Rtp(NamedTuple):
    """RTP packets of one channel (`agent1-00000002`), as Asterisk counts them."""

    channel: str
    sent: int
    received: int


class Asterisk:
    """One Asterisk with ports and files of its own.

    What a caller dials is what happens: `echo`, `tone`, `busy`, `congestion`, `ring3` (3 s of ringing, then echo),
    `early3` (183 with a tone for 3 s, then echo), `bye3` (answer, BYE after 3 s), `cause34` (refuse by a Q.850 cause),
    `agent1` and `agent2` (the phone that signed in so), and what `dials` adds; anybody else is 404.
    """

    def __init__(self, root: Path, folder: Path, *, algorithms: Sequence[str] = ("MD5",)) -> None:
        self._folder = folder
        self._command = [*_loader(root), root / "usr/sbin/asterisk", "-C", folder / "etc/asterisk.conf"]
        self.port, self.guarded_port, self.http_port = free_port(), free_port(), free_port()
        self.address = f"{HOST}:{self.port}"
        """For UDP and TCP: who calls from 127.0.0.1 is the trunk, and is not asked for a password."""
        self.guarded = f"{HOST}:{self.guarded_port}"
        """For UDP: here everybody is, by 401."""
        self.user, self.password = USER, secrets.token_hex(8)
        self.ari = f"http://{HOST}:{self.http_port}/ari"
        """For `user` and `password`."""
        self._program: Program | None = None
        self._configure(root, ",".join(algorithms))

    def _configure(self, root: Path, algorithms: str) -> None:
        for name in _FOLDERS:
            (self._folder / name).mkdir(parents=True)
        first, last = RTP_PORTS
        values = {
            "folder": self._folder, "data": root / "usr/share/asterisk",
            "modules": _libraries(root) / "asterisk/modules", "rtp_first": first, "rtp_last": last,
            "port": self.port, "guarded": self.guarded_port, "http": self.http_port, "user": self.user,
            "password": self.password, "algorithms": algorithms,
        }  # fmt: skip
        for template in CONFIG.iterdir():
            (self._folder / "etc" / template.name).write_text(filled(template, **values))
        (self._folder / "etc/dialer-extensions.conf").write_text(extensions("dialer"))
        with wave.open(str(self._folder / "music/tone.wav"), "wb") as music:
            music.setnchannels(1)
            music.setsampwidth(2)
            music.setframerate(8000)
            music.writeframes(MUSIC)

    def file(self, trunk: str, phones: str, *, name: str = "main", agents: str = "", common: str = "") -> str:
        """Return the text of an Asterisk file: numbers and agents are users at these SIP addresses (host:port).

        `agents` and `common` are further lines of the tables of those names.
        """
        return (
            f'[server.{name}]\nurl = "{self.ari}"\nuser = "{self.user}"\npassword = "{self.password}"\n'
            f'endpoint = "PJSIP/trunk/sip:{{phone}}@{trunk}"\nchannels = 500\ncps = 500\n'
            f'[agents]\nendpoint = "PJSIP/trunk/sip:{{agent}}@{phones}"\n{agents}\n[asterisk]\n{common}\n'
        )

    def uri(self, user: str) -> str:
        """Return the address of what happens when somebody dials it."""
        return f"sip:{user}@{self.address}"

    def start(self) -> None:
        """Start it, unless it runs, and wait until it is fully booted."""
        if self._program is None:
            self._program = Program([*self._command, "-f"], self._folder, "asterisk")
            self._program.ready(lambda: "fully booted" in self._ask("core waitfullybooted").stdout)

    def stop(self) -> None:
        """End it in good order, and wait until it is gone: until then its control socket is in use."""
        server, self._program = self._program, None
        if server is not None:
            self._ask("core stop now")
            if not server.has_ended(STOP_TIMEOUT_S):
                server.stop()

    def kill(self) -> None:
        """End it at once, as a crash does, and wait until it is gone."""
        server, self._program = self._program, None
        if server is not None:
            server.kill()

    def command(self, text: str) -> str:
        """Return what its console says to a command; the test fails if that fails."""
        done = self._ask(text)
        if done.returncode or _REFUSED.search(done.stdout):  # its exit code is 0 for those too
            pytest.fail(f"Asterisk refused {text!r}: {done.stdout}{done.stderr}")
        return done.stdout

    def _ask(self, text: str) -> subprocess.CompletedProcess[str]:
        command = [*self._command, "-rx", text]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S)

    def dials(self, user: str, target: str) -> None:
        """Let it call a SIP address for who dials `user`, and join the two."""
        self.command(f"dialplan add extension {user},1,Dial(PJSIP/trunk/{target}) into {CONTEXT} replace")

    def originate(self, target: str, then: str = "echo") -> None:
        """Let it call a SIP address, and do for who answers what it does for who dials `then`."""
        self.command(f"channel originate PJSIP/trunk/{target} extension {then}@{CONTEXT}")

    def channels(self) -> list[Rtp]:
        """Count the RTP packets of each channel that is up."""
        said = self.command("pjsip show channelstats")
        return [Rtp(row[1], sent=int(row[3]), received=int(row[2])) for row in _CHANNEL.finditer(said)]

    def hang_up_all(self) -> None:
        """End every call, and wait until no channel is left."""
        assert self._program is not None
        self.command("channel request hangup all")
        self._program.ready(lambda: "\n0 active channels" in self.command("core show channels"))

    def log(self) -> str:
        """Return what it has said so far."""
        return self._program.log() if self._program else ""


def _libraries(root: Path) -> Path:
    (folder,) = root.glob(f"usr/lib/{platform.machine()}-linux-gnu*")
    return folder


def _loader(root: Path) -> list[str | Path]:
    """Return the words before a program of the folder that make it run outside: its own loader and libraries."""
    (loader,) = _libraries(root).glob("ld-linux-*.so.*")
    return [loader, "--library-path", _libraries(root)]


def cache() -> Path:
    """Return where the programs are, or will be."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "predictive-dialer" / f"asterisk-{SUITE}"


def make() -> None:
    """Fetch the programs, once, one process at a time, from the mirror that apt uses here."""
    folder = cache()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _bootstrap(folder)


def _bootstrap(folder: Path) -> None:
    if (path := program("debootstrap")) is None:
        sys.exit("no debootstrap found: install debootstrap")
    draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    words = [path, "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(draft), _mirror()]
    try:
        done = _as_root(*words)
        if done.returncode:
            sys.exit(f"debootstrap could not fetch Asterisk: {done.stdout}{done.stderr}")
        _as_root("chmod", "-R", "a+rX", str(draft))
        draft.rename(folder)
    finally:
        _as_root("rm", "-rf", str(draft))


def _as_root(*words: str) -> subprocess.CompletedProcess[str]:
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    return subprocess.run([*sudo, *words], check=False, capture_output=True, text=True)


def _mirror() -> str:
    """Return the address of the packages of this machine's own release, as apt knows it."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)"], check=True, capture_output=True, text=True
    )
    found = re.search(rf"^{release} (\S+)$", said.stdout, re.MULTILINE)
    if found is None:
        sys.exit(f"apt has no source for {release}: nothing to fetch Asterisk from")
    return found[1]


def _probe() -> Found | Absent:
    if not cache().exists():
        return Absent("not fetched: install debootstrap, then `python -m tests.plugins.asterisk`")
    command = [*_loader(cache()), cache() / "usr/sbin/asterisk", "-V"]
    return Found(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


register("asterisk", _probe, fixtures=["asterisk", "asterisk_server"])


@contextlib.contextmanager
def local_asterisk(*, algorithms: Sequence[str] = ("MD5",)) -> Iterator[Asterisk]:
    """Run an Asterisk of the test's own; its guarded port challenges by these algorithms, the best first (RFC 8760)."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-asterisk-"))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        server = Asterisk(cache(), folder, algorithms=algorithms)
        ending.callback(server.stop)
        server.start()
        yield server


@pytest.fixture(scope="session")
def asterisk_server() -> Iterator[Asterisk]:
    """Give the run's Asterisk; a test takes `asterisk`, which sees to it that the next test finds it so."""
    with local_asterisk() as server:
        yield server


@pytest.fixture
def asterisk(asterisk_server: Asterisk) -> Iterator[Asterisk]:
    """Give an Asterisk that runs, without a call, and that the test may stop."""
    yield asterisk_server
    asterisk_server.start()
    asterisk_server.hang_up_all()


if __name__ == "__main__":
    make()
