"""The trunks file as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import BadInput
from telephony_adapters.trunks.config import load, parse
from telephony_adapters.trunks.guard import VIETNAM
from telephony_adapters.trunks.reading import Secret

TRUNK = '[trunk.a]\nserver = "sip.a.vn"\nchannels = 2\ncps = 1\n'
TRUNK_B = TRUNK.replace("trunk.a", "trunk.b")
TLS = 'transport = "tls"\n'
AGENTS = '[agents]\nserver = "10.0.0.5"\n'


def test_the_least_that_a_file_may_say() -> None:
    file = parse(TRUNK)
    assert (file.trunks["a"].name, file.agents, file.numbers.allow) == ("a", None, VIETNAM)
    assert (file.sip.listen, file.spend.timezone) == (("udp:0.0.0.0:5060",), "Asia/Ho_Chi_Minh")


def test_one_server_may_be_trusted_in_two_ways_under_two_names() -> None:
    toml = TRUNK + TLS + TRUNK_B + TLS + 'tls_verify = false\ntls_name = "lab.a.vn"\n'
    assert [trunk.tls_host for trunk in parse(toml).trunks.values()] == ["sip.a.vn", "lab.a.vn"]
    assert parse(TRUNK + TLS + TRUNK_B + TLS).trunks.keys() == {"a", "b"}


def test_files_are_named_relative_to_the_trunks_file() -> None:
    toml = TRUNK + 'transport = "tls"\ntls_ca = "ca.pem"\ntls_cert = "/abs/c.pem"\ntls_key = "k.pem"\n'
    one = parse(toml, base=Path("/etc/dialer")).trunks["a"]
    assert (one.tls_ca, one.tls_cert) == (Path("/etc/dialer/ca.pem"), Path("/abs/c.pem"))


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("", "it names no trunk; write [trunk.NAME], then server, channels and cps"),
        ("= 1", "not valid TOML: "),
        ("[trunks.a]", "there is no table [trunks]; did you mean 'trunk'?"),
        ('[trunk]\npassword = "geheim"', "[trunk] holds the key 'password'; give the trunk a name: [trunk.NAME]"),
        ('[trunk."a b"]', "trunk 'a b': a name has letters, digits"),
        ("[trunk.a]\nchannels = 2", "trunk 'a': server is missing: expected a host, such as "),
        (TRUNK + "chanels = 3", "trunk 'a': 'chanels' is no key here; did you mean 'channels'?"),
        (TRUNK + 'transport = "sctp"', "trunk 'a': transport: expected one of udp, tcp, tls, not 'sctp'"),
        (TRUNK + 'prefixes = ["+84"]', "trunk 'a': prefixes: expected a list of prefixes such as "),
        (TRUNK + "prefixes = []", "trunk 'a': prefixes is empty"),
        (TRUNK + "register = true", "trunk 'a': register needs username and a password"),
        (TRUNK + 'username = "u"', "trunk 'a': username and a password"),
        (TRUNK + 'password = "p"', "trunk 'a': username and a password"),
        (TRUNK + 'username = "u"\npassword = "p"\npassword_env = "P"', "password and password_env are both given"),
        (TRUNK + "auth = []", "trunk 'a': auth is empty"),
        (TRUNK + 'auth = ["SHA1"]', "trunk 'a': auth: expected a list of SHA-512-256, SHA-256, MD5"),
        (TRUNK + 'tls_ca = "ca.pem"', "trunk 'a': tls_ca means something with transport = \"tls\" only"),
        (TRUNK + 'transport = "tls"\ntls_key = "k"', "trunk 'a': tls_cert and tls_key go together"),
        (TRUNK + 'domain = "a..b"', "trunk 'a': domain: expected a name of a host, or an address, not 'a..b'"),
        (
            TRUNK + TLS + TRUNK_B + TLS + "tls_verify = false\n",
            "trunk 'a' and trunk 'b' have the TLS name sip.a.vn and",
        ),
        (TRUNK + TLS + '[agents]\nserver = "sip.a.vn"\nuri = "sip:{agent}@a"\n' + TLS + 'tls_ca = "c"', "and agents"),
        (TRUNK + "session_expires_s = 60", "trunk 'a': session_expires_s must be 0 or at least 90"),
        (TRUNK + 'announcements = { x = "locked" }', "but no announcement_header"),
        (TRUNK + 'announcements = { x = "gone" }', "('gone': expected one of unreachable, locked,"),
        (TRUNK + "max_cost_day = 5", "trunk 'a': max_cost_day needs a rate for every number; there is none for prefix"),
        (TRUNK + "[spend]\nmax_cost_day = 5", "there is none for prefix ''"),
        (TRUNK + 'prefixes = ["84"]\nmax_cost_day = 5\nrates = { "849" = { per_minute = 1 } }', "none for prefix '84'"),
        (TRUNK + "[numbers]\nmin_digits = 12\nmax_digits = 11", "numbers: min_digits 12 is more than max_digits 11"),
        (TRUNK + '[numbers]\nallow = ["+84"]', "numbers: allow: expected a list of prefixes such as "),
        (TRUNK + '[sip]\nlisten = ["udp:0.0.0.0:99999"]', "sip: listen: expected a list of places such as "),
        (TRUNK + "[sip]\nlisten = []", "trunk 'a': it is spoken to over udp, but [sip] listen has no udp place"),
        (TRUNK + '[sip]\nlisten = ["udp:0.0.0.0", "tls:0.0.0.0"]', "listen has a tls place, which needs tls_cert"),
        (TRUNK + '[sip]\ntls_cert = "c"', "sip: tls_cert and tls_key go together"),
        (TRUNK.replace("channels", 'transport = "tcp"\nchannels') + "[sip]\nlisten = []", "sip: listen is empty"),
        (TRUNK + AGENTS, 'agents: give either uri = "sip:{agent}@HOST" or a table [agents.uris]'),
        (TRUNK + AGENTS + 'uri = "sip:101@h"', "agents: uri must hold {agent} once"),
        (TRUNK + AGENTS + 'uri = "tel:{agent}"', "agents: uri: expected a SIP URI"),
        (TRUNK + AGENTS + 'uri = "sip:{agent}@h"\nusername = "u"', "agents: username and a password"),
    ],
)
def test_a_mistake_is_named_with_where_it_is(toml: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(toml, where="t.toml")
    assert str(caught.value).startswith("t.toml: ")
    assert says in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_cost_cap_is_kept_where_every_number_has_a_rate() -> None:
    toml = TRUNK + 'prefixes = ["8490", "842"]\nmax_cost_day = 5\nrates = { "84" = { per_minute = 1 } }'
    assert parse(toml).trunks["a"].max_cost_day == 5_000_000


def test_passwords_come_from_the_file_another_file_or_the_environment_and_are_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pw").write_text("geheim2\n", encoding="utf-8")
    path = tmp_path / "trunks.toml"
    here, file, variable = (TRUNK.replace("trunk.a", f"trunk.{name}") + 'username = "u"\n' for name in "abc")
    phones = AGENTS + 'uri = "sip:{agent}@h"\nusername = "u"\npassword_env = "SIP_PW"\n'
    path.write_text(
        here + 'password = "geheim1"\n' + file + 'password_file = "pw"\n' + variable + 'password_env = "SIP_PW"\n'
        + phones, encoding="utf-8",
    )  # fmt: skip
    monkeypatch.delenv("SIP_PW", raising=False)
    with pytest.raises(BadInput, match=r"trunk 'c': password_env: the variable SIP_PW is not set$"):
        load(path)
    assert load(path, with_secrets=False).trunks["c"].password is None
    monkeypatch.setenv("SIP_PW", "geheim3")
    loaded = load(path)
    assert [one.password for one in loaded.trunks.values()] == [Secret("geheim1"), Secret("geheim2"), Secret("geheim3")]
    assert loaded.agents is not None
    assert loaded.agents.password == Secret("geheim3")
    assert "geheim" not in repr(loaded)
    (tmp_path / "pw").write_text("\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"trunk 'b': password_file: .*pw is empty$"):
        load(path)
    (tmp_path / "pw").unlink()
    with pytest.raises(BadInput, match=r"cannot read .*trunk 'b': password_file .*pw: No such file"):
        load(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read the trunks file .*x\.toml: No such file"):
        load(tmp_path / "x.toml")
    (tmp_path / "y.toml").write_bytes(b"\xff")
    with pytest.raises(BadInput, match=r"the trunks file .*y\.toml is not UTF-8 text"):
        load(tmp_path / "y.toml")
