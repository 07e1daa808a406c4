"""Signing in: passwords, lock-out, the second factor, sessions, language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from comity.staff import second_factor
from comity.staff import services as staff
from comity.staff.models import AuditEntry, Officer
from tests.console.conftest import CHIEF, PASSWORD
from tests.staff.test_second_factor import code_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Officer]


def enter(client: Client, username: str, password: str = PASSWORD, **more: str):
    return client.post("/sign-in", {"username": username, "password": password, **more})


def now() -> datetime:
    return datetime.now(UTC)


def enrolled(officer: Officer) -> str:
    """Set up an app a minute ago; returns its secret."""
    then = now() - timedelta(minutes=3)
    secret = second_factor.begin_enrolment(staff.actor_of(officer)).secret
    second_factor.confirm_enrolment(staff.actor_of(officer), code=code_of(secret, then), at=then)
    return secret


class TestPassword:
    def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        answer = client.get("/queue?lane=red")
        assert answer.url == "/sign-in?next=/queue%3Flane%3Dred"
        assert enter(client, " ANA ", next="/queue?lane=red").url == "/queue?lane=red"
        entry = AuditEntry.objects.get(deed="sign_in")
        assert entry.actor_id == "ana"
        assert entry.facts == {"address": "127.0.0.1"}

    def test_a_wrong_password_says_nothing_of_the_name(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        for name in ("ana", "nobody"):
            answer = enter(client, name, "wrong")
            assert answer.status_code == 422
            assert b"The user name or the password is wrong." in answer.content
        assert AuditEntry.objects.filter(deed="sign_in_failed").count() == 2
        assert "wrong" not in str(list(AuditEntry.objects.values_list("facts")))

    def test_five_wrong_passwords_close_sign_in_even_for_the_right_one(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        for _ in range(5):
            answer = enter(client, "ana", "wrong")
        assert answer.status_code == 429
        assert b"Wait 15 minutes" in answer.content
        assert enter(client, "ana").status_code == 429

    def test_empty_fields_are_named(self, client: Client, db: None):
        answer = enter(client, "", "")
        assert b"Enter your user name" in answer.content
        assert b'href="#id_password"' in answer.content

    def test_it_never_leads_off_the_node(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        assert enter(client, "ana", next="https://example.com/").url == "/"

    def test_a_disabled_officer_is_out_at_once(self, make_officer: Make, client: Client, at: datetime):
        make_officer("ana", "officer")
        enter(client, "ana")
        assert client.get("/").status_code == 200
        staff.disable_officer(CHIEF, username="ana", at=at)
        assert client.get("/").status_code == 302
        assert enter(client, "ana").status_code == 422

    def test_a_changed_password_ends_other_sessions(self, make_officer: Make, client: Client, at: datetime):
        make_officer("ana", "officer")
        enter(client, "ana")
        staff.set_password(CHIEF, username="ana", password="another quiet river", at=at)
        assert client.get("/").status_code == 302

    def test_an_officer_changes_his_own_password(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        other = Client()
        enter(other, "ana")
        enter(client, "ana")
        assert client.get("/password").status_code == 200
        wrong = client.post("/password", {"present": "wrong", "new": "another quiet river"})
        assert b"The present password is wrong" in wrong.content
        weak = client.post("/password", {"present": PASSWORD, "new": "short"})
        assert b"too short" in weak.content
        assert client.post("/password", {"present": PASSWORD, "new": "another quiet river"}).url == "/"
        assert client.get("/").status_code == 200
        assert other.get("/").status_code == 302
        assert enter(Client(), "ana", "another quiet river").url == "/"

    def test_sign_out(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        enter(client, "ana")
        assert client.get("/sign-out").status_code == 405
        assert client.post("/sign-out").url == "/sign-in"
        assert client.get("/").status_code == 302
        assert AuditEntry.objects.filter(deed="sign_out").count() == 1
        assert client.post("/sign-out").url == "/sign-in"


class TestSecondFactor:
    def test_whoever_needs_it_sets_it_up_before_anything_else(self, make_officer: Make, client: Client, at: datetime):
        officer = make_officer("ana", "officer")
        staff.require_second_factor(CHIEF, username="ana", is_required=True, at=at)
        assert enter(client, "ana").url == "/second-factor"
        assert client.get("/queue").url == "/second-factor"
        page = client.get("/second-factor").content.decode()
        assert "Your account needs a second factor" in page
        assert 'aria-label="Main menu"' not in page
        assert client.get("/second-factor/code.svg")["content-type"] == "image/svg+xml"
        assert client.post("/second-factor", {"code": "000000"}).status_code == 422
        secret = second_factor.begin_enrolment(staff.actor_of(officer)).secret
        later = now() + timedelta(seconds=1)
        AuditEntry.objects.all().delete()
        officer.totpdevice_set.update(throttling_failure_timestamp=None, throttling_failure_count=0)
        assert client.post("/second-factor", {"code": code_of(secret, later)}).url == "/"
        assert client.get("/queue").status_code == 200

    def test_the_code_is_asked_for_after_the_password(self, make_officer: Make, client: Client):
        officer = make_officer("ana", "officer")
        secret = enrolled(officer)
        assert enter(client, "ana", next="/queue").url == "/sign-in/code"
        assert client.get("/").status_code == 302
        assert client.get("/sign-in/code").status_code == 200
        assert client.post("/sign-in/code", {"code": code_of(secret, now())}).url == "/queue"
        assert client.get("/queue").status_code == 200

    def test_a_wrong_code_is_refused_and_recorded(self, make_officer: Make, client: Client):
        enrolled(make_officer("ana", "officer"))
        enter(client, "ana")
        answer = client.post("/sign-in/code", {"code": "000000"})
        assert answer.status_code == 422
        assert AuditEntry.objects.get(deed="sign_in_failed").facts["step"] == "code"
        assert client.get("/").status_code == 302

    def test_the_code_page_needs_a_password_first(self, client: Client, db: None):
        assert client.get("/sign-in/code").url == "/sign-in"
        assert client.get("/second-factor").url == "/sign-in"
        assert client.get("/second-factor/code.svg").status_code == 403

    def test_nobody_replaces_an_app_without_its_code(self, make_officer: Make, client: Client):
        """A session that has only the password must not enrol a second app."""
        officer = make_officer("ana", "officer")
        client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
        enrolled(officer)
        assert client.get("/second-factor/code.svg").status_code == 403
        assert client.get("/second-factor").url == "/sign-in"


class TestLanguage:
    def test_french_is_remembered(self, make_officer: Make, client: Client):
        make_officer("ana", "officer")
        enter(client, "ana")
        assert client.post("/language", {"language": "fr", "next": "/queue"}).url == "/queue"
        page = client.get("/queue").content.decode()
        assert 'lang="fr" dir="ltr"' in page
        assert "File de ciblage" in page
        assert Officer.objects.get().language == "fr"

    def test_the_remembered_language_is_used_on_another_machine(self, make_officer: Make):
        officer = make_officer("ana", "officer")
        staff.set_language(staff.actor_of(officer), language="fr")
        client = Client()
        enter(client, "ana")
        assert "Aujourd" in client.get("/").content.decode()

    def test_an_unknown_language_changes_nothing(self, client: Client, db: None):
        assert "django_language" not in client.post("/language", {"language": "xx"}).cookies

    def test_right_to_left(self, client: Client, db: None, settings):
        settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "Arabic")]
        page = client.get("/sign-in", headers={"accept-language": "ar"}).content.decode()
        assert 'lang="ar" dir="rtl"' in page


def test_every_answer_carries_a_strict_policy(client: Client, db: None):
    answer = client.get(reverse("console:sign_in"))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.content.decode()
    assert "<script>" not in answer.content.decode()
    assert answer["X-Frame-Options"] == "DENY"
