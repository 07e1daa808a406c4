"""The models of a node on disk: a folder each, named by the SHA-256 of its manifest, which this node has signed.

The statement is DSSE over the manifest's bytes; the manifest names every part by its SHA-256. Nothing of a model is
read before its signature and then its parts were checked. No library of the extra `learning` is needed here.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from comity.risk.modelling.errors import ModelStoreError
from comity.trust import SignedStatement, Signer, TrustError, VerifyKey, sign_statement, verify_statement

STATEMENT_TYPE = "application/vnd.comity.risk-model+json"
FORMAT = "comity-risk-model/1"
MANIFEST, STATEMENT = "manifest.json", "manifest.dsse.json"
MOST_BYTES, MOST_PARTS, MOST_MANIFEST_BYTES = 200_000_000, 200, 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """A model as it lies in a folder, its parts checked against its manifest."""

    model_id: str
    manifest: bytes
    files: Mapping[str, bytes]

    def json(self, name: str) -> dict[str, object]:
        """A part that is a JSON object.

        Raises: ModelStoreError where it is missing or is none.
        """
        try:
            # What is no number (a share of nothing) is not JSON either, and no database takes it.
            value = json.loads(self.files[name], parse_constant=lambda _: None)
        except (KeyError, ValueError, RecursionError) as error:
            raise ModelStoreError("A part of the model is missing or cannot be read", where=name) from error
        if not isinstance(value, dict):
            raise ModelStoreError("A part of the model is no JSON object", where=name)
        return value


def read_parts(folder: Path) -> Parts:
    """Read a folder after each part was checked against the manifest.

    Raises: ModelStoreError: it is no model, lacks a part, or a part was changed.
    """
    manifest = _bytes_of(folder / MANIFEST, MOST_MANIFEST_BYTES)
    listed = _listed(manifest, folder / MANIFEST)
    files = {}
    for name, digest in sorted(listed.items()):
        if Path(name).name != name or name in (MANIFEST, STATEMENT):
            raise ModelStoreError("The manifest names a part that cannot be one", where=str(name)[:100])
        data = _bytes_of(folder / name, MOST_BYTES)
        if hashlib.sha256(data).hexdigest() != digest:
            raise ModelStoreError(
                "A part of the model was changed after it was written",
                where=str(folder / name),
                remedy="Use the model as it was handed over, or train it again.",
            )
        files[name] = data
    return Parts(hashlib.sha256(manifest).hexdigest(), manifest, files)


def put(root: Path, parts: Parts, signer: Signer) -> Path:
    """Sign a model and keep it under its id, whole or not at all; one that lies there already is left as it is.

    Raises: ModelStoreError where it cannot be written.
    """
    folder = root / parts.model_id
    if folder.is_dir():
        return folder
    statement = sign_statement(STATEMENT_TYPE, parts.manifest, signer).to_bytes()
    waiting = root / f".{parts.model_id[:16]}.{os.getpid()}.part"
    try:
        waiting.mkdir(parents=True, mode=0o700)
        for name, data in {**parts.files, MANIFEST: parts.manifest, STATEMENT: statement}.items():
            (waiting / name).write_bytes(data)
        waiting.rename(folder)
    except OSError as error:
        shutil.rmtree(waiting, ignore_errors=True)
        raise ModelStoreError(f"The model cannot be kept: {error.strerror}", where=str(folder)) from error
    return folder


def take(root: Path, model_id: str, keys: Iterable[VerifyKey]) -> Parts:
    """A kept model, after its signature and its parts were checked.

    Raises: ModelStoreError: it is missing or changed, or not signed by one of the keys.
    """
    folder = root / model_id
    try:
        statement = SignedStatement.from_bytes(_bytes_of(folder / STATEMENT, 2 * MOST_MANIFEST_BYTES))
        verify_statement(statement, keys, payload_type=STATEMENT_TYPE)
    except TrustError as error:
        raise ModelStoreError(
            "The model is not signed by this node",
            where=str(folder / STATEMENT),
            remedy="Bring the model back from a backup, or retire it and train another one.",
        ) from error
    parts = read_parts(folder)
    if parts.manifest != statement.payload or parts.model_id != model_id:
        raise ModelStoreError(
            "The manifest is not the one that was signed",
            where=str(folder / MANIFEST),
            remedy="Bring the model back from a backup, or retire it and train another one.",
        )
    return parts


def drop(root: Path, model_id: str) -> None:
    """Remove a model that was put in by a deed that then failed."""
    shutil.rmtree(root / model_id, ignore_errors=True)


def _bytes_of(path: Path, most: int) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise ModelStoreError("A part of the model is missing", where=str(path), remedy="A model is a whole folder.")
    if path.stat().st_size > most:
        raise ModelStoreError("A part of the model is too large", where=str(path))
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelStoreError(f"A part of the model cannot be read: {error.strerror}", where=str(path)) from error


def _listed(manifest: bytes, where: Path) -> dict[str, str]:
    try:
        told = json.loads(manifest)
        listed = dict(told["parts"]) if told["format"] == FORMAT else {}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelStoreError("The manifest cannot be read", where=str(where)) from error
    if not 0 < len(listed) <= MOST_PARTS or not all(isinstance(each, str) for each in listed.values()):
        raise ModelStoreError(f"The model is not of the form {FORMAT}", where=str(where))
    return listed
