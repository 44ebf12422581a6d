from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import BadInput
from telephony_adapters.asterisk.config import Agents, load, parse

SERVER = """
[server.main]
url = "http://10.0.0.5:8088/ari"
user = "dialer"
password = "x"
endpoint = "PJSIP/{phone}@trunk"
channels = 20
cps = 5
"""


def test_a_short_file() -> None:
    file = parse(SERVER)
    limit = file.servers["main"].limit
    assert (limit.name, limit.channels, limit.cps, limit.burst) == ("main", 20, 5.0, 5)
    assert file.agents.dialled("a1") == "PJSIP/a1"
    assert file.common.app == "dialer"
    assert Agents(endpoints={"a7": "PJSIP/x@y"}).dialled("a7") == "PJSIP/x@y"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it names no server"),
        ("[sever.main]", "did you mean 'server'"),
        ("[server]\nmain = 1", "give the server a name"),
        ("[server.'a b']", "a name has letters"),
        ("url =", "not valid TOML"),
        (SERVER.replace("channels", "chanels"), "did you mean 'channels'"),
        (SERVER.replace("cps = 5", "cps = 0"), "cps: expected a number from 0.01"),
        (SERVER.replace("{phone}", "phone"), "endpoint must hold {phone}"),
        (SERVER.replace("http:", "ftp:"), "url: expected an address"),
        (SERVER.replace('password = "x"', ""), "give one of password"),
        (SERVER + 'password_env = "X"', "give one of password"),
        (SERVER + "prefixes = []", "prefixes is empty"),
        (SERVER + '[agents]\nendpoint = "PJSIP/a"', "must hold {agent}"),
        (SERVER + SERVER.replace("main", "two") + "[agents]\nnailed_up = true", "needs one server"),
        (SERVER + '[asterisk]\napp = "a b"', "app: expected a name of letters"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert words in str(caught.value)


def test_passwords_may_be_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "asterisk.toml"
    with pytest.raises(BadInput, match="cannot read"):
        load(path)
    path.write_text(SERVER.replace('password = "x"', 'password_file = "secret"'))
    with pytest.raises(BadInput, match=r"cannot read .*password_file"):
        load(path)
    (tmp_path / "secret").write_text("from a file\n")
    password = load(path).servers["main"].password
    assert password is not None
    assert password.reveal() == "from a file"
    assert "from a file" not in repr(load(path))
    (tmp_path / "secret").write_text("")
    with pytest.raises(BadInput, match="is empty"):
        load(path)
    path.write_text(SERVER.replace('password = "x"', 'password_env = "ASTERISK_TEST"'))
    with pytest.raises(BadInput, match="ASTERISK_TEST is not set"):
        load(path)
    monkeypatch.setenv("ASTERISK_TEST", "from outside")
    password = load(path).servers["main"].password
    assert password is not None
    assert password.reveal() == "from outside"
    path.write_bytes(b"\xff")
    with pytest.raises(BadInput, match="not UTF-8"):
        load(path)
