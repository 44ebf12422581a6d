"""The words of the pages for scripts, (Vietnamese, English)."""

from __future__ import annotations

from typing import Final

SCRIPT_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "menu.scripts": ("Kịch Bản", "Scripts"),
    "scripts.title": ("Kịch Bản Gọi Tự Động", "Autodialer scripts"),
    "scripts.subtitle": (
        "Những gì cuộc gọi tự động nói, các phím khách hàng bấm và khi nào chuyển cho nhân viên",
        "What automatic calls say, which keys people press, and when agents take over",
    ),
    "scripts.new": ("Thêm kịch bản", "New script"),
    "scripts.empty": ("Chưa có kịch bản nào.", "There is no script yet."),
    "scripts.version": ("Phiên bản {n}", "Version {n}"),
    "scripts.saved_at": ("lưu lúc {at}", "saved {at}"),
    "scripts.used_by": ("Chiến dịch: {names}", "Campaigns: {names}"),
    "scripts.unused": ("Chưa chiến dịch nào dùng", "No campaign follows it"),
    "scripts.delete_title": ("Xóa kịch bản?", "Delete the script?"),
    "scripts.delete_text": (
        "Kịch bản “{name}” sẽ bị xóa. Các phiên bản cũ vẫn được giữ.",
        "The script “{name}” will be deleted. Its versions are kept.",
    ),
    "scripts.delete_used": (
        "Kịch bản “{name}” sẽ bị xóa. Cho tới khi có kịch bản khác, các chiến dịch này không gọi cho ai: {names}.",
        "The script “{name}” will be deleted. These campaigns will call nobody until they have another: {names}.",
    ),
    "scripts.deleted": ("Đã xóa kịch bản.", "The script has been deleted."),
    "script.name": ("Tên kịch bản", "Name of the script"),
    "script.text": ("Nội dung (TOML)", "Text (TOML)"),
    "script.save": ("Lưu", "Save"),
    "script.saved": ("Đã lưu phiên bản {n}.", "Version {n} has been saved."),
    "script.right": (
        "Kịch bản đúng: {n} nút, cuộc gọi bắt đầu ở “{start}”.",
        "The script is right: {n} nodes, a call begins at “{start}”.",
    ),
    "script.fields": ("Trường thông tin khách hàng: {names}", "Fields of the customer: {names}"),
    "script.prompts": ("Nghe thử", "Listen"),
    "script.prompts_hint": (
        "Trường thông tin được thay bằng giá trị mặc định hoặc tên của trường.",
        "Fields are spoken as their default, or by their name.",
    ),
    "script.listen": ("Nghe {name}", "Listen to {name}"),
    "script.cannot_play": ("Không phát được: {why}", "Cannot be played: {why}"),
    "script.name_wrong": (
        "Tên gồm 1 đến 64 chữ, số và các dấu . _ - ở giữa.",
        "A name has 1 to 64 letters and digits, with . _ - inside.",
    ),
    "script.changed": (
        "Người khác vừa lưu một phiên bản mới. Hãy tải lại trang để xem.",
        "Somebody has saved a newer version. Reload the page to see it.",
    ),
    "script.gone": ("Không có kịch bản này.", "There is no such script."),
    "script.wrong": ("{name}: phím sai", "{name}: wrong key"),
    "script.audio": ("tệp {name}.wav", "file {name}.wav"),
    "fault.audio": ("thiếu tệp âm thanh hoặc tệp hỏng", "the recording is missing or broken"),
    "fault.voice": ("không đọc được văn bản này", "the text cannot be spoken"),
    "fault.tts_key": ("đã hết khoá của dịch vụ giọng đọc", "every key of the speech service is used up"),
    "fault.template": ("văn bản có trường mà khách hàng không có", "a text names a field that the customer has not"),
    "fault.script": ("kịch bản có lỗi", "the script is broken"),
    "fault.script_deleted": ("kịch bản đã bị xóa", "the script was deleted"),
    "hold.content": (
        "Nội dung phát bị thiếu hoặc có lỗi nên chưa gọi cho ai",
        "What calls would play is missing or broken, so nobody is called",
    ),
}
