"""What prediction refuses."""

from __future__ import annotations

from comity.risk.errors import RiskError


class PredictionError(RiskError):
    """The root of what prediction raises."""

    code = "prediction"


class TableError(PredictionError):
    """A table of declarations is missing, lacks a column, or holds what it must not."""

    code = "bad_table"


class TrainingError(PredictionError):
    """There is too little to learn from."""

    code = "bad_training"


class ModelFileError(PredictionError):
    """A stored model is missing, incomplete, of another form, or was changed after it was written."""

    code = "bad_model"
