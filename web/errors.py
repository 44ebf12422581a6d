"""Errors of the JSON API: one shape, and never what was sent, because that may hold a phone number."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from dialer.errors import BadInput, DialerError, NotFound


def problem(status: int, code: str, message: str) -> JSONResponse:
    """Answer with an error: {"error": {"code": ..., "message": ...}}."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def install_error_handlers(app: FastAPI) -> None:
    """Give refused parameters and our own errors that shape."""

    @app.exception_handler(RequestValidationError)
    async def refused(_: Request, error: RequestValidationError) -> JSONResponse:
        parts = [f"{'.'.join(map(str, found['loc'][1:]))}: {found['msg']}" for found in error.errors()]
        return problem(422, "bad_parameter", "; ".join(parts))

    @app.exception_handler(DialerError)
    async def failed(_: Request, error: DialerError) -> JSONResponse:
        if isinstance(error, NotFound):
            return problem(404, "not_found", str(error))
        return problem(400 if isinstance(error, BadInput) else 409, "refused", str(error))
