"""Paths of this door, each with a bound on its bodies; what is unknown is answered with a problem too."""

from __future__ import annotations

import re

from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from comity.api.application import make_api
from comity.api.guard import Bounds, bounded
from comity.api.openapi import query_names
from comity.api.problems import nothing_here

app_name = "api"

# The paths that take files; every other body is small.
UPLOADS = frozenset({"import_file", "record_finding"})

api = make_api()


# It changes nothing and answers every method, so no cross-site token is asked for.
_nothing_here = csrf_exempt(nothing_here)


def _bounded_patterns() -> list[URLPattern]:
    known = query_names(api.get_openapi_schema(path_prefix=""))
    return [
        URLPattern(
            pattern.pattern,
            bounded(pattern.callback, Bounds(pattern.name in UPLOADS, known.get(_template_of(pattern), {}))),
            pattern.default_args,
            pattern.name,
        )
        for pattern in api.urls[0]
        if isinstance(pattern, URLPattern) and pattern.name != "api-root"
    ]


def _template_of(pattern: URLPattern) -> str:
    """The path as the document has it: records/{record_id} of records/<uuid:record_id>."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))


urlpatterns = [*_bounded_patterns(), re_path("^$", _nothing_here, name="api-root"), re_path("", _nothing_here)]
