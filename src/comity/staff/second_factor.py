"""The second factor: time-based one-time passwords (RFC 6238) in django-otp's table.

The code is checked here and not by the device's own method, because the time comes in as an argument.
"""

from __future__ import annotations

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from comity.common import Actor
from comity.staff.errors import SecondFactorRefusedError
from comity.staff.models import Officer
from comity.staff.rules import Permission, require
from comity.staff.selectors import officer_row
from comity.staff.services import record_deed

DEVICE_NAME = "app"
_LONGEST_WAIT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret in Base32, in groups of four, and the same as an otpauth URI."""

    secret: str
    uri: str


def has_second_factor(officer: Officer) -> bool:
    """Whether the officer has confirmed an app."""
    return bool(TOTPDevice.objects.filter(user=officer, confirmed=True).exists())


@transaction.atomic
def begin_enrolment(actor: Actor) -> Enrolment:
    """The secret to put into an app; the same one until it is confirmed."""
    officer = officer_row(actor.id)
    device, _ = TOTPDevice.objects.get_or_create(user=officer, confirmed=False, defaults={"name": DEVICE_NAME})
    secret = b32encode(device.bin_key).decode()
    issuer = f"Comity {settings.COMITY_ADMINISTRATION}"
    query = urlencode({"secret": secret, "issuer": issuer, "digits": device.digits, "period": device.step})
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Enrolment(secret=groups, uri=f"otpauth://totp/{quote(issuer)}:{quote(officer.username)}?{query}")


def confirm_enrolment(actor: Actor, *, code: str, at: datetime) -> TOTPDevice:
    """Take the app into use once it shows the right code; an earlier app is forgotten.

    Raises: SecondFactorRefusedError.
    """
    officer = officer_row(actor.id)
    device = _checked(officer, code, is_confirmed=False, at=at)
    with transaction.atomic():
        TOTPDevice.objects.filter(user=officer, confirmed=True).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        record_deed(actor, deed="enrol_second_factor", subject=f"officer:{officer.username}", at=at)
    return device


def verify_code(officer: Officer, *, code: str, at: datetime) -> TOTPDevice:
    """The officer's device, where the code is right, not used before, and not too soon after a wrong one.

    Raises: SecondFactorRefusedError.
    """
    return _checked(officer, code, is_confirmed=True, at=at)


@transaction.atomic
def remove_second_factor(actor: Actor, *, username: str, at: datetime) -> None:
    """Forget an officer's app, for example when a telephone is lost.

    Raises: PermissionRefusedError, OfficerRefusedError.
    """
    require(actor, Permission.MANAGE_OFFICERS)
    officer = officer_row(username)
    TOTPDevice.objects.filter(user=officer).delete()
    record_deed(actor, deed="remove_second_factor", subject=f"officer:{officer.username}", at=at)


def _checked(officer: Officer, code: str, *, is_confirmed: bool, at: datetime) -> TOTPDevice:
    # The wrong try must be counted, so nothing is raised before the transaction has ended.
    with transaction.atomic():
        device = (
            TOTPDevice.objects.select_for_update().filter(user=officer, confirmed=is_confirmed).order_by("id").first()
        )
        problem = "No authenticator app is set up" if device is None else _try(device, code, at)
    if device is None or problem:
        raise SecondFactorRefusedError(problem, where="code", remedy="Wait for the next code in the app and try again.")
    return device


def _try(device: TOTPDevice, code: str, at: datetime) -> str:
    """The problem with the code, or nothing; what was learnt is saved in the device."""
    if _is_too_soon(device, at):
        return "Too many wrong codes: please wait"
    digits = code.replace(" ", "")
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = at.timestamp()
    is_number = len(digits) == device.digits and digits.isascii() and digits.isdigit()
    if is_number and totp.verify(int(digits), device.tolerance, device.last_t + 1):
        device.last_t, device.drift, device.last_used_at = totp.t(), totp.drift, at
        device.throttling_failure_timestamp, device.throttling_failure_count = None, 0
        device.save()
        return ""
    device.throttling_failure_timestamp = at
    device.throttling_failure_count += 1
    device.save()
    return "The code is wrong or was used already"


def _is_too_soon(device: TOTPDevice, at: datetime) -> bool:
    """After n wrong codes in a row the next one may come in 2**(n-1) seconds, at most in an hour."""
    if device.throttling_failure_timestamp is None:
        return False
    wait = min(2 ** min(device.throttling_failure_count - 1, 12), _LONGEST_WAIT_SECONDS)
    return bool(at < device.throttling_failure_timestamp + timedelta(seconds=wait))
