"""The words of the catalogue: complete, in both languages, the seeds' own where the seeds have any."""

from __future__ import annotations

import pytest

from statuses import catalog
from statuses.interactions import InteractionKind
from statuses.lead import LeadState
from statuses.outcomes import CallStatus

EVERYTHING: list[CallStatus | LeadState | InteractionKind | None] = [*CallStatus, *LeadState, *InteractionKind, None]

CALLS = {
    "Answered": "cuộc gọi đã được kết nối với thuê bao khách hàng.",
    "No Answered": "cuộc gọi không được thuê bao khách hàng nghe máy",
    "Busy": "khách hàng chủ động ngắt cuộc gọi tới",
    "Busy line": ("Mobile gọi vào nhưng chưa được kết nối đến nhân viên (áp dụng cho chiến dịch Inbound, Autodialer)"),
    "IVR": "Mobile gọi vào IVR chưa nhấn phím mobile đã ngắt máy (áp dụng cho chiến dịch Inbound, Autodialer)",
    "Failed": "Template lỗi, script lỗi, script bị xoá, hết key zalo.",
    "Congestion": "đầu số gọi bị nhà mạng chặn, bị khóa.",
    "Cancel": ("cuộc gọi không được thuê bao khách hàng nghe máy và đúng thời gian quy định hồi âm chuông ngắt máy."),
    "Invalid number": "gọi ra tới nhà mạng nhưng nhà mạng báo sai số (số mobile sai)",
    "Phone Block": "số điện thoại khách hàng bị khóa.",
    "Not available": (
        "số điện thoại khách hàng đang nằm trong vùng phủ sóng yếu, sim bị khoá, thiết bị hết pin, hư hỏng…."
    ),
    "Voicemail": (
        "số điện thoại khách hàng có đăng ký hộp thư thoại khi gọi đến cuộc gọi được chuyển vào hộp thư thoại "
        "nên không thể thực hiện kết nối giữa nhân viên và khách hàng."
    ),
}

LEADS = {
    "Chưa thực hiện": "khách hàng chưa được hệ thống gọi",
    "Đang xử lý": "khách hàng đang trong cuộc gọi từ chiến dịch",
    "Đã gọi nhưng không được": (
        "đã thực hiện cuộc gọi tới khách hàng nhưng chưa thành công, vẫn chưa quá giới hạn gọi ra tối đa"
    ),
    "Hẹn gọi lại": (
        "đã gọi khách hàng thành công và được yêu cầu hẹn gọi lại (có thao tác Hẹn gọi lại khi thực hiện chiến dịch)"
    ),
    "Thành công": "khách hàng đã được gọi thành công",
    "Gọi hết số lần retry nhưng không được": "gọi hết số lần retry nhưng không thành công",
    "Không gọi lại": (
        "gọi tới khách hàng thành công và khách hàng không hẹn gọi lại "
        "(có thao tác Không gọi lại khi thực hiện chiến dịch)"
    ),
    "Thực hiện cuộc gọi lỗi": (
        "cuộc gọi thực hiện lỗi, có thể lỗi từ hotline, internet agent lỗi dẫn đến timeout cuộc gọi, số khách hàng sai"
    ),
    "Tạm dừng gọi ra": "khách hàng bị đánh dấu tạm dừng gọi ra",
    "Khách hàng bị chặn gọi ra": (
        "khách hàng trong danh sách “blacklist gọi ra”. Cài đặt này trong phần Cài đặt dịch vụ"
    ),
    "Khách hàng đăng kí dịch vụ DNC": "khách hàng đăng kí dịch vụ DNC (Do Not Call) của nhà mạng",
}


@pytest.mark.req("S0-6", "S0-11")
def test_call_statuses_have_the_seeds_labels_and_definitions() -> None:
    assert {catalog.label(s, "en"): catalog.definition(s, "vi") for s in CallStatus} == CALLS


@pytest.mark.req("S4-3")
def test_lead_states_have_the_seeds_labels_and_definitions() -> None:
    assert {catalog.label(s, "vi"): catalog.definition(s, "vi") for s in LeadState} == LEADS


@pytest.mark.req("S4-3")
def test_lead_states_have_the_products_english_labels() -> None:
    assert [catalog.label(state, "en") for state in LeadState] == [
        "Undone",
        "Progressing",
        "Called but failed",
        "Call back",
        "Successful",
        "Called all retry times but failed",
        "Do not call back",
        "Make an error call",
        "Stop call",
        "Customers blocked from calling out",
        "Customers subscribe for DNC service",
    ]


@pytest.mark.parametrize("value", EVERYTHING)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_everything_has_a_label_and_a_definition(value: CallStatus | LeadState | InteractionKind, lang: str) -> None:
    assert catalog.label(value, lang).strip()
    assert catalog.definition(value, lang).strip()


@pytest.mark.parametrize("kinds", [CallStatus, LeadState, InteractionKind])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_two_labels_are_the_same(kinds: type[CallStatus | LeadState | InteractionKind], lang: str) -> None:
    labels = [catalog.label(value, lang) for value in kinds]
    assert len(set(labels)) == len(labels)


def _channel(part: str) -> float:
    share = int(part, 16) / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("value", EVERYTHING)
def test_every_colour_can_be_read_on_white(value: CallStatus | LeadState | InteractionKind) -> None:
    """WCAG 2.1, success criterion 1.4.3: contrast of 4.5 or more."""
    colour = catalog.colour(value)
    assert len(colour) == 7
    red, green, blue = (_channel(colour[i : i + 2]) for i in (1, 3, 5))
    contrast = 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
    assert contrast >= 4.5


@pytest.mark.req("S0-10")
def test_codes_and_counters() -> None:
    assert [catalog.code(s) for s in CallStatus] == [
        "A1",
        "NA",
        "B1",
        "BL1",
        "IV1",
        "F1",
        "CG1",
        "C1",
        "IN1",
        "PB1",
        "NA1",
        "VM1",
    ]
    assert catalog.code(None) == "NEW"
    assert catalog.counter(CallStatus.INVALID_NUMBER) == "invalid"
    assert catalog.counter(CallStatus.NO_ANSWERED) == "no_answered"


@pytest.mark.parametrize("lang", ["", "fr", "VI"])
def test_another_language_is_refused(lang: str) -> None:
    with pytest.raises(ValueError, match="use one of: vi, en"):
        catalog.label(CallStatus.BUSY, lang)
