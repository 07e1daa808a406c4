"""The witnesses that an agreement asks for: a policy (C2SP tlog-policy) in which each party is known by its code. Pure.

A party needs no witness line: its cosigner key is that of its key document, so that an agreement outlives the keys of
those who signed it. Anybody else is named with its key.
"""

from __future__ import annotations

from collections.abc import Iterator

from comity.agreements.errors import AgreementFormError
from comity.agreements.markup import Node, Scalar
from comity.agreements.reader import fail, read_text
from comity.agreements.values import Agreement
from comity.trust import Policy, PolicyError, parse_policy


def read_witnesses(node: Node, parties: tuple[str, ...]) -> str:
    """The policy in its one form, so that comments and layout leave no trace in what is signed.

    Raises: AgreementFormError with the line of the agreement and of the policy.
    """
    read_text(node, "witnesses")
    text = node.text if isinstance(node, Scalar) else ""
    try:
        policy = parse_policy(text, known=parties)
    except PolicyError as error:
        where = f"line {node.line}, {error.where} of witnesses"
        raise AgreementFormError(error.what, where=where, remedy=error.remedy) from error
    if policy.logs:
        fail("witnesses names a log", node, "Leave the log lines out: the policy is for the logs of all parties.")
    return policy.text


def witness_policy(agreement: Agreement) -> Policy | None:
    """What an agreement asks of the checkpoints of its parties' logs; None where it asks nothing."""
    if not agreement.witnesses:
        return None
    policy = parse_policy(agreement.witnesses, known=agreement.parties)
    return policy if policy.counted else None


def quorum_troubles(agreement: Agreement) -> Iterator[str]:
    """Why the quorum can never be reached for the log of some party: nobody is a witness of his own log."""
    policy = witness_policy(agreement)
    if policy is None:
        return
    for party in agreement.parties:
        others = [name for name in policy.counted if name != party]
        if not policy.is_met_by(others):
            yield (
                f"The quorum cannot be reached for the log of {party}: even if {' and '.join(others) or 'nobody'}"
                f" cosigned, it would lack the line of {party}, which is no witness of its own log."
            )


def quorum_words(policy: Policy) -> str:
    """The quorum in words, such as: 2 of (XA, XB, XC)."""
    groups = {each.name: each for each in policy.groups}

    def words(name: str) -> str:
        group = groups.get(name)
        if group is None:
            return name
        members = ", ".join(words(member) for member in group.members)
        many = len(group.members)
        asked = {many: "all", 1: "any"}.get(group.threshold, str(group.threshold)) if many > 1 else "all"
        return f"{asked} of ({members})"

    return words(policy.quorum)
