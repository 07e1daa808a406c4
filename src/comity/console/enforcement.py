"""Deciding about a consignment: inspect, release, record what was found."""

from __future__ import annotations
