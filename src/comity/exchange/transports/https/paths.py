"""The paths of the partner port and what goes over them."""

from __future__ import annotations

ENVELOPES_PATH = "/exchange/v1/envelopes"
POSITION_PATH = "/exchange/v1/position"
COLLECT_PATH = "/exchange/v1/collect"
ENVELOPE_MEDIA_TYPE = "application/vnd.comity.envelope"
PARTS_MEDIA_TYPE = "application/vnd.comity.parts"
RECEIPT_MEDIA_TYPE = "application/vnd.comity.sealed-receipt+json"
PROBLEM_MEDIA_TYPE = "application/problem+json"
