"""The console in the browser, as one more service of a process; apart, since loading it takes a second."""

from __future__ import annotations

import socket
import time

from cdr.queries import CdrQueries
from crm.recordings import RecordingShelf
from dialer.app import Dialer
from dialer.commands.remote import ProjectorCdr
from dialer.home import Home
from dialer.metrics import render
from dialer.recorder import open_files
from dialer.service.lifecycle import Service
from dialer.service.server import WebServer
from telephony_adapters.tracing.read import TraceFolder
from web.app import create_app
from web.deps import WebDeps


def console_service(dialer: Dialer, home: Home, sock: socket.socket) -> Service:
    """Make the service that answers on `sock`; call records that this process has not, it asks the projector for."""
    secrets = home.secrets()
    records: CdrQueries | ProjectorCdr = dialer.cdr if dialer.has_cdr else ProjectorCdr(home)
    deps = WebDeps(
        engine=dialer.engine,
        cdr=records,
        now=dialer.clock.now,
        session_secret=secrets.session,
        service_token=secrets.service,
        health=dialer.health,
        metrics=lambda: render(dialer.samples()),
        recordings=RecordingShelf(dialer.engine, open_files(dialer.settings), dialer.clock.now, time.time),
        traces=TraceFolder(dialer.settings.sip_trace_path),
        hosts=dialer.settings.host_names,
        prompts=dialer.prompts,
    )
    return Service("console", WebServer(create_app(deps), sock).run_forever)
