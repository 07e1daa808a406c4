"""Seals, keys, Merkle and checkpoint maths. Pure: no framework, no I/O, no clock."""

from comity.trust.keyring import Keyring

__all__ = ["Keyring"]
