"""Django's settings, made from the home folder and three environment variables.

COMITY_HOME, COMITY_DATABASE_URL, COMITY_DEBUG. Everything else stands in comity.toml; see docs/guide/settings.md.
"""

from __future__ import annotations

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from comity.node.database import database_settings
from comity.node.home import HomeSettings, Listener, current_home
from comity.node.keys import LiveKeyring, load_secret
from comity.node.logs import formatter_named
from comity.trust import Keyring

_home = current_home()
_unborn = HomeSettings("ZZ", "A node without a home", *(Listener("127.0.0.1", 0, ""),) * 2)
_node = _home.read_settings() if _home.is_initialised else _unborn

COMITY_HOME: Path = _home.root
COMITY_ADMINISTRATION: str = _node.administration
COMITY_NAME: str = _node.name
COMITY_TIME_ZONE: str = _node.time_zone
COMITY_BASE_URL: str = _node.console.url
COMITY_EVIDENCE: Path = _home.evidence
COMITY_MAX_UPLOAD_BYTES: int = 64 * 1024 * 1024
COMITY_KEYRING: Keyring = LiveKeyring(_home)  # type: ignore[assignment]  # read when first needed, and when it changes
# Named, not imported: the wiring knows every room, and the rooms' tables need these settings first.
COMITY_VALIDATORS: str = "comity.node.wiring.VALIDATORS"
# The doctor's checks for the console, which stands below the node.
COMITY_CHECKUP: str = "comity.node.checkup.check_up"

SECRET_KEY = load_secret(_home)
DEBUG = os.environ.get("COMITY_DEBUG") == "1"
ALLOWED_HOSTS = ["*"] if DEBUG else ["localhost", "127.0.0.1", "[::1]", _node.console.public_host]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "comity.staff",
    "comity.intake",
    "comity.registers",
    "comity.ledger",
    "comity.agreements",
    "comity.exchange",
    "comity.risk",
    "comity.enforcement",
    "comity.custody",
    "comity.operations",
    "comity.insight",
    "comity.console",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "comity.node.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "staff.Officer"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "console:sign_in"
LOGIN_REDIRECT_URL = "console:dashboard"

# Five wrong passwords for one name from one address: locked for fifteen minutes.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "comity.console.sign_in.locked_out"
AXES_VERBOSE = False

DATABASES = {"default": database_settings(os.environ.get("COMITY_DATABASE_URL", ""), default=_home.database)}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [Path(__file__).parent.parent / "console" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "comity.console.context.node",
            ]
        },
    }
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 60 * 60
CSRF_COOKIE_HTTPONLY = True
# A node is installed behind TLS; the demo speaks plain HTTP on loopback, where browsers drop secure cookies.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _node.console.url.startswith("https://")
# Told only over TLS: a year without a single page in the clear.
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SESSION_COOKIE_SECURE else 0
CSRF_TRUSTED_ORIGINS = [_node.console.origin] if _node.console.url else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = COMITY_MAX_UPLOAD_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": formatter_named(os.environ.get("COMITY_LOG_FORMAT", ""))},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"comity": {"level": "INFO"}},
}
