"""What the node does for its keys by itself: takes new ones up, renews its certificate, tells partners of news."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.journeys.keys import announce_keys, is_known_everywhere
from comity.node.birth import hosts_of
from comity.node.home import Home
from comity.node.keys import LiveKeyring, replace_keyring
from comity.trust import Keyring, certificate_ends, renew_certificate, switch_authority

log = logging.getLogger("comity.node")

# A certificate is for 730 days. A node that was off for a season renews it when it starts.
CERTIFICATE_DAYS_LEFT = 90
# A partner that has answered for the news has stored it; its journey follows within seconds, on a bad day within hours.
SWITCH_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyCare:
    """The job of the keys. live: the keyring that everything in this process uses."""

    home: Home
    live: LiveKeyring

    def turn(self, at: datetime) -> None:
        """Steps K2, K3, K7 and K8, where they are due."""
        self.live.take_changes()
        keyring = self.live.present
        if is_certificate_due(keyring, at):
            self._replace(renew_certificate(keyring, self._hosts(), at))
            log.info("the TLS certificate was renewed")
        announce_keys(at)
        if self._may_switch(keyring, at):
            self._replace(switch_authority(keyring, self._hosts(), at))
            log.info("every partner knows the new authority: the TLS certificate is of it from now on")

    def _may_switch(self, keyring: Keyring, at: datetime) -> bool:
        is_old = at >= keyring.key_document.issued_at + SWITCH_AFTER
        return bool(keyring.tls_next_key_pem) and is_old and is_known_everywhere()

    def _hosts(self) -> tuple[str, ...]:
        port = self.home.read_settings().partners
        return hosts_of(port.url, port.host)

    def _replace(self, keyring: Keyring) -> None:
        replace_keyring(self.home, keyring, is_kept=False)
        self.live.take_changes()


def is_certificate_due(keyring: Keyring, at: datetime) -> bool:
    """Whether the node's own certificate ends soon or has ended."""
    return certificate_ends(keyring.tls_certificate_pem) - at <= timedelta(days=CERTIFICATE_DAYS_LEFT)
