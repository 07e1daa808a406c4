"""Paths of this door."""

from __future__ import annotations

from django.urls import path

from comity.console import agreements, enforcement, exchange, home, intake, ledger, risk, sharing, sign_in, staff

app_name = "console"
urlpatterns = [
    path("", home.dashboard, name="dashboard"),
    path("sign-in", sign_in.sign_in, name="sign_in"),
    path("sign-in/code", sign_in.sign_in_code, name="sign_in_code"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("second-factor", sign_in.enrol, name="second_factor"),
    path("second-factor/code.svg", sign_in.enrol_qr, name="second_factor_qr"),
    path("password", sign_in.change_password, name="password"),
    path("language", sign_in.choose_language, name="language"),
    path("purpose", sign_in.purpose, name="purpose"),
    path("queue", risk.queue, name="queue"),
    path("queue/assign", risk.assign_records, name="assign"),
    path("consignments/<uuid:record_id>", intake.consignment, name="consignment"),
    path("consignments/<uuid:record_id>/inspect", enforcement.inspect, name="inspect"),
    path("consignments/<uuid:record_id>/release", enforcement.release_goods, name="release"),
    path("inspections/<uuid:inspection_id>/finding", enforcement.record_finding, name="finding"),
    path("findings/<str:finding_ref>/exhibits/<str:sha256>", enforcement.exhibit, name="exhibit"),
    path("arrivals/<uuid:arrival_id>/raw", intake.raw, name="raw"),
    path("profiles", risk.profiles, name="profiles"),
    path("profiles/write", risk.edit_profile, name="edit_profile"),
    path("profiles/<str:ref>/approve", risk.put_in_force, name="approve_profile"),
    path("profiles/<str:ref>/retire", risk.retire, name="retire_profile"),
    path("share", sharing.share, name="share"),
    path("approvals", sharing.approvals, name="approvals"),
    path("approvals/<uuid:proposal_id>", sharing.decide, name="decide"),
    path("messages", exchange.messages, name="messages"),
    path("messages/<str:message_id>", exchange.message, name="message"),
    path("messages/<str:message_id>/bundle", exchange.bundle, name="bundle"),
    path("partners", exchange.partners, name="partners"),
    path("agreements", agreements.agreements, name="agreements"),
    path("agreements/<str:agreement_id>", agreements.agreement, name="agreement"),
    path("proof", ledger.proof, name="proof"),
    path("proof/verify", ledger.verify_log, name="verify_log"),
    path("proof/<int:index>.tlog-proof", ledger.download_proof, name="download_proof"),
    path("audit", staff.audit, name="audit"),
    path("officers", staff.officers, name="officers"),
    path("officers/add", staff.add_officer, name="add_officer"),
    path("officers/<str:username>/roles", staff.change_roles, name="change_roles"),
    path("officers/<str:username>/disable", staff.disable_officer, name="disable_officer"),
    path("officers/<str:username>/second-factor", staff.change_second_factor, name="change_second_factor"),
    path("systems/issue", staff.issue_token, name="issue_token"),
    path("systems/<str:name>/revoke", staff.revoke_token, name="revoke_token"),
]
