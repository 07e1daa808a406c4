"""The backend: a transaction of this process waits for its turn before it asks SQLite.

A node writes from several threads: arrivals, answers, jobs, officers. SQLite's own wait is a sleep and another try, so
a thread that commits and begins again at once can keep the others out until they give up ("database is locked").
Between processes it stays as it is. Only what begins a transaction takes turns; a single statement asks SQLite.
"""

from __future__ import annotations

import threading

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from comity.node.sqlite.turns import Turns

_DEFAULT_SECONDS = 5.0  # as sqlite3.connect has it
_turns: dict[str, Turns] = {}
_turns_mutex = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that takes turns with the other threads of its process."""

    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        has_begun = False
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # a hook that the stubs do not know
            has_begun = True
        finally:
            if not has_begun:
                self._give_turn_back()

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # as above
        self._give_turn_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # as above
        finally:
            self._give_turn_back()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # as above
        finally:
            self._give_turn_back()

    def _take_turn(self) -> None:
        if self._has_turn:
            return
        seconds = float(self.settings_dict["OPTIONS"].get("timeout", _DEFAULT_SECONDS))
        if not _turns_of(str(self.settings_dict["NAME"])).take(seconds):
            raise OperationalError(f"database is locked: no turn to write within {seconds:g} seconds")
        self._has_turn = True

    def _give_turn_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turns_of(str(self.settings_dict["NAME"])).give_back()


def _turns_of(name: str) -> Turns:
    with _turns_mutex:
        return _turns.setdefault(name, Turns())
