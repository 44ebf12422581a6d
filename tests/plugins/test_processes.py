from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.plugins.components import Absent, Found
from tests.plugins.processes import HOST, PORTS, Program, filled, free_port, is_open, probed, program

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("kind", "name"), [(socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")])
def test_a_port_in_use_is_seen_and_not_given_out(
    kind: socket.SocketKind, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(type=kind) as used:
        used.bind((HOST, 0))
        if name == "tcp":
            used.listen()
        port = used.getsockname()[1]
        assert is_open(port, name)
        assert not is_open(port, "udp", "tcp")
        monkeypatch.setattr("tests.plugins.processes._NUMBERS", iter((port, port + 1)))
        assert free_port() == port + 1
    assert not is_open(port, name)


def test_neighbouring_ports_are_free_together_and_none_is_given_twice() -> None:
    first = free_port(3)
    assert first in PORTS
    assert len({free_port() for _ in range(100)} | set(range(first, first + 3))) == 103
    assert not any(is_open(port, kind) for port in range(first, first + 3) for kind in ("udp", "tcp"))


def test_where_the_ports_begin_anew_no_neighbours_are_made_of_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.plugins.processes._is_free", lambda port: True)
    monkeypatch.setattr("tests.plugins.processes._NUMBERS", iter((31_999, 20_000, 20_001, 20_002)))
    assert free_port(2) == 20_001


def test_a_program_is_found_with_its_version_or_named_with_its_package() -> None:
    assert program("no-such-program") is None
    assert probed("no-such-program", "its-package") == Absent("no no-such-program found: install its-package")
    found = probed("sh", "dash", "-c", "echo 1.2; echo more")
    assert found == Found("1.2")


def test_each_word_of_a_template_has_a_value(tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.write_text("sip:@user@@@host@:@port@ [a]@[b]")
    assert filled(template, user="u", host="h", port=1) == "sip:u@h:1 [a]@[b]"
    with pytest.raises(KeyError):
        filled(template, user="u", host="h")


def test_a_program_runs_in_its_folder_until_it_is_stopped(tmp_path: Path) -> None:
    running = Program(["sh", "-c", "echo here; touch up; exec sleep 60"], tmp_path)
    running.ready((tmp_path / "up").exists)
    assert running.log() == "here\n"
    assert not running.has_ended()
    running.stop()
    assert running.has_ended()
    running.stop()


def test_a_program_that_ends_instead_of_coming_up_fails_the_test_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="sh did not start: port in use"):
        Program(["sh", "-c", "echo port in use; exit 1"], tmp_path).ready(lambda: False)


def test_a_program_that_does_not_listen_to_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.plugins.processes.STOP_TIMEOUT_S", 0.1)
    running = Program(["sh", "-c", "trap '' TERM; touch up; while :; do sleep 0.05; done"], tmp_path)
    running.ready((tmp_path / "up").exists)
    running.stop()
    assert running.has_ended()


PEERS = {
    "sipp": ("sipp", "no sipp found: install sip-tester"),
    "phones": ("baresip", "no baresip found: install baresip-core"),
    "kamailio": ("kamailio", "no kamailio found: install kamailio and kamailio-tls-modules"),
    "asterisk": ("asterisk", "not fetched: install debootstrap, then `python -m tests.plugins.asterisk`"),
}


def test_where_the_peers_are_absent_a_run_that_requires_them_says_what_to_install(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path))
    monkeypatch.setenv("DIALER_REQUIRE", ",".join(name for name, _ in PEERS.values()))
    plugins = ["components", "certificates", "sipp", "baresip", "kamailio", "asterisk"]
    pytester.makeconftest(
        "import shutil\nshutil.which = lambda *args, **more: None\n"
        f"pytest_plugins = {[f'tests.plugins.{name}' for name in plugins]}"
    )
    pytester.makepyfile("\n".join(f"def test_{fixture}({fixture}): pass" for fixture in PEERS))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.assert_outcomes(errors=len(PEERS))
    for name, why in PEERS.values():
        result.stdout.fnmatch_lines_random([f"*{name} is absent, and DIALER_REQUIRE wants it: {why}*"])
