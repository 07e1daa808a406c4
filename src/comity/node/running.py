"""`comity serve`: everything a node does, put together and run."""

from __future__ import annotations

import gc
import logging
import socket
from dataclasses import replace

import uvicorn
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from comity.common import ComityError, utc_now
from comity.console.asgi import application
from comity.console.live import LiveEvents
from comity.exchange.bell import arrived
from comity.exchange.collector import CollectWorker
from comity.exchange.delivery import DeliveryWorker
from comity.exchange.evidence import EvidenceWorker, Folder
from comity.exchange.inbox import Receiver
from comity.exchange.transports.https.peercert import BoundedProtocol
from comity.exchange.transports.https.server import PartnerPort, make_server
from comity.journeys.gossip import ask_before_serving
from comity.node.home import Listener, current_home
from comity.node.jobs import JobWorker
from comity.node.serving import run_until_stopped
from comity.node.wiring import VALIDATORS, jobs_of, learning_jobs, line_jobs, routes_of
from comity.trust import Keyring

log = logging.getLogger("comity.node")


class OldTablesError(ComityError):
    """The database has not been brought to this version."""

    code = "old_tables"


class PortTakenError(ComityError):
    """Somebody else listens on a port of this node."""

    code = "port_taken"


def spare_collection() -> None:
    """Look for circles of dead objects less often: those of a group of messages live as long as its transaction.

    It costs a twelfth of the receiver's time otherwise.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def run_node(*, with_parent: bool) -> None:
    """Serve both ports and work until a signal comes; with_parent: or until standard input closes.

    Raises: HomeError, OldTablesError, PortTakenError, TrustError.
    """
    home = current_home()
    wishes = home.read_settings()
    _check_tables()
    keyring: Keyring = settings.COMITY_KEYRING
    for listener in (wishes.console, wishes.partners):
        _check_port(listener)
    ask_before_serving(utc_now())
    spare_collection()
    receiver = Receiver(keyring=keyring, validators=VALIDATORS, load=wishes.load)
    servers = (
        _console_server(wishes.console),
        make_server(
            PartnerPort(wishes.partners.host, wishes.partners.port, receiver, utc_now, routes=routes_of(keyring, home))
        ),
    )
    jobs = JobWorker(jobs_of(home), utc_now)
    arrived.subscribe(jobs.wake)
    log.info(
        "serving %s: officers on %s, partners on %s", wishes.administration, wishes.console.url, wishes.partners.url
    )
    delivery = DeliveryWorker(keyring, clock=utc_now)
    collecting = CollectWorker(replace(receiver), clock=utc_now)  # a receiver of its own: one thread uses one
    files = EvidenceWorker(keyring, Folder(home.evidence), utc_now)
    slow = (JobWorker(line_jobs(), utc_now), JobWorker(learning_jobs(), utc_now))
    run_until_stopped(servers, (files, jobs, *slow, delivery, collecting), with_parent=with_parent)


def _console_server(listener: Listener) -> uvicorn.Server:
    config = uvicorn.Config(
        application(get_wsgi_application(), LiveEvents()),
        host=listener.host,
        port=listener.port,
        lifespan="off",
        http=BoundedProtocol,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,  # open live streams end with the node
    )
    return uvicorn.Server(config)


def _check_tables() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise OldTablesError(
            "The database is older than this version",
            where=str(connection.settings_dict["NAME"]),
            remedy="Back it up, then run `comity migrate`.",
        )


def _check_port(listener: Listener) -> None:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listener.host, listener.port))
        except OSError as error:
            raise PortTakenError(
                f"The node cannot listen: {error.strerror}",
                where=f"{listener.host}:{listener.port}",
                remedy="Stop what listens there, or change the port in comity.toml.",
            ) from error
