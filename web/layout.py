"""The frame around every page: menu, header, language switch, sign-out and the zone that times are written in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from html import escape
from typing import Final
from urllib.parse import quote

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from web.i18n import DEFAULT_ZONE, Lang, Words, as_lang

MENU: Final = (
    ("menu.campaigns", "/", "campaign"),
    ("menu.leads", "/leads", "groups"),
    ("menu.callbacks", "/callbacks", "event"),
    ("menu.scripts", "/scripts", "account_tree"),
    ("menu.dial", "/dial", "dialpad"),
)
INK: Final = "#1b2530"
ACCENT: Final = "#0f6b5c"
_SWITCH: Final[tuple[tuple[Lang, str, str], ...]] = (("vi", "VI", "Tiếng Việt"), ("en", "EN", "English"))


def words_of(request: Request, zone: str = DEFAULT_ZONE) -> Words:
    """Return the words in the language that this session chose."""
    return Words(as_lang(request.session.get("lang")), zone)


@contextmanager
def frame(request: Request, words: Words, *, title: str, path: str, now: float) -> Iterator[Element]:
    """Draw the frame and yield the main region to fill; `path` marks the menu entry that is open."""
    _set_document(words, title)
    ui.add_head_html('<link rel="stylesheet" href="/static/console.css">')
    ui.colors(primary=ACCENT, secondary="#3f5566", accent="#8a5a00", dark=INK, positive="#1b6e3c", negative="#b3261e")
    drawer = _menu(words, path)
    _header(request, words, drawer)
    with ui.element("main").classes("page") as main:
        yield main
    with ui.element("footer").classes("page-foot"):
        ui.label(words.zone_note(now))
    ui.skip_link(words("menu.skip"), target=main)


def page_title(text: str, subtitle: str = "") -> None:
    """Write a page's heading, and what the page is for."""
    with ui.element("div").classes("page-title"):
        heading(text, level=1)
        if subtitle:
            ui.label(subtitle).classes("muted")


def heading(text: str, *, level: int) -> Element:
    """Write a heading that screen readers know as one."""
    with ui.element(f"h{level}") as element:
        ui.html(escape(text), sanitize=False, tag="span")
    return element


def _set_document(words: Words, title: str) -> None:
    client = ui.context.client
    page = copy(client.page)  # the page object is shared by all readers; language and title are this reader's
    page.language = "vi" if words.lang == "vi" else "en-GB"
    page.title = f"{title} · {words('app.name')}"
    client.page = page


def _menu(words: Words, path: str) -> ui.left_drawer:
    # `show-if-above` opens it on a desk; leaving the value to NiceGUI would ask the browser for it on each page.
    drawer = (
        ui.left_drawer(value=False, top_corner=True).classes("menu").props("width=200 breakpoint=1023 show-if-above")
    )
    with drawer:
        with ui.element("div").classes("brand"):
            ui.html('<img src="/static/icon.svg" alt="" width="30" height="30">', sanitize=False)
            ui.label(words("app.name"))
        with ui.element("nav").props(f'aria-label="{words("menu.main")}"'):
            for key, target, icon in MENU:
                with ui.link(target=target).classes("menu-item") as entry:
                    ui.icon(icon).props("aria-hidden=true")
                    ui.label(words(key))
                if target == path:
                    entry.classes("is-open").props("aria-current=page")
    return drawer


def _header(request: Request, words: Words, drawer: ui.left_drawer) -> None:
    with ui.header(wrap=False).classes("top"):
        ui.button(icon="menu", on_click=lambda: drawer.run_method("toggle")).props(
            f'flat round dense aria-label="{words("menu.open")}"'
        ).classes("menu-button")
        ui.space()
        with ui.element("nav").classes("lang").props(f'aria-label="{words("menu.language")}"'):
            for lang, short, name in _SWITCH:
                link = ui.link(short, f"/lang/{lang}?next={quote(request.url.path)}").props(
                    f'lang={lang} title="{name}"'
                )
                if lang == words.lang:
                    link.props("aria-current=true")
        ui.html(
            '<form method="post" action="/logout"><button type="submit" class="plain">'
            f"{escape(words('menu.sign_out'))}</button></form>",
            sanitize=False,
        )
