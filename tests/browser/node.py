"""A node for browsers: migrate, fill, serve on a free port, print its address, end when standard input closes."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import warnings
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta

import django
import uvicorn


def main() -> None:
    """Serve until the parent closes our standard input."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.browser.settings"
    warnings.simplefilter("error")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from comity.console.asgi import application
    from comity.console.live import LiveEvents
    from comity.ledger.services import record_split
    from tests.browser import risk_world
    from tests.console import accords, custody_world, requests_world, world
    from tests.console.forks import TOML, fork

    at = datetime.now(UTC)
    world.live_at_xc(settings, at)
    call_command("migrate", verbosity=0, run_syncdb=True)
    made = world.build(at)
    # What officers must see on every page: the log of XB is proved to have shown two histories.
    record_split(fork(world.keys_of("XB", at - timedelta(days=30)).log, at), at=at, reported_by="XA")
    (settings.COMITY_HOME / "comity.toml").write_text(TOML)
    names = {each.name: str(getattr(made, each.name)) for each in fields(made) if each.name != "day"}
    held = custody_world.extend(made)
    names |= {"sent": held.sent_xa, "held": held.received, "offer": held.offer, "consent": held.consent}
    names["purged"] = custody_world.stir(held)
    names["again"] = custody_world.correct(held, custody_world.another(held))
    stood = accords.extend(made.agreement_id, at, at - timedelta(days=30))
    names |= {"proposed": stood.proposed, "suspended": stood.suspended, "ours": stood.ours, "left": stood.left}
    names |= asdict(risk_world.extend(made.agreement_id, at))
    asked = requests_world.extend(at, number=held.number)
    names |= {"asked": asked.asked, "request": asked.ours, "dispute": asked.dispute, "assistance": asked.agreement_id}
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sys.stdout.write(json.dumps({"url": url, **names}) + "\n")
    sys.stdout.flush()
    app = application(get_wsgi_application(), LiveEvents())
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)

    def wait() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
