"""The only place with words for statuses: labels, definitions, codes and colours, Vietnamese and English."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from statuses.interactions import InteractionKind
from statuses.lead import LeadState
from statuses.outcomes import NEW_CODE, STATUS_CODES, STATUS_COUNTERS, CallStatus

Lang: TypeAlias = Literal["vi", "en"]
Named: TypeAlias = CallStatus | LeadState | InteractionKind | None
"""What has words; None is the call status of a lead that has not been called."""


class _Words(NamedTuple):
    """One entry of the catalogue."""

    vi: str
    en: str
    vi_definition: str
    en_definition: str
    colour: str


# The Vietnamese definitions are the seeds' exact words (S0-6.1 to S0-6.12, S4-3.1 to S4-3.11).
_CALLS: Final = {
    CallStatus.ANSWERED: _Words(
        "Đã nghe máy",
        "Answered",
        "cuộc gọi đã được kết nối với thuê bao khách hàng.",
        "The call was connected with the customer.",
        "#1b7a3d",
    ),
    CallStatus.NO_ANSWERED: _Words(
        "Không nghe máy",
        "No Answered",
        "cuộc gọi không được thuê bao khách hàng nghe máy",
        "The customer did not pick up, and the network ended the call.",
        "#8a5a00",
    ),
    CallStatus.BUSY: _Words(
        "Máy bận",
        "Busy",
        "khách hàng chủ động ngắt cuộc gọi tới",
        "The customer rejected the call, or was on the phone.",
        "#b3440b",
    ),
    CallStatus.BUSY_LINE: _Words(
        "Chưa gặp nhân viên",
        "Busy line",
        "Mobile gọi vào nhưng chưa được kết nối đến nhân viên (áp dụng cho chiến dịch Inbound, Autodialer)",
        "The customer was on the line, but was not connected to an agent (an abandoned call).",
        "#a01f62",
    ),
    CallStatus.IVR: _Words(
        "Dừng ở IVR",
        "IVR",
        "Mobile gọi vào IVR chưa nhấn phím mobile đã ngắt máy (áp dụng cho chiến dịch Inbound, Autodialer)",
        "The customer hung up in the IVR before pressing a key.",
        "#6a3fb0",
    ),
    CallStatus.FAILED: _Words(
        "Lỗi hệ thống",
        "Failed",
        "Template lỗi, script lỗi, script bị xoá, hết key zalo.",
        "The call failed on our side: template or script broken or deleted, speech key used up, agent's leg lost.",
        "#b3261e",
    ),
    CallStatus.CONGESTION: _Words(
        "Nghẽn, chặn đầu số",
        "Congestion",
        "đầu số gọi bị nhà mạng chặn, bị khóa.",
        "The calling number is blocked or barred by the carrier, or the network has no capacity.",
        "#8c2f39",
    ),
    CallStatus.CANCEL: _Words(
        "Hủy cuộc gọi",
        "Cancel",
        "cuộc gọi không được thuê bao khách hàng nghe máy và đúng thời gian quy định hồi âm chuông ngắt máy.",
        "The customer did not pick up within the ring time that was set, and we ended the call.",
        "#5f6368",
    ),
    CallStatus.INVALID_NUMBER: _Words(
        "Sai số",
        "Invalid number",
        "gọi ra tới nhà mạng nhưng nhà mạng báo sai số (số mobile sai)",
        "The carrier says that the number is wrong.",
        "#7a4a2b",
    ),
    CallStatus.PHONE_BLOCK: _Words(
        "Số bị khóa",
        "Phone Block",
        "số điện thoại khách hàng bị khóa.",
        "The customer's number is locked.",
        "#4a4a8f",
    ),
    CallStatus.NOT_AVAILABLE: _Words(
        "Không liên lạc được",
        "Not available",
        "số điện thoại khách hàng đang nằm trong vùng phủ sóng yếu, sim bị khoá, thiết bị hết pin, hư hỏng….",
        "The customer's phone cannot be reached: weak coverage, SIM locked, battery empty, device broken.",
        "#35618e",
    ),
    CallStatus.VOICEMAIL: _Words(
        "Hộp thư thoại",
        "Voicemail",
        "số điện thoại khách hàng có đăng ký hộp thư thoại khi gọi đến cuộc gọi được chuyển vào hộp thư thoại"
        " nên không thể thực hiện kết nối giữa nhân viên và khách hàng.",
        "The call went to the customer's voicemail, so that agent and customer could not be connected.",
        "#0b6e75",
    ),
}

_LEADS: Final = {
    LeadState.NOT_CALLED: _Words(
        "Chưa thực hiện", "Undone", "khách hàng chưa được hệ thống gọi", "Not called by the system yet.", "#5f6368"
    ),
    LeadState.IN_PROGRESS: _Words(
        "Đang xử lý",
        "Progressing",
        "khách hàng đang trong cuộc gọi từ chiến dịch",
        "In a call from the campaign.",
        "#0b57a4",
    ),
    LeadState.CALLED_NO_SUCCESS: _Words(
        "Đã gọi nhưng không được",
        "Called but failed",
        "đã thực hiện cuộc gọi tới khách hàng nhưng chưa thành công, vẫn chưa quá giới hạn gọi ra tối đa",
        "Called, not yet with success; calls are left.",
        "#8a5a00",
    ),
    LeadState.CALLBACK: _Words(
        "Hẹn gọi lại",
        "Call back",
        "đã gọi khách hàng thành công và được yêu cầu hẹn gọi lại (có thao tác Hẹn gọi lại khi thực hiện chiến dịch)",
        "Called with success, and a callback was asked for.",
        "#6a3fb0",
    ),
    LeadState.SUCCESS: _Words(
        "Thành công", "Successful", "khách hàng đã được gọi thành công", "Called with success.", "#1b7a3d"
    ),
    LeadState.RETRY_EXHAUSTED: _Words(
        "Gọi hết số lần retry nhưng không được",
        "Called all retry times but failed",
        "gọi hết số lần retry nhưng không thành công",
        "All calls were used, none with success.",
        "#a01f62",
    ),
    LeadState.DO_NOT_RECALL: _Words(
        "Không gọi lại",
        "Do not call back",
        "gọi tới khách hàng thành công và khách hàng không hẹn gọi lại"
        " (có thao tác Không gọi lại khi thực hiện chiến dịch)",
        "Called with success, and the agent marked: do not call back.",
        "#4a4a8f",
    ),
    LeadState.CALL_ERROR: _Words(
        "Thực hiện cuộc gọi lỗi",
        "Make an error call",
        "cuộc gọi thực hiện lỗi, có thể lỗi từ hotline, internet agent lỗi dẫn đến timeout cuộc gọi, số khách hàng sai",
        "The call was made with an error: the hotline, the agent's connection, or a wrong number.",
        "#b3261e",
    ),
    LeadState.PAUSED: _Words(
        "Tạm dừng gọi ra",
        "Stop call",
        "khách hàng bị đánh dấu tạm dừng gọi ra",
        "Marked as paused: not called for now.",
        "#7a4a2b",
    ),
    LeadState.BLACKLISTED: _Words(
        "Khách hàng bị chặn gọi ra",
        "Customers blocked from calling out",
        "khách hàng trong danh sách “blacklist gọi ra”. Cài đặt này trong phần Cài đặt dịch vụ",
        "On our list of numbers that are not called.",
        "#202124",
    ),
    LeadState.DNC: _Words(
        "Khách hàng đăng kí dịch vụ DNC",
        "Customers subscribe for DNC service",
        "khách hàng đăng kí dịch vụ DNC (Do Not Call) của nhà mạng",
        "In the carrier's Do Not Call register.",
        "#8c2f39",
    ),
}

_INTERACTIONS: Final = {
    InteractionKind.POTENTIAL: _Words(
        "Khách hàng tiềm năng", "Potential customer", "khách hàng có nhu cầu", "The customer is interested.", "#0b57a4"
    ),
    InteractionKind.CONTRACT_CLOSED: _Words(
        "Khách hàng chốt hợp đồng", "Contract closed", "khách hàng đã ký", "The customer signed.", "#1b7a3d"
    ),
    InteractionKind.REFUSED: _Words(
        "Khách hàng từ chối", "Customer refused", "khách hàng không đồng ý", "The customer said no.", "#b3261e"
    ),
    InteractionKind.CALL_IN: _Words(
        "Gọi đến", "Incoming call", "khách hàng gọi đến và có người nghe", "The customer called us.", "#0b6e75"
    ),
    InteractionKind.CALL_OUT: _Words(
        "Gọi đi", "Outgoing call", "gọi ra cho khách hàng", "We called the customer.", "#35618e"
    ),
    InteractionKind.CALL_MISSED: _Words(
        "Gọi nhỡ",
        "Missed call",
        "khách hàng gọi đến nhưng không ai nghe",
        "Nobody took the customer's call.",
        "#b3440b",
    ),
    InteractionKind.EDITED: _Words(
        "Chỉnh sửa khách hàng", "Customer edited", "thông tin được cập nhật", "The details were changed.", "#5f6368"
    ),
    InteractionKind.ASSIGNED: _Words(
        "Giao sale chăm sóc", "Assigned to sale", "khách hàng được giao cho sale", "Given to a sale.", "#4a4a8f"
    ),
    InteractionKind.APPOINTMENT: _Words(
        "Lịch hẹn", "Appointment", "hẹn gọi lại hoặc gặp khách hàng", "A call or a meeting was agreed.", "#6a3fb0"
    ),
    InteractionKind.ADDED: _Words(
        "Thêm mới", "Added", "khách hàng được thêm vào hệ thống", "The customer was added.", "#8a5a00"
    ),
    InteractionKind.CLASSIFIED: _Words(
        "Phân loại", "Classified", "khách hàng được gắn thẻ phân loại", "The customer got a tag.", "#a01f62"
    ),
}

_NOT_CALLED: Final = _Words("Chưa gọi", "Not called", "chưa có cuộc gọi nào", "No call was made yet.", "#5f6368")


def _words(value: Named) -> _Words:
    match value:
        case CallStatus():
            return _CALLS[value]
        case LeadState():
            return _LEADS[value]
        case InteractionKind():
            return _INTERACTIONS[value]
        case None:
            return _NOT_CALLED


def _language(lang: str) -> str:
    if lang not in get_args(Lang):
        raise ValueError(f"unknown language {lang!r}; use one of: {', '.join(get_args(Lang))}")
    return lang


def label(value: Named, lang: str = "vi") -> str:
    """Return the words on screen; English call statuses are the seed's own; ValueError for another language."""
    words = _words(value)
    return words.vi if _language(lang) == "vi" else words.en


def definition(value: Named, lang: str = "vi") -> str:
    """Return what the value means, in one sentence; in Vietnamese the seed's exact words."""
    words = _words(value)
    return words.vi_definition if _language(lang) == "vi" else words.en_definition


def colour(value: Named) -> str:
    """Return `#rrggbb`, readable as text on white (WCAG 2 AA, contrast of 4.5 or more)."""
    return _words(value).colour


def code(status: CallStatus | None) -> str:
    """Return the default code of a call status, NEW for a lead that has not been called (statuses.md 2.1)."""
    return STATUS_CODES[status] if status is not None else NEW_CODE


def counter(status: CallStatus) -> str:
    """Return the name of the status's counter in reports (statuses.md 2.1)."""
    return STATUS_COUNTERS[status]
