"""The eleven kinds of interaction (S3-38)."""

from __future__ import annotations

import pytest

from statuses import catalog
from statuses.interactions import CALL_KINDS, InteractionKind, call_kind

SEED = [
    "Khách hàng tiềm năng",
    "Khách hàng chốt hợp đồng",
    "Khách hàng từ chối",
    "Gọi đến",
    "Gọi đi",
    "Gọi nhỡ",
    "Chỉnh sửa khách hàng",
    "Giao sale chăm sóc",
    "Lịch hẹn",
    "Thêm mới",
    "Phân loại",
]


def test_there_are_the_seeds_eleven_kinds_in_its_order() -> None:
    assert [catalog.label(kind, "vi") for kind in InteractionKind] == SEED


@pytest.mark.parametrize(
    ("inbound", "answered", "kind"),
    [
        (True, True, InteractionKind.CALL_IN),
        (True, False, InteractionKind.CALL_MISSED),
        (False, True, InteractionKind.CALL_OUT),
        (False, False, InteractionKind.CALL_OUT),
    ],
)
def test_only_an_incoming_call_can_be_missed(*, inbound: bool, answered: bool, kind: InteractionKind) -> None:
    assert call_kind(inbound=inbound, answered=answered) is kind
    assert kind in CALL_KINDS
