"""What a person gave of itself with its question is deleted when nobody needs it any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.insight.models import Disclosure
from comity.insight.naming import Asked
from comity.insight.requests import KEPT, answer_request, forget_requests_due, open_request, requests
from comity.staff.models import AuditEntry
from tests.risk.cast import ANALYST

pytestmark = pytest.mark.django_db
CLERK = replace(ANALYST, id="dina", roles=frozenset({"data_protection"}))


def test_questions_go_three_years_after_their_answer(at: datetime) -> None:
    answered = open_request(CLERK, reference="Letter 1", asked=Asked("Alfa Shoes"), at=at)
    waiting = open_request(CLERK, reference="Letter 2", asked=Asked("Alfa Shoes"), at=at + timedelta(days=9))
    answer_request(CLERK, request_id=answered.request_id, at=at + timedelta(days=30))
    Disclosure.objects.create(
        request_id=answered.request_id,
        item="record:1",
        decision="omit",
        ground="control",
        decided_by="x",
        decided_at=at,
    )
    assert forget_requests_due(at + KEPT) == 0
    assert forget_requests_due(at + KEPT + timedelta(days=9)) == 1, "never answered, and opened so long ago"
    assert [each.reference for each in requests()] == ["Letter 1"]
    assert forget_requests_due(at + KEPT + timedelta(days=30)) == 1
    assert not Disclosure.objects.exists()
    entries = AuditEntry.objects.filter(deed="forget_subject_request").order_by("id")
    assert [each.subject for each in entries] == [f"request:{waiting.request_id}", f"request:{answered.request_id}"]
    assert "Alfa" not in str([each.facts for each in entries])
