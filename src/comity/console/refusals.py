"""What an officer can do about a partner's refusal, by its code (docs/guide/refusals.md). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_BY_ITSELF = _("Nothing by hand: the node sends it anew by itself. If it stays, compare the versions of both nodes.")
_CORRECT = _("Correct the field that is named, and send it anew.")
_OUR_KEYS = _("Send the partner our present invitation: `comity partner invite FILE`.")
_ITS_KEYS = _("Take the partner's present invitation; then it is sealed anew by itself.")
_STRONGER = _("An administrator runs `comity keys renew`; when the partner has the news, share it anew.")
_VERSIONS = _("Compare the versions of both nodes on the page of health, and update the older one.")

ADVICE: Mapping[str, str | Promise] = {
    **dict.fromkeys(("bad_form", "cannot_open", "envelope_reused", "mismatch", "wrong_root"), _BY_ITSELF),
    **dict.fromkeys(("bad_message", "bad_notice", "bad_duty"), _CORRECT),
    **dict.fromkeys(("unknown_sender", "wrong_signature"), _OUR_KEYS),
    **dict.fromkeys(("second_signature_missing", "weaker_seal"), _STRONGER),
    **dict.fromkeys(("bad_probe", "unknown_kind", "wrong_protocol"), _VERSIONS),
    "unknown_key": _ITS_KEYS,
    "bad_profile": _("Share it without the fact that is named: the partner's node does not know it."),
    "bad_invitation": _("Ask for the invitation as a file, or send ours: `comity partner invite FILE`."),
    "consent_missing": _("Ask the origin for its consent, then hand it on again."),
    "created_in_future": _("Set the clock of the node that made it, then send it anew."),
    "expired": _("Send it anew if it still matters."),
    "field_not_released": _("Leave out the fields that are named: the article does not release them."),
    "keys_not_followed": _("Call the contact point by a number that you know, and compare fingerprints."),
    "message_reused": _("Send it anew: it gets another number."),
    "move_refused": _("Let the two nodes introduce each other; if they have, compare their versions."),
    "no_article": _("No article permits this between the two. The page of the agreement shows the nearest one."),
    "not_a_duty": _("Share it under an article of an agreement."),
    "not_a_party": _("Name the agreement that both are parties to."),
    "not_in_force": _("See the dates of the agreement, and agree on a successor."),
    "not_origin": _("Only the origin recalls or corrects: ask it to."),
    "not_permitted": _(
        "The clause names the condition that is not met; the page of the agreement says what is needed."
    ),
    "not_your_certificate": _("Send our present invitation, and put nothing in front of the partner's door."),
    "prohibited": _("An article prohibits it, and that goes before. It is not shared."),
    "suspended_sender": _("The partner has suspended the exchange: ask its contact point why. What waits stays."),
    "too_fast": _("Nothing by hand: the node waits. If it lasts, ask the partner for a higher limit."),
    "too_large": _("Nothing by hand: it goes in halves. One message that is too large alone: share less in it."),
    "too_many_gaps": _("Nothing by hand: what is missing goes first."),
    "unknown_agreement": _("Ask the contact point to adopt the agreement, or share under one that both have."),
    "unknown_handling": _("Choose a handling level that the partner knows; they are named."),
    "unknown_origin": _("Let the partner and the origin introduce each other first."),
    "wrong_origin": _("Hand on the origin's message as it came."),
    "wrong_recipient": _("The address of this partner is wrong: correct it on the node."),
}


def advice_for(code: str) -> str:
    """What to do about a refusal with this code; empty where the code is not known here."""
    return str(ADVICE.get(code, ""))
