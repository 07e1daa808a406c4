"""What the keeping of models refuses."""

from __future__ import annotations

from comity.risk.errors import RiskError


class ModelNotFoundError(RiskError):
    """There is no such model, or several begin as it was named."""

    code = "model_not_found"


class ModelError(RiskError):
    """A model is in a state that does not allow the deed, or the deed lacks its reason."""

    code = "bad_model_deed"


class ModelStoreError(RiskError):
    """A stored model is missing, was changed, or is not signed by this node."""

    code = "bad_model_store"


class HistoryError(RiskError):
    """The node's own history is too short to learn from."""

    code = "short_history"
