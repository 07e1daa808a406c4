"""The second factor against RFC 6238 and against misuse."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import b32decode
from datetime import datetime, timedelta

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from comity.common import Actor, ActorKind
from comity.staff import PermissionRefusedError, SecondFactorRefusedError, second_factor
from comity.staff import services as staff
from comity.staff.models import AuditEntry, Officer

pytestmark = pytest.mark.django_db
CHIEF = Actor(ActorKind.OFFICER, "chief", "XA", frozenset({"administrator"}))


def code_of(secret: str, at: datetime) -> str:
    """RFC 6238 with RFC 4226 §5.3 truncation, written out: the second implementation."""
    key = b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(at.timestamp()) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_our_second_implementation_agrees_with_rfc_6238_appendix_b():
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert code_of(secret, datetime.fromisoformat("1970-01-01T00:00:59Z")) == "287082"
    assert code_of(secret, datetime.fromisoformat("2005-03-18T01:58:29Z")) == "081804"


@pytest.fixture
def ana(at: datetime) -> Officer:
    return staff.create_officer(
        CHIEF, username="ana", full_name="Ana", roles=["officer"], password="a long and quiet river", at=at
    )


@pytest.fixture
def secret(ana: Officer, at: datetime) -> str:
    enrolment = second_factor.begin_enrolment(staff.actor_of(ana))
    second_factor.confirm_enrolment(staff.actor_of(ana), code=code_of(enrolment.secret, at), at=at)
    return enrolment.secret


def test_enrolment_shows_the_same_secret_until_it_is_confirmed(ana: Officer, at: datetime):
    actor = staff.actor_of(ana)
    first = second_factor.begin_enrolment(actor)
    assert second_factor.begin_enrolment(actor) == first
    assert first.uri.startswith("otpauth://totp/Comity%20XA:ana?secret=" + first.secret.replace(" ", ""))
    assert not second_factor.has_second_factor(ana)
    with pytest.raises(SecondFactorRefusedError):
        second_factor.confirm_enrolment(actor, code="000000", at=at)
    later = at + timedelta(seconds=2)
    second_factor.confirm_enrolment(actor, code=code_of(first.secret, later), at=later)
    assert second_factor.has_second_factor(ana)
    assert AuditEntry.objects.filter(deed="enrol_second_factor").count() == 1


def test_a_new_app_replaces_the_old_one(ana: Officer, secret: str, at: datetime):
    actor = staff.actor_of(ana)
    enrolment = second_factor.begin_enrolment(actor)
    assert enrolment.secret != secret
    second_factor.confirm_enrolment(actor, code=code_of(enrolment.secret, at), at=at)
    assert TOTPDevice.objects.count() == 1


def test_a_code_works_once_and_with_a_clock_half_a_minute_off(ana: Officer, secret: str, at: datetime):
    later = at + timedelta(minutes=5)
    assert second_factor.verify_code(ana, code=code_of(secret, later), at=later).last_used_at == later
    with pytest.raises(SecondFactorRefusedError, match="used already"):
        second_factor.verify_code(ana, code=code_of(secret, later), at=later)
    much_later = at + timedelta(minutes=10)
    early = code_of(secret, much_later + timedelta(seconds=30))
    second_factor.verify_code(ana, code=f"{early[:3]} {early[3:]}", at=much_later)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345"])
def test_what_is_no_code_is_refused(ana: Officer, secret: str, at: datetime, code: str):
    with pytest.raises(SecondFactorRefusedError):
        second_factor.verify_code(ana, code=code, at=at + timedelta(minutes=5))


def test_wrong_codes_slow_down_the_next_try(ana: Officer, secret: str, at: datetime):
    now = at + timedelta(minutes=5)
    for wait in (1, 2, 4, 8):
        with pytest.raises(SecondFactorRefusedError, match="wrong"):
            second_factor.verify_code(ana, code="000000", at=now)
        with pytest.raises(SecondFactorRefusedError, match="please wait"):
            second_factor.verify_code(ana, code=code_of(secret, now), at=now + timedelta(seconds=wait, microseconds=-1))
        now += timedelta(seconds=wait)
    second_factor.verify_code(ana, code=code_of(secret, now), at=now)
    assert TOTPDevice.objects.get().throttling_failure_count == 0


def test_no_wait_is_longer_than_an_hour(ana: Officer, secret: str, at: datetime):
    later = at + timedelta(days=1)
    TOTPDevice.objects.update(throttling_failure_timestamp=later, throttling_failure_count=50)
    end = later + timedelta(hours=1)
    with pytest.raises(SecondFactorRefusedError, match="please wait"):
        second_factor.verify_code(ana, code=code_of(secret, end), at=end - timedelta(seconds=1))
    second_factor.verify_code(ana, code=code_of(secret, end), at=end)


def test_without_an_app_no_code_is_right(ana: Officer, at: datetime):
    with pytest.raises(SecondFactorRefusedError, match="No authenticator"):
        second_factor.verify_code(ana, code="123456", at=at)


def test_an_administrator_forgets_a_lost_app(ana: Officer, secret: str, at: datetime):
    with pytest.raises(PermissionRefusedError):
        second_factor.remove_second_factor(staff.actor_of(ana), username="ana", at=at)
    second_factor.remove_second_factor(CHIEF, username="ana", at=at)
    assert not second_factor.has_second_factor(ana)
