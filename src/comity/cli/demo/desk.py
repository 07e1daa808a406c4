"""An officer's desk: the API of a node, used as a program that speaks for the officer would."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx

from comity.cli.demo.cast import SignIn
from comity.cli.demo.nodes import DemoError, DemoNode

_PATIENCE_SECONDS = 20.0


class Desk:
    """One officer at one node. Answers are JSON objects as the API documents them."""

    def __init__(self, node: DemoNode, sign_in: SignIn) -> None:
        self.node = node
        self._client = httpx.Client(
            base_url=f"{node.console_url}/api/v1",
            headers={"Authorization": f"Bearer {sign_in.token}"},
            timeout=30,
            trust_env=False,
        )

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read; the answer must be 200."""
        return self._checked(self._client.get(path, params=query))

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Do a deed; the answer must be a success."""
        return self._checked(self._client.post(path, json=body or {}))

    def refused(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Do a deed that must be refused; returns the problem."""
        answer = self._client.post(path, json=body)
        if answer.is_success:
            raise DemoError("What no article permits was done", where=f"{self.node.code} {path}")
        problem: dict[str, Any] = answer.json()
        return problem

    def send_file(self, name: str, media_type: str, data: bytes, mapping: str = "") -> dict[str, Any]:
        """Import a file."""
        query = {"name": name} | ({"mapping": mapping} if mapping else {})
        return self._checked(
            self._client.post("/imports", params=query, content=data, headers={"Content-Type": media_type})
        )

    def send_form(
        self, path: str, fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes, str]]
    ) -> dict[str, Any]:
        """Send a form with files."""
        return self._checked(self._client.post(path, data=dict(fields), files=dict(files)))

    def download(self, path: str, **query: str) -> bytes:
        """The bytes of an answer."""
        answer = self._client.get(path, params=query)
        self._check(answer)
        return answer.content

    def wait_for(self, what: str, path: str, key: str, value: str, **query: str) -> dict[str, Any]:
        """Ask again until the answer's `key`, or that of one of its items, has the value.

        Raises: DemoError where it has not within twenty seconds.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            answer = self.get(path, **query)
            for item in [answer, *answer.get("items", [])]:
                if str(item.get(key)) == value:
                    found: dict[str, Any] = item
                    return found
            if time.monotonic() > deadline:
                raise DemoError(f"{what} did not happen in time", where=f"{self.node.code} {path}: {answer}")
            time.sleep(0.1)

    def wait_for_receipt(self, posted: Mapping[str, str]) -> None:
        """Until the recipient of a message that was posted has answered it; the list shows this without a purpose.

        Raises: as `wait_for`.
        """
        what, number = f"The receipt of {posted['recipient']}", posted["message_id"]
        self.wait_for(what, "/messages", "message_id", number, direction="sent", state="delivered")

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        self._check(answer)
        body: dict[str, Any] = answer.json()
        return body

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise DemoError(
                f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}",
                where=f"node {self.node.code}: {answer.text[:1000]}",
            )
