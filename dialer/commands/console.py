"""The console in the browser, as one more service of a process; apart, since loading it takes a second."""

from __future__ import annotations

import socket

from dialer.app import Dialer
from dialer.home import Home
from dialer.service.lifecycle import Service
from dialer.service.server import WebServer
from web.app import create_app
from web.deps import WebDeps


def console_service(dialer: Dialer, home: Home, sock: socket.socket) -> Service:
    """Make the service that answers on `sock`."""
    secrets = home.secrets()
    deps = WebDeps(
        engine=dialer.engine,
        cdr=dialer.cdr,
        now=dialer.clock.now,
        session_secret=secrets.session,
        service_token=secrets.service,
        health=dialer.health,
    )
    return Service("console", WebServer(create_app(deps), sock).run_forever)
