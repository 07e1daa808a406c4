"""A model on disk: a folder of parts and a manifest with the SHA-256 of each. A changed byte is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import lightgbm
import numpy as np

from comity.risk.prediction.calibration import Calibration
from comity.risk.prediction.cards import card_text
from comity.risk.prediction.errors import ModelFileError
from comity.risk.prediction.heads import Head
from comity.risk.prediction.training import Model

FORMAT = "comity-risk-model/1"
MANIFEST = "manifest.json"
MOST_BYTES = 200_000_000


def save_model(model: Model, out: Path) -> str:
    """Write the model as a new folder, whole or not at all; returns the SHA-256 of its manifest.

    Raises: ModelFileError: something stands there already, or it cannot be written.
    """
    if out.exists():
        raise ModelFileError("Something stands there already", where=str(out), remedy="Name a new folder.")
    parts = _parts(model)
    manifest = _json({"format": FORMAT, "parts": {name: _digest(data) for name, data in sorted(parts.items())}})
    waiting = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        waiting.mkdir()
        for name, data in {**parts, MANIFEST: manifest}.items():
            (waiting / name).write_bytes(data)
        waiting.rename(out)
    except OSError as error:
        shutil.rmtree(waiting, ignore_errors=True)
        raise ModelFileError(f"The model cannot be written: {error.strerror}", where=str(out)) from error
    return _digest(manifest)


def _parts(model: Model) -> dict[str, bytes]:
    boosters = {
        f"{question}-{number}.txt": booster.model_to_string().encode()
        for question, head in (("chance", model.chance), ("revenue", model.revenue))
        for number, booster in enumerate(head.boosters if head else ())
    }
    usual = [None if np.isnan(value) else float(value) for value in model.usual]
    calibration = {
        "scores": model.calibration.scores,
        "chances": model.calibration.chances,
        "revenue_scale": model.revenue_scale,
        "is_amount_of_find": model.is_amount_of_find,
    }
    return boosters | {
        "features.json": _json({"names": model.names, "usual": usual}),
        "calibration.json": _json(calibration),
        "card.json": _json(model.card),
        "reference.json": _json(model.reference),
        "card.md": card_text(model.card).encode(),
    }


def load_model(folder: Path) -> Model:
    """Read a model back after every part was checked against the manifest.

    Raises: ModelFileError: it is missing, of another form, lacks a part, or a part was changed.
    """
    return model_of(_checked_parts(folder), where=str(folder))


def model_of(parts: Mapping[str, bytes], *, where: str) -> Model:
    """The model of parts that were checked.

    Raises: ModelFileError: a part is missing or cannot be understood.
    """
    try:
        features, line = json.loads(parts["features.json"]), json.loads(parts["calibration.json"])
        usual = [float("nan") if value is None else value for value in features["usual"]]
        return Model(
            names=tuple(features["names"]),
            usual=np.array(usual, dtype=np.float64),
            chance=_head(parts, "chance"),
            revenue=_head(parts, "revenue") if any(name.startswith("revenue-") for name in parts) else None,
            calibration=Calibration(tuple(line["scores"]), tuple(line["chances"])),
            card=json.loads(parts["card.json"]),
            reference=json.loads(parts.get("reference.json", b"{}")),
            revenue_scale=float(line.get("revenue_scale", 1.0)),
            # One of an earlier release answers what a control comes to.
            is_amount_of_find=bool(line.get("is_amount_of_find", False)),
        )
    except (KeyError, ValueError, TypeError, lightgbm.basic.LightGBMError) as error:
        raise ModelFileError(f"The model cannot be understood: {error}", where=where) from error


def _checked_parts(folder: Path) -> dict[str, bytes]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        listed = dict(manifest["parts"]) if manifest["format"] == FORMAT else {}
    except OSError as error:
        raise ModelFileError("There is no model", where=str(folder), remedy=f"A model has a {MANIFEST}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError("The manifest cannot be read", where=str(folder / MANIFEST)) from error
    if not listed:
        raise ModelFileError(f"The model is not of the form {FORMAT}", where=str(folder / MANIFEST))
    return {name: _checked_part(folder, name, digest) for name, digest in listed.items()}


def _checked_part(folder: Path, name: str, digest: str) -> bytes:
    path = folder / name
    if Path(name).name != name or path.is_symlink() or not path.is_file():
        raise ModelFileError("A part of the model is missing", where=str(path))
    if path.stat().st_size > MOST_BYTES:
        raise ModelFileError("A part of the model is too large", where=str(path))
    data = path.read_bytes()
    if _digest(data) != digest:
        raise ModelFileError(
            "A part of the model was changed after it was written",
            where=str(path),
            remedy="Use the model as it was handed over, or train it again.",
        )
    return data


def _head(parts: Mapping[str, bytes], question: str) -> Head:
    names = sorted(name for name in parts if name.startswith(f"{question}-"))
    if not names:
        raise ValueError(f"no trees for {question}")
    return Head(tuple(lightgbm.Booster(model_str=parts[name].decode()) for name in names))


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
