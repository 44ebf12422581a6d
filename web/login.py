"""The sign-in page and its routes, in plain HTML: it needs no script and shows nothing of the console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import HTMLResponse, RedirectResponse, Response

from web.auth import ADMIN, PASSWORD_MAX, PASSWORD_MIN, Passwords, Sessions, Throttle, redeem_login_token
from web.i18n import Lang, Words, as_lang

_BODY_MAX: Final = 8192
_PAGE: Final = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · {app}</title><link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/console.css"></head><body class="login-page"><main class="login-card">
<div class="login-brand"><img src="/static/icon.svg" alt="" width="36" height="36"><span>{app}</span></div>
<h1>{title}</h1>{message}<form method="post" action="/login?next={next}">{fields}
<button type="submit">{submit}</button></form>
<nav class="login-lang" aria-label="{language}">{switch}</nav></main></body></html>"""
_FIELD: Final = (
    '<label for="{name}">{label}</label>'
    '<input id="{name}" name="{name}" type="password" required autocomplete="{hint}" maxlength="{max}"{more}>'
)


@dataclass(slots=True)
class Desk:
    """What the sign-in routes work with."""

    engine: AsyncEngine
    secret: str
    now: Callable[[], float]
    sessions: Sessions
    passwords: Passwords
    throttle: Throttle


def make_login_router(desk: Desk) -> APIRouter:
    """Build `/login` (GET, POST), `/logout` and the language switch `/lang/{vi|en}`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def show(request: Request, token: str | None = None) -> Response:
        return await _show(desk, request, token)

    @router.post("/login")
    async def submit(request: Request) -> Response:
        form = parse_qs(await _body(request), keep_blank_values=True)
        password = form.get("password", [""])[0]
        if await desk.passwords.is_set():
            return await _sign_in(desk, request, password)
        return await _set_first(desk, request, password, form.get("repeat", [""])[0])

    @router.post("/logout")
    async def leave(request: Request) -> Response:
        desk.sessions.close(request.session)
        return RedirectResponse("/login", status_code=303)

    @router.get("/lang/{lang}")
    async def switch(request: Request, lang: str) -> Response:
        request.session["lang"] = as_lang(lang)
        return RedirectResponse(_next(request), status_code=303)

    return router


async def _show(desk: Desk, request: Request, token: str | None) -> Response:
    if token is not None:
        if await redeem_login_token(desk.engine, desk.secret, token, now=desk.now()):
            return _enter(desk, request, user="link")
        return await _page(desk, request, error="login.link_dead", status=403)
    if desk.sessions.is_open(request.session):
        return RedirectResponse(_next(request), status_code=303)
    return await _page(desk, request)


async def _sign_in(desk: Desk, request: Request, password: str) -> Response:
    address = request.client.host if request.client else "?"
    wait_s = desk.throttle.wait_s(address, now=desk.now())
    if wait_s > 0:
        return await _page(desk, request, error="login.too_many", status=429, seconds=int(wait_s) + 1)
    desk.throttle.wrong(address, now=desk.now())
    if len(password) > PASSWORD_MAX or not await desk.passwords.matches(password):
        return await _page(desk, request, error="login.wrong", status=403)
    desk.throttle.right(address)
    return _enter(desk, request, user=ADMIN)


async def _set_first(desk: Desk, request: Request, password: str, repeat: str) -> Response:
    if len(password) < PASSWORD_MIN:
        return await _page(desk, request, error="login.too_short", status=400, n=PASSWORD_MIN)
    if len(password) > PASSWORD_MAX:
        return await _page(desk, request, error="login.too_long", status=400, n=PASSWORD_MAX)
    if password != repeat:
        return await _page(desk, request, error="login.differ", status=400)
    if not await desk.passwords.set_first(password, now=desk.now()):
        return await _page(desk, request, error="login.taken", status=409)
    return _enter(desk, request, user=ADMIN)


def _enter(desk: Desk, request: Request, *, user: str) -> Response:
    desk.sessions.open(request.session, user=user)
    return RedirectResponse(_next(request), status_code=303)


async def _page(desk: Desk, request: Request, *, error: str = "", status: int = 200, **values: object) -> Response:
    words = Words(as_lang(request.session.get("lang")))
    is_set = await desk.passwords.is_set()
    message = "" if is_set else f"<p>{escape(words('login.setup_hint', n=PASSWORD_MIN))}</p>"
    if error:
        message += f'<p class="login-error" role="alert">{escape(words(error, **values))}</p>'
    html = _PAGE.format(
        lang=words.lang,
        app=escape(words("app.name")),
        title=escape(words("login.title" if is_set else "login.setup_title")),
        message=message,
        next=quote(_next(request), safe="/"),
        fields=_fields(words, is_set=is_set),
        submit=escape(words("login.submit" if is_set else "login.setup_submit")),
        language=escape(words("menu.language")),
        switch=_switch(words.lang),
    )
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


def _fields(words: Words, *, is_set: bool) -> str:
    def field(name: str, key: str, hint: str, more: str = "") -> str:
        return _FIELD.format(name=name, label=escape(words(key)), hint=hint, max=PASSWORD_MAX, more=more)

    if is_set:
        return field("password", "login.password", "current-password", " autofocus")
    least = f' minlength="{PASSWORD_MIN}"'
    return field("password", "login.password", "new-password", f"{least} autofocus") + field(
        "repeat", "login.repeat", "new-password", least
    )


def _switch(current: Lang) -> str:
    names: dict[Lang, str] = {"vi": "Tiếng Việt", "en": "English"}
    return " ".join(
        f'<a href="/lang/{lang}?next=/login" lang="{lang}"{" aria-current=true" if lang == current else ""}>{name}</a>'
        for lang, name in names.items()
    )


def _next(request: Request) -> str:
    """Return the local path to go to; never another site's."""
    wanted = request.query_params.get("next", "/")
    is_local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if is_local else "/"


async def _body(request: Request) -> str:
    parts: list[bytes] = []
    async for chunk in request.stream():
        parts.append(chunk)
        if sum(map(len, parts)) > _BODY_MAX:
            return ""
    return b"".join(parts).decode("utf-8", "replace")
