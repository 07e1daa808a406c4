"""The record of processing under one agreement: what GDPR Art. 30, Convention 108+ Art. 10 and Directive (EU) 2016/680
Art. 24 ask of a controller, read off the agreement's articles and the node's own settings and counts. Pure but for
`record_of`, which gathers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q

from comity.agreements import Agreement, Article, Period
from comity.agreements.procedures import procedure
from comity.agreements.selectors import StoredAgreement, agreement
from comity.agreements.vocabulary import KINDS, PURPOSES, STEP_KIND, fields_of_kinds
from comity.common import Actor
from comity.custody import selectors as custody
from comity.custody.models import HandOn
from comity.exchange.models import InboxMessage, OutboxMessage, Partner
from comity.staff import Permission, require
from comity.staff.models import AuditEntry, Officer
from comity.staff.services import record_deed

# First part of a field's path -> whose data it is, and which data: words of `processing_words`.
_SUBJECTS = ("subjects", "consignor", "consignee")
_DATA = {
    "subjects": "identity",
    "consignor": "identity",
    "consignee": "identity",
    "route": "movements",
    "modus_operandi": "conduct",
    "concealment": "conduct",
    "risk_type": "suspicion",
    "category": "suspicion",
    "result": "control",
    "description": "control",
    "detection_method": "control",
    "seizure_ref": "offences",
    "case_ref": "offences",
    "declaration_ref": "trade",
    "ucr": "trade",
    "hs_code": "trade",
    "hs_codes": "trade",
    "quantity": "trade",
    "exhibits": "images",
    "sha256": "images",
    "fields": "request",
}
_ROLES = {"consignor": "traders", "consignee": "traders", "carrier": "carriers", "declarant": "declarants"}
_A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """One permit in which we take part. is_sent: we share under it. retention_days: None: no end is set.

    subjects, data: words of closed lists. counts: messages sent, received, received and purged.
    """

    id: str
    title: tuple[tuple[str, str], ...]
    source: str
    is_verified: bool
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]
    senders: tuple[str, ...]
    subjects: tuple[str, ...]
    data: tuple[str, ...]
    retention_days: int | None
    onward: str
    use_limits: tuple[str, ...]
    sent: int = 0
    received: int = 0
    purged: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """A safeguard that is in force now. word: of a closed list; value: a figure or a name, where it has one."""

    word: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of processing under one agreement."""

    controller: str
    controller_name: str
    agreement_id: str
    title: tuple[tuple[str, str], ...]
    version: str
    state: str
    period: Period
    partners: tuple[tuple[str, str], ...]
    purposes: tuple[str, ...]
    articles: tuple[ArticleRecord, ...]
    measures: tuple[Measure, ...]
    looks: int
    refused_looks: int
    overdue_recalls: int
    handed_on: int
    made_at: datetime

    @property
    def subjects(self) -> tuple[str, ...]:
        """Categories of data subjects under all articles."""
        return tuple(dict.fromkeys(each for article in self.articles for each in article.subjects))

    @property
    def data(self) -> tuple[str, ...]:
        """Categories of data under all articles."""
        return tuple(dict.fromkeys(each for article in self.articles for each in article.data))


def record_of(actor: Actor, *, agreement_id: str, at: datetime) -> Record:
    """The record of processing under an agreement, as things stand now.

    Raises: PermissionRefusedError, UnknownAgreementError.
    """
    require(actor, Permission.VIEW_PROCESSING)
    stored = agreement(agreement_id, at=at)
    us = str(settings.COMITY_ADMINISTRATION)
    articles = tuple(_counted(each, stored.id) for each in articles_of(stored.agreement, us))
    record_deed(actor, deed="make_processing_record", subject=f"agreement:{stored.id}", at=at)
    names = dict(Partner.objects.values_list("administration", "name"))
    looks = AuditEntry.objects.filter(at__gte=at - _A_YEAR, facts__partner__in=list(_others(stored, us)))
    shown = Counter(looks.values_list("deed", flat=True))
    return Record(
        controller=us,
        controller_name=str(settings.COMITY_NAME),
        agreement_id=stored.id,
        title=stored.agreement.title.texts,
        version=stored.agreement.version,
        state=stored.state.value,
        period=stored.agreement.in_force,
        partners=tuple((code, str(names.get(code, ""))) for code in _others(stored, us)),
        purposes=tuple(dict.fromkeys(each for article in articles for each in article.purposes)),
        articles=articles,
        measures=_measures(stored.agreement),
        looks=shown["view_message"] + shown["download_bundle"],
        refused_looks=shown["refuse_sight"] + shown["refuse_purpose"],
        overdue_recalls=sum(each.agreement == stored.id for each in custody.overdue()),
        handed_on=HandOn.objects.filter(agreement=stored.id).count(),
        made_at=at,
    )


