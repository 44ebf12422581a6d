"""The script that tests follow."""

from __future__ import annotations

MENU = """
language = "vi"
start = "hello"

[nodes.hello]
do = "play"
audio = "chime"
next = "menu"

[nodes.menu]
do = "gather"
say = "Chào {name}. Bấm 1 để gặp nhân viên, bấm 2 để nghe lại, bấm 3 để lại lời nhắn."
keys = { 1 = "agents", 2 = "menu", 3 = "note" }
wrong_say = "Phím không đúng."
timeout_s = 4
repeats = 1
otherwise = "bye"

[nodes.agents]
do = "transfer"
say = "Xin giữ máy."

[nodes.note]
do = "record"
say = "Hãy nói sau tiếng bíp."
limit_s = 30
next = "bye"

[nodes.bye]
do = "hangup"
say = "Goodbye."
language = "en"
"""
