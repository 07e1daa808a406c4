"""What a driven node does with knowledge that partners share; imported once Django is set up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from comity.common import Actor
from comity.insight.holdings import holdings_of
from comity.insight.naming import Asked
from comity.journeys.consult import ask_about_hit, consult_turn, tell_hit
from comity.journeys.report import report_turn
from comity.journeys.share import Letter, ShareResult, Wish, approve_sharing, share_letter
from comity.journeys.teach import share_profile, teach_turn
from comity.registers import ListFormat, ListSource
from comity.registers.services import load_list
from comity.risk import Lane
from comity.risk import selectors as risk
from comity.risk.hit_advice import advice_on
from comity.risk.hits import decide_hit, hit, open_hits
from comity.risk.profile_sharing import profile_to_share, shares_of
from comity.risk.profiles import digest_of_profile
from comity.risk.reporting import Report, our_reliability_at, reports_on
from comity.risk.screening import Verdict
from comity.risk.services import (
    Past,
    ProfileDraft,
    approve_profile,
    backtest_profile,
    draft_profile,
    learn,
    retire_profile,
)
from comity.trade import Handling, Outcome, RiskType
from comity.trade.knowledge import PROFILE_KIND, HitGround, Told, knowledge_to_body
from tests.journeys.mirror_deeds import MirrorNode
from tests.registers.lists import UN


class TeachingNode(MirrorNode):
    """One node with two officers, ana and boris; each deed has its time."""

    def by(self, name: str) -> Actor:
        """An officer."""
        return replace(self.officer, id=name)

    def process(self, at: datetime) -> int:
        """The journeys that are due, and the jobs of shared knowledge."""
        return super().process(at) + teach_turn(at) + consult_turn(at) + report_turn(at)

    def write_profile(self, ref: str, expression: str, at: datetime) -> None:
        """Ana writes a profile, boris approves it."""
        draft = ProfileDraft(
            ref=ref,
            title="Cheap shoes",
            owner="Targeting",
            legal_basis="Customs Act s. 4",
            expression=expression,
            weight=45,
            risk_type=RiskType.UNDERVALUATION,
            lane=Lane.ORANGE,
            valid_from=at - timedelta(days=1),
            valid_until=at + timedelta(days=300),
            priority=2,
            expected_hit_rate=0.01,
        )
        draft_profile(self.by("ana"), draft=draft, at=at)
        self.try_profile(ref, at)
        approve_profile(self.by("boris"), ref=ref, at=at)

    def try_profile(self, ref: str, at: datetime, by: str = "ana") -> int:
        """Try a profile on the past; how many records there were."""
        return backtest_profile(self.by(by), ref=ref, past=Past.before(at), at=at).records

    def approve_profile(self, ref: str, at: datetime, by: str = "boris") -> str:
        """Approve it; its digest."""
        return approve_profile(self.by(by), ref=ref, legal_basis="Customs Act of XC s. 8", at=at).digest

    def retire_profile(self, ref: str, at: datetime) -> None:
        """Retire it."""
        retire_profile(self.by("ana"), ref=ref, reason="It found nothing", at=at)

    def give_profile(self, ref: str, recipients: list[str], at: datetime, handling: str = "official") -> Any:
        """Share it: [recipient, message id], and the proposal that waits."""
        wish = Wish(tuple(recipients), "risk_assessment")
        return _told(share_profile(self.by("ana"), ref=ref, wish=wish, handling=Handling.from_word(handling), at=at))

    def give_changed(self, ref: str, recipient: str, changes: dict[str, Any], at: datetime) -> Any:
        """Give a profile as another one than runs here, as a newer or a faulty node might."""
        official = Handling.OFFICIAL
        shared = profile_to_share(ref, issuer=self.us, recipients=[recipient], handling=official, at=at)
        changed = replace(shared, **changes)
        if "expression" in changes:
            runs = (changed.expression, changed.weight, changed.lane, changed.risk_type.value)
            changed = replace(changed, digest=digest_of_profile(*runs))
        letter = Letter(PROFILE_KIND, knowledge_to_body(changed), official)
        wish = Wish((recipient,), "risk_assessment")
        return _told(share_letter(self.by("ana"), letter=letter, wish=wish, deed="share_profile", payload={}, at=at))

    def agree(self, proposal: str, at: datetime, by: str = "boris") -> Any:
        """A second officer agrees."""
        return _told(approve_sharing(self.by(by), proposal_id=proposal, at=at))  # type: ignore[arg-type]

    def profiles(self, at: datetime) -> list[dict[str, Any]]:
        """Every profile."""
        return [
            {
                "ref": each.ref,
                "state": each.state.value,
                "issuer": [each.issuer, each.issuer_ref, each.article],
                "rule": [each.expression, each.weight, each.lane.value, each.priority, each.expected_hit_rate],
                "basis": each.legal_basis,
                "digest": each.digest,
                "because": each.retired_because,
            }
            for each in risk.profiles(at)
        ]

    def profile_shares(self, ref: str, at: datetime) -> list[list[Any]]:
        """Who has it, and whether it was taken back."""
        return [[each.recipient, each.message_id, each.ended_at is not None] for each in shares_of(ref)]

    def load_list(self, at: datetime) -> None:
        """The watch list that both nodes screen against."""
        source = ListSource(f"{self.us.lower()}-un", ListFormat.UN, "United Nations", (("un.xml", UN),))
        load_list(self.by("ana"), source=source, at=at)

    def open_hits(self, at: datetime) -> list[str]:
        """The hits that wait for a decision."""
        return [row.ref for row in open_hits().rows]

    def decide(self, ref: str, verdict: str, ground: str, at: datetime) -> int:
        """Decide a hit."""
        words = {"verdict": Verdict(verdict), "ground": HitGround(ground), "reason": "Passport of Kelimdar seen"}
        return len(decide_hit(self.by("ana"), ref=ref, at=at, **words))  # type: ignore[arg-type]

    def ask_hit(self, ref: str, partners: list[str], at: datetime) -> Any:
        """Ask what partners decided."""
        wish = Wish(tuple(partners), "risk_assessment")
        return _told(ask_about_hit(self.by("ana"), ref=ref, wish=wish, at=at))

    def tell_hit(self, ref: str, partners: list[str], at: datetime) -> Any:
        """Tell what we decided."""
        wish = Wish(tuple(partners), "risk_assessment")
        return _told(tell_hit(self.by("ana"), ref=ref, wish=wish, handling=Handling.OFFICIAL, at=at))

    def advice(self, ref: str, at: datetime) -> list[Any]:
        """What partners decided of the same."""
        return [
            [each.issuer, each.verdict.value, each.ground.value, each.reason, each.by.value, each.article]
            for each in advice_on(hit(ref))
        ]

    def screened(self, name: str, at: datetime) -> list[Any]:
        """What is held of somebody's hits: kind, origin, whether it is told by decision only, who was told or asked."""
        found = [each for each in holdings_of(Asked(name)).items if each.what.startswith("hit")]
        return sorted(
            [each.what, each.origin, each.needs_decision, [[told.to, told.article] for told in each.shared]]
            for each in found
            if "art" in each.legal or each.what == "hit"
        )

    def conclude(self, reference: str, source: str, at: datetime, *, is_irregular: bool) -> None:
        """A control's outcome is learned."""
        kind = RiskType.COUNTERFEIT if is_irregular else None
        learn(Outcome(reference, is_irregular=is_irregular, decided_at=at, sources=(source,), risk_type=kind), at=at)

    def reports(self, told: str, ref: str, at: datetime) -> list[Any]:
        """What partners told of what came of it."""
        return [
            [each.administration, each.fired, each.examined, each.found, each.is_closed, _kinds(each)]
            for each in reports_on(Told(told), ref)
        ]

    def our_standing(self, partner: str, at: datetime) -> list[float]:
        """How often ours were confirmed at a partner, and how it measures."""
        found = our_reliability_at(partner)
        return [found.confirmed, found.unconfirmed]


def _told(result: ShareResult) -> list[Any]:
    return [[list(each) for each in result.posted], str(result.proposal_id or "")]


def _kinds(report: Report) -> list[list[Any]]:
    return [[kind.risk_type.value, kind.found] for kind in report.kinds]
