"""The page of a role without a console, as one more service."""

from __future__ import annotations

import socket

from dialer.app import Dialer
from dialer.home import Home
from dialer.metrics import render
from dialer.service.lifecycle import Service
from dialer.service.server import WebServer
from web.health import create_health_app


def health_service(dialer: Dialer, home: Home, sock: socket.socket) -> Service:
    """Make the service that answers `/livez`, `/readyz`, `/metrics`, and for call records if they are open here."""
    app = create_health_app(
        dialer.health,
        lambda: render(dialer.samples()),
        calls=dialer if dialer.has_cdr else None,
        service_token=home.secrets().service,
    )
    return Service("health page", WebServer(app, sock).run_forever)
