from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dialer.bench.load_trunk import TARGET, is_near, trunk_to
from dialer.errors import BadInput
from telephony_adapters.trunks.addresses import Server
from telephony_adapters.trunks.guard import may_call
from telephony_adapters.trunks.model import Trunk


def test_an_address_becomes_a_trunk_that_takes_what_this_process_can_give() -> None:
    file = trunk_to("udp:127.0.0.1:5071")
    trunk = file.trunks[TARGET]
    assert (trunk.server, trunk.transport) == (Server("127.0.0.1", 5071), "udp")
    assert trunk.cps >= 1000
    assert file.sip.listen == ("udp:127.0.0.1:0",)


def test_only_numbers_of_vietnam_and_the_simulators_may_be_called() -> None:
    numbers = trunk_to("udp:127.0.0.1").numbers
    assert may_call("+84900000001", numbers) is None
    assert may_call("+84955486000", numbers) is None
    assert may_call("+841900123456", numbers) is not None
    assert may_call("+442012345678", numbers) is not None


def test_what_speaks_by_connections_listens_for_them_too() -> None:
    assert trunk_to("tls:127.0.0.1").sip.listen == ("udp:127.0.0.1:0", "tcp:127.0.0.1:0")
    assert trunk_to("tls:127.0.0.1").trunks[TARGET].server.port == 5061


def test_authorities_belong_to_tls() -> None:
    assert trunk_to("tls:127.0.0.1", authorities=Path("ca.pem")).trunks[TARGET].tls_ca == Path("ca.pem")
    with pytest.raises(BadInput, match=r"--ca .* tls:"):
        trunk_to("udp:127.0.0.1", authorities=Path("ca.pem"))


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("192.168.0.9", True), ("::1", True), ("fe80::1", True),
        ("localhost", True), ("8.8.8.8", False), ("2001:4860:4860::8888", False),
    ],
)  # fmt: skip
async def test_near_is_this_machine_and_private_addresses(host: str, *, near: bool) -> None:
    trunk = Trunk(name="a", server=Server(host, 5060), channels=1, cps=1.0)
    assert await is_near(trunk) is near
    assert await is_near(msgspec.structs.replace(trunk, transport="tcp")) is near
