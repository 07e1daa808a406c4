"""Health of the node, the partners' pages and alarms: what officers are told, and what their buttons do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings

from comity.console.words import word
from comity.exchange.invitation import write_invitation
from comity.exchange.models import Delivery, InboxMessage, OutboxMessage, Partner
from comity.exchange.selectors import message
from comity.exchange.services import introduce_partner, suspend_partner
from comity.journeys.probe import Probe, probe_results
from comity.ledger.models import LogState, SplitView
from comity.ledger.services import hold_appends, open_log, record_split
from comity.node.checks import ATTENTION, GOOD, WAITING, Check
from comity.staff.models import AuditEntry, Officer
from comity.staff.services import create_officer
from comity.trust import ForkProof, Keyring
from tests.console import world as made
from tests.console.forks import TOML, fork
from tests.console.visiting import text_of
from tests.exchange.cast import message as cast_message

pytestmark = pytest.mark.django_db
ROLES = {"boris": ("supervisor",), "chipo": ("administrator", "auditor"), "dana": ("officer",), "ana": ("liaison",)}


@pytest.fixture(autouse=True)
def node(db: None, tmp_path: Path) -> Iterator[datetime]:
    """XC with two partners and its officers; its keys are thirty days old. The moment is now."""
    (tmp_path / "comity.toml").write_text(TOML)
    at = datetime.now(UTC)
    born = at - timedelta(days=30)
    cache.clear()
    with override_settings(COMITY_HOME=tmp_path):
        made.live_at_xc(settings_of := SettingsOf(), at)
        with override_settings(**vars(settings_of)):
            open_log(signer=settings.COMITY_KEYRING.log, at=born)
            for code in ("XA", "XB"):
                introduce_partner(made.TERMINAL, key_statement=write_invitation(made.keys_of(code, born)), at=born)
            for username, roles in ROLES.items():
                create_officer(
                    made.TERMINAL, username=username, full_name=username, roles=roles, password=made.PASSWORD, at=born
                )
            yield at
    cache.clear()


class SettingsOf:
    """Settings as attributes, for `live_at_xc`."""


def enter(username: str, *, french: bool = False) -> Client:
    client = Client()
    client.force_login(Officer.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    if french:
        client.post("/language", {"language": "fr"})
    return client


def no_trouble(_at: datetime) -> list[Check]:
    """A doctor who finds nothing; named in a setting."""
    return [Check("database", GOOD, "SQLite, 1.0 MiB, answers in 1 ms")]


def three_troubles(_at: datetime) -> list[Check]:
    """A doctor who finds much; named in a setting."""
    return [
        Check("backup", WAITING, "none was made yet", "odd advice"),
        Check("partner XB", ATTENTION, "never answered, 3 waiting, the oldest for 5 h", ""),
        Check("a new subject", ATTENTION, "A sentence of a later version.", ""),
        Check("journeys", GOOD, "everything that was accepted has been acted on"),
    ]


class TestHealth:
    def test_who_looks_after_the_node_sees_it(self):
        assert enter("dana").get("/health").status_code == 403
        assert "Ask every partner now" not in text_of(enter("boris").get("/health"))
        assert "An administrator can ask at once." in text_of(enter("boris").get("/health"))
        page = text_of(enter("chipo").get("/health"))
        assert "Ask every partner now" in page
        assert "Nobody listens at 127.0.0.1:1" in page
        assert "Start the node: comity serve ." in page
        assert "Keys and data can be read by the node alone." in page
        assert "not asked yet Customs of Alfa (XA)" in page

    def test_the_question_goes_out_and_its_answer_is_shown(self, node: datetime):
        client = enter("chipo")
        page = client.post("/health/ask", follow=True)
        assert "2 partners were asked." in text_of(page)
        assert "2 partners have not answered yet" in text_of(page)
        assert 'id="came-bar" data-arrivals="0"' in page.content.decode()
        assert sorted(AuditEntry.objects.filter(deed="probe_partner").values_list("subject", flat=True)) == [
            "partner:XA",
            "partner:XB",
        ]
        assert OutboxMessage.objects.filter(kind="probe/1").count() == 2
        answer("XA", datetime.now(UTC))
        page = text_of(client.get("/health"))
        assert "1 partner has not answered yet" in page
        assert re.search(r"works Customs of Alfa \(XA\) [^–]*UTC \([^)]*\) [\d.]+ s [\d.]+ s 9\.9 agrees", page), page
        assert "on its way Customs of Bravo (XB)" in page
        asked_again = text_of(client.post("/health/ask", {"partner": "XB"}, follow=True))
        assert "Last question to it on its way" in asked_again
        assert OutboxMessage.objects.filter(kind="probe/1").count() == 2  # not twice within a minute

    def test_nobody_to_ask_is_said(self, node: datetime):
        for code in ("XA", "XB"):
            suspend_partner(made.TERMINAL, administration=code, reason="a test", at=node)
        assert "Nobody was asked" in text_of(enter("chipo").post("/health/ask", follow=True))
        assert "suspended Customs of Alfa (XA)" in text_of(enter("chipo").get("/health"))

    def test_only_an_administrator_asks(self):
        assert enter("boris").post("/health/ask").status_code == 403
        assert OutboxMessage.objects.count() == 0

    def test_a_missed_answer_is_trouble_after_a_while(self, node: datetime):
        enter("chipo").post("/health/ask")
        OutboxMessage.objects.update(posted_at=node - timedelta(minutes=5))
        page = text_of(enter("chipo").get("/health"))
        assert "No receipt came back." in page
        assert "has not answered yet" not in page

    def test_what_is_known_is_said_in_french_and_the_rest_says_that_it_is_english(self):
        with override_settings(COMITY_CHECKUP=f"{__name__}.three_troubles"):
            answer_page = enter("chipo", french=True).get("/health")
            page = answer_page.content.decode()
            assert "il n&#x27;a jamais répondu, 3 messages l’attendent, le plus ancien depuis 5 h" in page
            assert '<span lang="en">A sentence of a later version.</span>' in page
            assert '<span lang="en">odd advice</span>' in page
            assert "2 à faire maintenant 1 à faire bientôt" in text_of(answer_page)
            assert "a new subject" in page


class TestCard:
    def test_the_day_begins_with_what_is_to_be_done(self):
        with override_settings(COMITY_CHECKUP=f"{__name__}.three_troubles"):
            page = text_of(enter("boris").get("/"))
            assert "To do now: 2; soon: 1" in page
            assert "Line XB No failure so far: it never answered" in page
            assert "None was made yet" not in page  # first what is urgent
            assert "To do now" not in text_of(enter("dana").get("/"))

    def test_it_is_looked_at_once_a_minute(self):
        with override_settings(COMITY_CHECKUP=f"{__name__}.no_trouble"):
            assert "Health of the node All works" in text_of(enter("chipo").get("/"))
        with override_settings(COMITY_CHECKUP=f"{__name__}.three_troubles"):
            assert "Health of the node All works" in text_of(enter("chipo").get("/"))
            assert "All works." not in text_of(enter("chipo").get("/health"))


class TestPartner:
    def test_everything_of_a_partner(self, node: datetime):
        enter("chipo").post("/health/ask")
        Delivery.objects.filter(partner__administration="XA").update(
            load_limits={"messages_per_minute": 600, "messages_per_envelope": 64},
            skew_seconds=-90.0,
            certificate_until=node + timedelta(days=20, hours=1),
            last_answer_at=node,
            failures=3,
            last_error="The line is dead",
            next_attempt_at=node + timedelta(minutes=1),
            cosigned_size=2,
        )
        Partner.objects.filter(administration="XA").update(way="collect", is_collected=True)
        page = text_of(enter("chipo").get("/partners/XA"))
        assert "Way it collects from us; we collect from it" in page
        assert "Waiting for it urgent: 1 since" in page
        assert "600 messages a minute 64 messages in an envelope" in page
        assert "May go now 99 messages" in page or "May go now 100 messages" in page
        assert "Clock 90 s behind ours" in page
        assert "20 days left act now until" in page
        assert "Not reached in 3 attempts" in page
        assert "Cosigned our log its first 2 entries" in page
        assert "Key document 335 days left" in page
        plain = text_of(enter("dana").get("/partners/XA"))
        assert "What it refused of ours" not in plain
        assert "Suspend the exchange" not in plain
        assert "Clock 90 s behind ours" in plain
        assert "The line is dead" in plain
        assert enter("dana").get("/partners/XX").status_code == 404
        listed = text_of(enter("dana").get("/partners"))
        assert "Clock 90 s behind ours look at it" in listed
        assert "Waiting for it urgent: 1 since" in listed

    def test_refusals_with_clause_field_and_what_to_do(self, node: datetime):
        enter("chipo").post("/health/ask")
        refused = {
            "accepted": False,
            "code": "created_in_future",
            "text": "It is from tomorrow",
            "field": "created",
            "clause": "§5 R8",
        }
        rows = OutboxMessage.objects.filter(partner__administration="XA")
        rows.update(state="refused", answered_at=node, answer=refused)
        row = rows.get()
        page = text_of(enter("ana").get("/partners/XA"))
        assert "It is from tomorrow created_in_future §5 R8 created Set the clock of the node" in page
        assert f"/messages/{row.message_id}" in enter("ana").get("/partners/XA").content.decode()
        french = text_of(enter("ana", french=True).get("/partners/XA"))
        assert "Mettez à l'heure l'horloge du nœud" in french
        rows.update(answer={**refused, "code": "of_a_later_version", "remedy": "Ask them."})
        assert "Ask them." in text_of(enter("ana").get("/partners/XA"))

    def test_suspend_with_a_reason_and_resume(self):
        client = enter("chipo")
        missing = client.post("/partners/XB/suspend", {"reason": ""})
        assert missing.status_code == 422
        assert "Say why" in text_of(missing)
        assert Partner.objects.get(administration="XB").state == "introduced"
        page = text_of(client.post("/partners/XB/suspend", {"reason": "keys in doubt"}, follow=True))
        assert "The exchange with XB is suspended" in page
        assert "Reason: keys in doubt" in page
        assert "Suspend the exchange" not in page
        assert enter("boris").post("/partners/XB/resume").status_code == 403
        assert "goes on" in text_of(client.post("/partners/XB/resume", follow=True))
        assert Partner.objects.get(administration="XB").state == "active"
        assert "suspended a partner" in text_of(client.get("/audit?subject=partner"))


class TestTwoHistories:
    def test_nothing_is_said_where_nothing_is(self):
        page = enter("dana").get("/proof").content.decode()
        assert "two histories" not in page
        assert 'class="alarm"' not in page

    def test_what_is_proved_is_an_alarm_on_every_page(self, node: datetime):
        record_split(fork(made.keys_of("XB", node - timedelta(days=30)).log, node), at=node, reported_by="XA")
        client = enter("dana")
        sentence = "It is proved that the log of Customs of Bravo (XB) showed two histories."
        for address in ("/", "/queue", "/partners", "/proof", "/password", "/partners/XA"):
            assert sentence in text_of(client.get(address)), address
        page = text_of(client.get("/proof"))
        assert "The log of Customs of Bravo (XB) showed two histories" in page
        assert "Customs of Alfa (XA) sent us the proof, and we have checked it." in page
        assert "It showed another history to Customs of Alfa (XA) than to the rest." in page
        assert "One state has 20 entries, the other 30" in page
        assert "Tell your supervisor" in page
        assert "being checked" not in page
        assert "It is proved that its log showed two histories." in text_of(client.get("/partners/XB"))
        assert "two histories" not in text_of(client.get("/partners/XA")).replace(sentence, "")
        assert sentence not in text_of(Client().get("/sign-in"))
        french = text_of(enter("dana", french=True).get("/proof"))
        assert "Il est prouvé que le journal de Customs of Bravo (XB) a montré deux histoires." in french
        assert "Il a montré à Customs of Alfa (XA) une autre histoire qu'aux autres." in french

    def test_the_evidence_is_downloaded_whole_and_in_the_audit(self, node: datetime):
        proof = fork(made.keys_of("XB", node - timedelta(days=30)).log, node)
        record_split(proof, at=node)
        page = enter("dana").get("/proof").content.decode()
        address = re.search(r'href="(/proof/two-histories/\w+)"', page)
        assert address is not None
        file = enter("dana").get(address[1])
        assert ForkProof.from_bytes(file.content) == proof
        assert "attachment" in file["Content-Disposition"]
        assert AuditEntry.objects.filter(deed="download_fork", actor_id="dana").count() == 1
        assert enter("dana").get("/proof/two-histories/0000").status_code == 404
        assert word("download_fork") == "downloaded evidence of two histories"

    def test_a_log_is_named_once_however_often_it_was_caught(self, node: datetime):
        log = made.keys_of("XB", node - timedelta(days=30)).log
        first, second = fork(log, node), fork(log, node, large=35)
        record_split(first, at=node)
        record_split(second, at=node + timedelta(minutes=1))
        page = enter("dana").get("/proof").content.decode()
        assert text_of(enter("dana").get("/partners/XB")).count("It is proved that its log") == 1
        assert page.count("Tell your supervisor") == 1
        files = [enter("dana").get(each).content for each in re.findall(r'"(/proof/two-histories/\w+)"', page)]
        assert [ForkProof.from_bytes(each) for each in files] == [first, second]

    def test_what_is_not_proved_is_a_suspicion(self, node: datetime):
        proof = fork(made.keys_of("XB", node - timedelta(days=30)).log, node)
        record_split(proof, at=node)
        SplitView.objects.update(is_proven=False)
        client = enter("dana")
        page = client.get("/proof")
        assert 'class="alarm"' not in page.content.decode()
        assert "The log of Customs of Bravo (XB) suspicion, being checked" in text_of(page)
        assert "showed two histories" not in text_of(page)
        digest = SplitView.objects.get().digest
        assert client.get(f"/proof/two-histories/{digest}").status_code == 404

    def test_the_accused_is_told_that_it_is_its_own(self, node: datetime):
        record_split(fork(settings.COMITY_KEYRING.log, node), at=node, reported_by="XB")
        client = enter("dana")
        sentence = "It is proved that our own log showed two histories. Partners cosign it no longer."
        assert sentence in text_of(client.get("/queue"))
        page = text_of(client.get("/proof"))
        assert "Our own log showed two histories Two states of our log exist" in page
        assert "Customs of Bravo (XB) sent us the proof" in page
        assert "Tell your supervisor" not in page  # of a partner's log
        assert "Find out how it came about" in page
        assert "Two states of our log" not in text_of(enter("dana", french=True).get("/proof"))

    @pytest.mark.parametrize(
        ("state", "alarm", "told"),
        [
            ({"seen_size": 9, "seen_by": "XA", "seen_note": "-"}, "Our log is older", "XA holds proof"),
            ({"claimed_size": 9, "claimed_by": "XA"}, "", "XA says that it has seen 9 entries"),
        ],
    )
    def test_our_log_is_behind_or_is_said_to_be(self, state: dict[str, object], alarm: str, told: str):
        LogState.objects.update(**state)
        page = text_of(enter("dana").get("/proof"))
        assert told in page
        assert ("What this means" in page) == bool(alarm)
        assert alarm in page

    def test_our_log_rests(self, node: datetime):
        hold_appends("a backup was restored", at=node)
        client = enter("dana")
        assert "Our log rests until the partners were asked." in text_of(client.get("/"))
        assert "After a restore our log waits" in text_of(client.get("/proof"))
        page = enter("chipo", french=True).get("/health").content.decode()
        assert "Rien n&#x27;est écrit dans notre journal" in page


class TestEndings:
    @pytest.mark.parametrize(
        ("age", "words"),
        [
            (300, ""),
            (340, "Our key document ends in 2"),
            (370, "Our key document has ended"),
            (710, "Our certificate of the line ends in "),
            (740, "Our certificate of the line has ended"),
        ],
    )
    def test_administrators_are_told_a_month_before(self, node: datetime, age: int, words: str):
        with override_settings(COMITY_KEYRING=aged(node, age)):
            page = text_of(enter("chipo").get("/audit"))
            assert words in page
            assert ("comity keys renew" in page) == (age >= 340)
            assert "key document" not in text_of(enter("dana").get("/queue"))
            own = text_of(enter("chipo").get("/partners"))
            assert "comity keys renew --signing --sealing" in own


def aged(at: datetime, days: int) -> Keyring:
    """Our keys as if they had been made so many days ago."""
    return made.keys_of("XC", at - timedelta(days=days))


def answer(partner: str, at: datetime) -> None:
    """What the partner's journey would answer to the question, stored as accepted."""
    (result,) = probe_results([partner])
    view = message(result.message_id)
    assert view.message is not None
    probe = Probe(
        str(view.message.body["nonce"]), is_answer=True, version="9.9", kinds=("alert/1",), agreements=1, clock=at
    )
    said = {"kind": "probe/1", "sender": partner, "recipient": "XC", "in_reply_to": result.message_id}
    sent = cast_message(77, body=probe.to_body(), **said)
    InboxMessage.objects.create(
        sender=partner,
        message_id=sent.id,
        sequence=1,
        envelope_id="e",
        position=0,
        kind="probe/1",
        in_reply_to=result.message_id,
        data=sent.to_bytes(),
        is_accepted=True,
        answer='{"id":"","sha256":"","accepted":true}',
        received_at=at,
        processed_at=at,
    )
    OutboxMessage.objects.filter(message_id=result.message_id).update(state="delivered", answered_at=at)
