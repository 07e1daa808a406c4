"""Asking a partner's port for what it serves besides envelopes: one request after the other, in the caller's thread."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlencode, urlsplit

from comity.exchange.directory import Peer
from comity.exchange.errors import TransportError
from comity.exchange.transports.https.contexts import client_context
from comity.trust import Keyring

ASK_SECONDS = 10.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024

# The content below a partner's prefix; None where it has no such thing. Raises: TransportError.
Ask = Callable[[Peer, str], bytes | None]


@dataclass(slots=True)
class PartnerLines:
    """Kept connections to partners, for one round of questions. Not for two threads with the same partner.

    Use it in a `with`: its connections end with it.
    """

    keyring: Keyring
    seconds: float = ASK_SECONDS
    _lines: dict[str, http.client.HTTPSConnection] = field(default_factory=dict)

    def __enter__(self) -> PartnerLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def ask(self, peer: Peer, path: str) -> bytes | None:
        """What the partner serves at this path; None for 404.

        Raises: TransportError where it cannot be reached or answers with anything else.
        """
        prefix = urlsplit(peer.endpoint).path.rstrip("/")
        target = f"{prefix}{path}?{urlencode({'sender': self.keyring.administration})}"
        try:
            status, body = self._get(peer, target)
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            self._lines.pop(peer.administration, None)
            raise TransportError(
                f"The partner's node cannot be asked: {str(error) or type(error).__name__}",
                where=f"{peer.administration}, {peer.endpoint}",
                remedy="It is asked again by itself. If it lasts, check endpoint, network and both certificates.",
            ) from error
        if status == http.client.NOT_FOUND:
            return None
        if status != http.client.OK or len(body) > MAX_ANSWER_BYTES:
            raise TransportError(f"The partner's node answered {status}", where=f"{peer.administration}, {path}")
        return body

    def _get(self, peer: Peer, target: str) -> tuple[int, bytes]:
        line = self._lines.get(peer.administration)
        if line is None:
            url = urlsplit(peer.endpoint)
            context = client_context(self.keyring, peer.keys.tls_authority_pem)
            line = http.client.HTTPSConnection(
                url.hostname or "", url.port or 443, timeout=self.seconds, context=context
            )
            self._lines[peer.administration] = line
        line.request("GET", target)
        response = line.getresponse()
        body = response.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES or response.will_close:
            line.close()
        return response.status, body
