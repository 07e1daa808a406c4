"""Words that reasons of the assessment and the pages on mirror checks and screening share."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = Mapping[str, str | Promise]

FIELDS: Words = {
    "value": _("Value"),
    "gross_mass_kg": _("Gross mass"),
    "net_mass_kg": _("Net mass"),
    "packages": _("Packages"),
    "hs_codes": _("HS codes"),
    "origins": _("Origin"),
}
JOINTS: Words = {
    "ucr": _("the same UCR"),
    "declared": _("the number of the export declaration"),
    "bill": _("the same transport document"),
    "container": _("the same container"),
}
VERDICTS: Words = {"not_same": _("Not the same"), "same": _("The same")}
PARTS: Words = {
    "name": _("Name"),
    "few or common words": _("Few or common words"),
    "several words written otherwise": _("Several words written otherwise"),
    "a word missing and another written otherwise": _("A word missing and another written otherwise"),
    "word order": _("Word order"),
    "weak name": _("Weak name"),
    "script": _("Script"),
    "legal form": _("Legal form"),
    "birth date": _("Birth date"),
    "country": _("Country"),
    "identifier": _("Number"),
}
RESULTS: Words = {"agrees": _("agrees"), "near": _("is near"), "differs": _("differs")}
ROLES: Words = {
    "exporter": _("exporter"),
    "importer": _("importer"),
    "declarant": _("declarant"),
    "agent": _("agent"),
    "consignor": _("consignor"),
    "consignee": _("consignee"),
    "carrier": _("carrier"),
    "means of transport": _("means of transport"),
    "container": _("container"),
}
KINDS: Words = {
    "person": _("person"),
    "company": _("company"),
    "vessel": _("vessel"),
    "container": _("container"),
    "other": _("other"),
}
# What registers and alerts say in one word, or in a few.
VALUES: Words = {
    "yes": _("yes"),
    "no": _("no"),
    "own": _("own"),
    "an arrangement": _("an arrangement"),
    "valid": _("valid"),
    "suspended": _("suspended"),
    "revoked": _("revoked"),
    "not valid on this day": _("not valid on this day"),
    "a licence": _("a licence"),
    "licence": _("licence"),
    "prohibited": _("prohibited"),
    "embargo": _("embargo"),
    "watch": _("watched"),
    "both": _("import and export"),
    "import": _("import"),
    "export": _("export"),
    "not declared": _("not declared"),
    "a case file of the issuer": _("a case file of the issuer"),
    "not stated": _("not stated"),
    "a seizure": _("a seizure"),
    "analysis of trends": _("analysis of trends"),
    "expertise": _("expertise"),
    "documented by files": _("documented by files"),
    "not documented by files": _("not documented by files"),
    "anywhere": _("anywhere"),
    "nowhere told": _("nowhere told"),
}
