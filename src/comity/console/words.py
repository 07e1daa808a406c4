"""The system's words in the officer's language, and the colour that a state's tag has."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, str | Promise] = {
    # roles
    "analyst": _("analyst"),
    "officer": _("officer"),
    "supervisor": _("supervisor"),
    "liaison": _("liaison officer"),
    "administrator": _("administrator"),
    "auditor": _("auditor"),
    "data_protection": _("data protection officer"),
    "system": _("system"),
    # states
    "open": pgettext_lazy("state", "open"),
    "approved": _("approved"),
    "rejected": _("rejected"),
    "withdrawn": _("withdrawn"),
    "draft": _("draft"),
    "active": _("active"),
    "retired": _("retired"),
    "tested": _("tested on the past"),
    "expiring": _("expiring"),
    "expired": _("expired"),
    "proposed": _("proposed"),
    "signed": _("signed"),
    "in_force": _("in force"),
    "introduced": _("introduced"),
    "suspended": _("suspended"),
    "waiting": _("waiting"),
    "sent": _("sent"),
    "delivered": _("delivered"),
    "refused": _("refused"),
    "accepted": _("accepted"),
    "received": _("received"),
    "ordered": _("ordered"),
    "started": _("started"),
    "completed": _("completed"),
    "cancelled": _("cancelled"),
    "selected": _("selected"),
    "released": _("released"),
    "disabled": _("disabled"),
    "revoked": _("revoked"),
    "valid": _("valid"),
    "permitted": _("permitted"),
    "permit": _("permits"),
    "prohibit": _("prohibits"),
    "new": pgettext_lazy("state", "new"),
    "inspecting": _("in inspection"),
    "held": _("held"),
    "announced": _("announced"),
    "failing": _("failing"),
    "done": _("done"),
    # how the node and a partner are
    "check:ok": _("works"),
    "check:soon": _("soon"),
    "check:attention": _("act now"),
    "check:unasked": _("not asked yet"),
    "check:on_its_way": _("on its way"),
    "look:cosigned": _("cosigned"),
    "look:apart": _("cannot be asked"),
    "look:unreachable": _("does not answer"),
    "look:suspect": _("suspicion"),
    "look:split": _("two histories"),
    "way:push": _("we send to it"),
    "way:collect": _("it collects from us"),
    "way:file": _("carried by file"),
    "urgent": _("urgent"),
    "ordinary": _("ordinary"),
    "bulk": _("bulk"),
    # lanes
    "red": _("red"),
    "orange": _("orange"),
    "yellow": _("yellow"),
    "blue": _("blue"),
    "green": _("green"),
    # what selected
    "risk": pgettext_lazy("cause", "risk"),
    "mandatory": _("mandatory"),
    "random": _("random choice"),
    "learning": pgettext_lazy("cause", "to learn"),
    "profile": _("rule profile"),
    # kinds of control
    "documents": _("documents"),
    "scan": _("scan"),
    "physical": _("examination"),
    "day": _("day"),
    "week": _("week"),
    "alert": _("partner's alert"),
    # records and kinds of message
    "declaration": _("declaration"),
    "manifest": _("manifest"),
    "alert/1": _("Alert"),
    "finding/1": _("Finding"),
    "evidence/1": _("File"),
    "step/1": _("Step of a request"),
    "mirror/1": _("Export as commitments"),
    "mirror_request/1": _("Request for figures"),
    "mirror_values/1": _("Figures that were asked for"),
    # what partners owe each other
    "recall/1": _("Recall"),
    "holding/1": _("News of a copy"),
    "consent/1": _("Question for consent"),
    "probe/1": _("Question whether all works"),
    "keys/1": _("New keys"),
    "split_view/1": _("Two histories"),
    "duty": _("duty between partners"),
    # kinds of entries of the log
    "log:message": _("message released to a partner"),
    "log:release": _("message released to a partner"),
    "log:receipt": _("receipt given to a partner"),
    "log:decision": _("decision on sharing, by an agreement"),
    # handling
    "official": _("official"),
    "restricted": _("restricted"),
    "confidential": _("confidential"),
    # purposes
    "risk_assessment": _("risk assessment"),
    "control": _("control"),
    "investigation": _("investigation"),
    "evidence": _("evidence"),
    "statistics": _("statistics"),
    "training": _("training"),
    # categories of alerts
    "commodities": _("goods"),
    "means_of_transport": _("means of transport"),
    "businesses": _("businesses"),
    "persons": _("persons"),
    "fraud_trends": _("fraud trends"),
    "expertise": _("availability of expertise"),
    "goods_seized": _("goods seized"),
    "cash_seized": _("cash seized"),
    # risk types
    "counterfeit": _("counterfeit goods"),
    "undervaluation": _("undervaluation"),
    "misclassification": _("false classification"),
    "false_origin": _("false origin"),
    "wrong_quantity": _("wrong quantity"),
    "prohibited": _("prohibited goods"),
    "smuggling": _("smuggling"),
    "safety": _("safety and security"),
    "other": _("other"),
    # suggested actions
    "inform_only": _("for information only"),
    "select_for_control": _("select for control"),
    "discreet_check": _("check discreetly"),
    "stop": pgettext_lazy("action", "stop"),
    # subjects
    "consignor": _("consignor"),
    "consignee": _("consignee"),
    "carrier": _("carrier"),
    "declarant": _("declarant"),
    "container": _("container"),
    "conveyance": _("vessel, vehicle or aircraft"),
    # results
    "irregular": _("irregular"),
    "in_order": _("in order"),
    # onward rules of articles
    "none": _("not to be passed on"),
    "with_consent": _("passed on only with the sender's consent"),
    "parties": _("may be passed on among the parties"),
    # duties of who receives
    "customs_authority_only": _("only for the customs authority"),
    "stated_purpose_only": _("only for the stated purpose"),
    "strict_confidence": _("in strict confidence"),
    "not_as_evidence": _("not as evidence"),
    "not_sole_deciding_factor": _("not as the only ground of a decision"),
    "no_disclosure_without_written_permission": _("no disclosure without written permission"),
    "report_outcome": _("the outcome is reported back"),
    # deeds in the audit
    "sign_in": _("signed in"),
    "sign_out": _("signed out"),
    "sign_in_failed": _("sign-in failed"),
    "state_purpose": _("stated the purpose"),
    "create_officer": _("added an officer"),
    "set_roles": _("changed roles"),
    "set_password": _("changed a password"),
    "disable_officer": _("disabled an officer"),
    "require_second_factor": _("changed the second-factor duty"),
    "enrol_second_factor": _("set up an authenticator app"),
    "remove_second_factor": _("removed an authenticator app"),
    "issue_token": _("issued a token"),
    "revoke_token": _("revoked a token"),
    "view_message": _("looked at a message"),
    "view_exhibit": _("looked at an exhibit"),
    "download_bundle": _("downloaded an evidence bundle"),
    "view_raw": _("looked at raw bytes"),
    "view_record": _("looked at a consignment"),
    "view_assessment": _("looked at an assessment"),
    "view_consents": _("looked at consents"),
    "view_feedback": _("looked at what partners found"),
    "list_files": _("looked at the files of a message"),
    "open_subject_request": _("opened a person's question"),
    "choose_candidates": _("confirmed who asks"),
    "view_subject_request": _("looked at a person's question"),
    "decide_disclosure": _("decided what is told"),
    "answer_subject_request": _("answered a person"),
    "refuse_sight": _("was refused: no need to know"),
    "refuse_purpose": _("was refused: purpose not permitted"),
    "export_access_log": _("took out the access log"),
    "make_statistics": _("made statistics"),
    "make_processing_record": _("made a record of processing"),
    "subject_request": _("a person's question"),
    "oversight": _("oversight"),
    "unknown": _("unknown"),
    "verify_ledger": _("verified the log"),
    "assess": _("assessed"),
    "assign_records": _("assigned consignments"),
    "select_record": _("selected a consignment"),
    "select_for_day": _("selected for the day"),
    "set_selection_plan": _("set the day's plan"),
    "set_selection_policy": _("set the policy of selection"),
    "set_control_budget": _("set a budget of controls"),
    "override_lane": _("changed a lane"),
    "turn_blue": _("let papers be checked after release"),
    "prove_selection": _("took out the proof of a day's selection"),
    "lower_lane": _("Lowering of a mandatory control"),
    "propose_lower_lane": _("proposed to lower a mandatory control"),
    "approved_lower_lane": _("approved the lowering of a mandatory control"),
    "rejected_lower_lane": _("rejected the lowering of a mandatory control"),
    "withdrawn_lower_lane": _("took back the lowering of a mandatory control"),
    "draft_profile": _("wrote a profile"),
    "approve_profile": _("approved a profile"),
    "backtest_profile": _("tried a profile on past records"),
    "retire_profile": _("retired a profile"),
    "withdraw_signal": _("withdrew a partner's alert"),
    "order_inspection": _("ordered an inspection"),
    "start_inspection": _("started an inspection"),
    "record_finding": _("recorded a finding"),
    "seize": _("seized goods"),
    "release_goods": _("released goods"),
    "hold_goods": _("held goods"),
    "import": _("imported a file"),
    "introduce_partner": _("introduced a partner"),
    "suspend_partner": _("suspended a partner"),
    "probe_partner": _("asked a partner whether all works"),
    "download_fork": _("downloaded evidence of two histories"),
    "resume_partner": _("resumed with a partner"),
    "post_message": _("posted a message"),
    "permit_sharing": _("sharing permitted"),
    "refuse_sharing": _("sharing refused"),
    "import_agreement": _("imported an agreement"),
    "sign_agreement": _("signed an agreement"),
    "adopt_agreement": _("adopted an agreement"),
    "merge_agreement_signatures": _("merged signatures of an agreement"),
    "share_alert": _("Sharing of an alert"),
    "propose_share_alert": _("proposed to share an alert"),
    "approved_share_alert": _("approved the sharing of an alert"),
    "rejected_share_alert": _("rejected the sharing of an alert"),
    "withdrawn_share_alert": _("took back the sharing of an alert"),
    "share_finding": _("Telling a finding"),
    "propose_share_finding": _("proposed to tell a finding"),
    "approved_share_finding": _("approved telling a finding"),
    "rejected_share_finding": _("rejected telling a finding"),
    "withdrawn_share_finding": _("took back telling a finding"),
    "share_evidence": _("Sharing of a file"),
    "propose_share_evidence": _("proposed to share a file"),
    "approved_share_evidence": _("approved the sharing of a file"),
    "rejected_share_evidence": _("rejected the sharing of a file"),
    "withdrawn_share_evidence": _("took back the sharing of a file"),
    "withdraw_evidence": _("withdrew a file"),
    "recall_messages": _("took messages back"),
    "retain_copy": _("kept a copy on a legal ground"),
    "let_go_copy": _("let a copy go"),
    "ask_consent": _("asked for consent"),
    "give_consent": _("gave consent"),
    "refuse_consent": _("refused consent"),
    "download_statement": _("downloaded a signed statement"),
    "view_case": _("looked at a request"),
    "open_case": _("Opening of a request"),
    "propose_open_case": _("proposed to open a request"),
    "approved_open_case": _("approved the opening of a request"),
    "rejected_open_case": _("rejected the opening of a request"),
    "withdrawn_open_case": _("took back the opening of a request"),
    "take_step": _("Step in a request"),
    "propose_take_step": _("proposed a step in a request"),
    "approved_take_step": _("approved a step in a request"),
    "rejected_take_step": _("rejected a step in a request"),
    "withdrawn_take_step": _("took back a step in a request"),
    "suspend_agreement": _("Suspension of an agreement"),
    "propose_suspend_agreement": _("proposed to suspend an agreement"),
    "approved_suspend_agreement": _("approved the suspension of an agreement"),
    "rejected_suspend_agreement": _("rejected the suspension of an agreement"),
    "withdrawn_suspend_agreement": _("took back the suspension of an agreement"),
    "leave_agreement": _("Leaving an agreement"),
    "propose_leave_agreement": _("proposed to leave an agreement"),
    "approved_leave_agreement": _("approved leaving an agreement"),
    "rejected_leave_agreement": _("rejected leaving an agreement"),
    "withdrawn_leave_agreement": _("took back leaving an agreement"),
    "acknowledge_reminder": _("took note of a reminder"),
}

_COLOURS: Mapping[str, frozenset[str]] = {
    "green": frozenset(
        {"approved", "active", "in_force", "delivered", "accepted", "released", "in_order", "valid", "permitted"}
        | {"check:ok", "look:cosigned", "permit", "green", "completed", "signed"}
    ),
    "red": frozenset(
        {"rejected", "refused", "red", "irregular", "prohibit", "suspended", "confidential", "stop", "expired"}
        | {"check:attention", "look:split"}
    ),
    "amber": frozenset(
        {"waiting", "yellow", "draft", "proposed", "ordered", "restricted", "open", "expiring"}
        | {"check:soon", "look:suspect", "look:unreachable"}
    ),
    "orange": frozenset({"orange"}),
    "blue": frozenset(
        {"check:on_its_way", "sent", "received", "blue", "started", "selected", "introduced", "official", "alert"}
        | {"tested"}
    ),
}


def word(text: str) -> str | Promise:
    """What people read for a word of the system; a word without a translation loses its underlines."""
    return WORDS.get(text) or text.replace("_", " ")


def tag_colour(text: str) -> str:
    """green, red, orange, amber, blue or grey."""
    return next((colour for colour, words in _COLOURS.items() if text in words), "grey")


def is_english() -> bool:
    """Whether the page is in English, which is what rooms write."""
    return (get_language() or "en").startswith("en")


def in_english(text: str) -> str | SafeString:
    """English text; on a page of another language it says of itself that it is English (WCAG 3.1.2)."""
    return text if is_english() or not text else format_html('<span lang="en">{}</span>', text)