def articles_of(found: Agreement, us: str) -> tuple[ArticleRecord, ...]:
    """Every permit in which an administration takes part, as a processing."""
    return tuple(
        _article(each, us)
        for each in found.binding_articles
        if each.is_permit and us in (*each.senders, *each.receivers)
    )


def categories_of(fields: Iterable[str], kinds: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whose data, and which data, these released fields of these kinds are."""
    subjects: dict[str, None] = {}
    data: dict[str, None] = {}
    for path in sorted(fields):
        head, _, rest = path.partition(".")
        name, _, role = head.removesuffix("]").partition("[")
        if name in _SUBJECTS:
            word = _ROLES.get(role or name)
            subjects |= dict.fromkeys([word] if word else ["traders", "carriers", "declarants"])
        if name in _DATA:
            data[_DATA[name]] = None
        if name == "fields" and STEP_KIND in kinds:
            subjects["persons"] = None
        if name in _SUBJECTS and rest == "id":
            data["numbers"] = None
    return tuple(subjects), tuple(data)


def personal_fields(procedures: Iterable[str]) -> tuple[str, ...]:
    """The fields of these procedures that are marked as personal."""
    return tuple(sorted({each.name for name in procedures for each in procedure(name).fields if each.is_personal}))


def _article(article: Article, us: str) -> ArticleRecord:
    kinds = article.kinds or KINDS
    every = fields_of_kinds(kinds)
    released = {path for path in every if _is_released(path, article.fields)}
    released |= {each for each in article.fields if each.startswith("fields")}
    subjects, data = categories_of(released, kinds)
    return ArticleRecord(
        id=article.id,
        title=article.title.texts,
        source=article.source,
        is_verified=article.is_verified,
        kinds=tuple(kinds),
        purposes=article.purposes or PURPOSES,
        recipients=tuple(code for code in article.receivers if code != us) if us in article.senders else (),
        senders=tuple(code for code in article.senders if code != us) if us in article.receivers else (),
        subjects=subjects,
        data=data,
        retention_days=article.retention_days,
        onward=article.onward.value,
        use_limits=article.use_limits,
    )


def _is_released(path: str, fields: Iterable[str]) -> bool:
    """Whether a path, or what holds it, is named by the article."""
    return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in fields)


def _counted(record: ArticleRecord, agreement_id: str) -> ArticleRecord:
    wanted = Q(agreement=agreement_id, article=record.id)
    sent = OutboxMessage.objects.filter(wanted).count()
    came = InboxMessage.objects.filter(wanted, is_accepted=True).aggregate(
        every=Count("pk"), purged=Count("pk", filter=Q(purged_at__isnull=False))
    )
    return replace(record, sent=sent, received=came["every"], purged=came["purged"])


def _measures(found: Agreement) -> tuple[Measure, ...]:
    """What protects it here and now: from the agreement, the settings and the officers; nothing is claimed else."""
    officers = Officer.objects.filter(is_active=True)
    with_factor = officers.filter(needs_second_factor=True).count()
    engine = str(settings.DATABASES["default"]["ENGINE"]).rsplit(".", 1)[-1]
    measures = [
        Measure("sealed", found.seal or "hpke"),
        Measure("signed", found.second_signature or "ed25519"),
        Measure("log"),
        Measure("fields"),
        Measure("need_to_know"),
        Measure("purpose"),
        Measure("four_eyes", "restricted"),
        Measure("retention"),
        Measure("recall"),
        Measure("second_factor", f"{with_factor}/{officers.count()}"),
        Measure("database", engine),
    ]
    return (*measures, Measure("witnesses")) if found.witnesses else tuple(measures)


def _others(stored: StoredAgreement, us: str) -> tuple[str, ...]:
    return tuple(code for code in stored.agreement.parties if code != us)
