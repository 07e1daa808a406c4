"""Policies of witnesses (C2SP tlog-policy): what is read, what is refused by line, and which checkpoints count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trust.errors import NoteError
from comity.trust.keys import SigningKey
from comity.trust.notes import Checkpoint, LogSigner, NoteKind, add_signatures, sign_note
from comity.trust.policy import MAX_CHARS, MAX_NAMES, Group, Policy, PolicyError, QuorumError, parse_policy

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LOG = LogSigner("alfa.example/log", SigningKey.from_seed(b"l" * 32))
OTHER_LOG = LogSigner("bravo.example/log", SigningKey.from_seed(b"m" * 32))
WITNESSES = [
    LogSigner(f"{name}.example/w", SigningKey.from_seed(bytes([number + 1]) * 32), NoteKind.COSIGNATURE)
    for number, name in enumerate(("x1", "x2", "x3", "y1", "y2", "y3"))
]
X1, X2, X3, Y1, Y2, Y3 = WITNESSES
TEXT = Checkpoint(LOG.name, 7, b"\7" * 32).text

# The example of tlog-policy, with keys: two of X, and any of Y.
EXAMPLE = f"""
# two levels
log {LOG.vkey}

witness X1 {X1.vkey}
\twitness X2\t{X2.vkey}  https://x2.example/
witness X3 {X3.vkey}
group X-witnesses 2 X1 X2 X3

 witness Y1 {Y1.vkey}
witness Y2 {Y2.vkey}
witness Y3 {Y3.vkey}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def note(*cosigners: LogSigner, log: LogSigner = LOG, at: datetime = AT) -> str:
    return sign_note(Checkpoint(log.name, 7, b"\7" * 32).text, log, *cosigners, at=at)


def test_the_specifications_example_counts_as_it_says() -> None:
    policy = parse_policy(EXAMPLE)
    names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    for size in range(7):
        for chosen in combinations(range(6), size):
            xs, ys = sum(each < 3 for each in chosen), sum(each >= 3 for each in chosen)
            weighed = policy.weigh(note(*(WITNESSES[each] for each in chosen)))
            assert weighed.is_met == (xs >= 2 and ys >= 1)
            assert sorted(weighed.seen_by) == [names[each] for each in chosen]
            assert [*weighed.missing] == [name for name in names if name not in weighed.seen_by]
    assert policy.counted == tuple(names)


def test_it_is_written_back_in_one_form() -> None:
    policy = parse_policy(EXAMPLE)
    assert parse_policy(policy.text) == policy
    assert policy.text.splitlines()[:3] == [
        f"log {LOG.vkey}",
        f"witness X1 {X1.vkey}",
        f"witness X2 {X2.vkey} https://x2.example/",
    ]
    assert policy.text.endswith(
        "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )


def test_without_a_quorum_the_logs_signature_is_enough() -> None:
    policy = parse_policy(f"log {LOG.vkey} https://alfa.example/log\nquorum none")
    weighed = policy.satisfied(note())
    assert (weighed.is_met, weighed.seen_by, weighed.missing, policy.counted) == (True, {}, (), ())
    assert weighed.checkpoint.size == 7
    assert parse_policy(policy.text) == policy


def test_a_quorum_that_is_not_there_is_refused_by_name() -> None:
    policy = parse_policy(f"witness X1 {X1.vkey}\nwitness X2 {X2.vkey}\ngroup both all X1 X2\nquorum both")
    with pytest.raises(QuorumError, match=r"seen by X1.*missing X2") as refused:
        policy.satisfied(note(X1), log=LOG.verifier)
    assert refused.value.missing == ("X2",)
    with pytest.raises(QuorumError, match="seen by no witness"):
        policy.satisfied(note(), log=LOG.verifier)
    assert policy.satisfied(note(X1, X2), log=LOG.verifier).seen_by == dict.fromkeys(("X1", "X2"), int(AT.timestamp()))


def test_only_the_logs_of_the_policy_count() -> None:
    policy = parse_policy(f"log {LOG.vkey}\nlog {OTHER_LOG.vkey}\nquorum none")
    assert policy.weigh(note(log=OTHER_LOG)).checkpoint.origin == OTHER_LOG.name
    stranger = LogSigner("chipo.example/log", SigningKey.from_seed(b"n" * 32))
    for shown, log in ((note(log=stranger), None), (note(), OTHER_LOG.verifier), (note(), stranger.verifier)):
        with pytest.raises(NoteError, match="not of a log"):
            policy.weigh(shown, log=log)
    forged = sign_note(TEXT, LogSigner(LOG.name, SigningKey.from_seed(b"z" * 32)), at=AT)
    with pytest.raises(NoteError):
        policy.weigh(forged)
    with pytest.raises(NoteError, match="not of a log"):
        parse_policy("quorum none").weigh(note())


def test_a_wrong_cosignature_fails_and_a_strangers_is_ignored() -> None:
    policy = parse_policy(f"witness X1 {X1.vkey}\nquorum X1")
    of_another = X1.sign(Checkpoint(LOG.name, 8, b"\7" * 32).text, AT)
    with pytest.raises(NoteError, match="wrong"):
        policy.weigh(add_signatures(note(), [of_another]), log=LOG.verifier)
    assert policy.weigh(note(X2), log=LOG.verifier).missing == ("X1",)


def test_known_names_keep_their_place_when_they_change_their_key() -> None:
    policy = parse_policy("group partners 1 XB XC\nquorum partners", known=("XA", "XB", "XC"))
    keys = {"XA": [X1.verifier], "XB": [X2.verifier, X3.verifier]}
    assert policy.weigh(note(X2), log=LOG.verifier, keys=keys).is_met
    assert policy.weigh(note(X3), log=LOG.verifier, keys=keys).seen_by == {"XB": int(AT.timestamp())}
    assert not policy.weigh(note(Y1), log=LOG.verifier, keys=keys).is_met
    assert not policy.weigh(note(X2), log=LOG.verifier).is_met


def test_the_newest_of_two_cosignatures_counts() -> None:
    policy = parse_policy("quorum XB", known=("XB",))
    both = add_signatures(note(X2, at=AT + timedelta(hours=1)), [X3.sign(TEXT, AT)])
    weighed = policy.weigh(both, log=LOG.verifier, keys={"XB": [X2.verifier, X3.verifier]})
    assert weighed.seen_by == {"XB": int(AT.timestamp()) + 3600}


def test_nobody_witnesses_his_own_log() -> None:
    policy = parse_policy("group two 2 XA XB XC\nquorum two", known=("XA", "XB", "XC"))
    keys = {"XA": [X1.verifier], "XB": [X2.verifier], "XC": [X3.verifier]}
    weighed = policy.weigh(note(X1, X2), log=LOG.verifier, keys=keys, owner="XA")
    assert (weighed.is_met, [*weighed.seen_by], weighed.missing) == (False, ["XB"], ("XC",))
    assert policy.weigh(note(X2, X3), log=LOG.verifier, keys=keys, owner="XA").is_met


def test_a_plain_signature_of_a_witness_key_is_no_cosignature() -> None:
    policy = parse_policy("quorum XB", known=("XB",))
    plain = LogSigner(X2.name, X2.key)
    weighed = policy.weigh(note(plain), log=LOG.verifier, keys={"XB": [plain.verifier]})
    assert not weighed.is_met


def test_known_names_get_lines_for_other_programs() -> None:
    policy = parse_policy(f"witness lab {Y1.vkey}\ngroup g 2 XA XB lab\nquorum g", known=("XA", "XB", "XC"))
    whole = policy.with_keys({"XA": X1.verifier, "XB": X2.verifier})
    assert parse_policy(whole.text) == whole
    assert whole.satisfied(note(X1, Y1), log=LOG.verifier).is_met
    with pytest.raises(PolicyError, match="XB"):
        policy.with_keys({"XA": X1.verifier})


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", "end", "no quorum line"),
        ("quorum", "line 1", "one word"),
        ("\nquorum a b", "line 2", "one word"),
        ("quorum none\nquorum none", "line 2", "second quorum"),
        ("quorum x", "line 1", "Nothing above is named 'x'"),
        ("quorums none", "line 1", "begins with 'quorums'"),
        ("log", "line 1", "log line"),
        (f"log {LOG.vkey} a b", "line 1", "log line"),
        (f"log {X1.vkey}", "line 1", "wrong type"),
        ("log alfa+1+2", "line 1", "verifier key"),
        (f"log {LOG.vkey}\nlog {LogSigner('b', LOG.key).vkey}", "line 2", "Two logs have one key"),
        (f"witness {X1.vkey}", "line 1", "witness line"),
        (f"witness w {LOG.vkey}", "line 1", "wrong type"),
        (f"witness w {X1.vkey}\nwitness w {X2.vkey}", "line 2", "'w' is taken"),
        (f"witness none {X1.vkey}", "line 1", "'none' is taken"),
        (f"witness XA {X1.vkey}", "line 1", "known already"),
        (f"witness a {X1.vkey}\nwitness b {LogSigner('b', X1.key, NoteKind.COSIGNATURE).vkey}", "line 2", "one key"),
        ("group g any", "line 1", "a name, how many"),
        ("group g any XA\ngroup g any XB", "line 2", "'g' is taken"),
        ("group g any none", "line 1", "none is no member"),
        ("group g any h\ngroup h any XA", "line 1", "Nothing above is named 'h'"),
        ("group g any g", "line 1", "Nothing above is named 'g'"),
        ("group g 0 XA", "line 1", "'0'"),
        ("group g 2 XA", "line 1", "Write any, all, or 1 to 1"),
        ("group g 01 XA", "line 1", "'01'"),
        ("group g most XA", "line 1", "'most'"),
        ("group g any XA XA", "line 1", "member twice"),
        ("group g any XA\ngroup h any XA XB", "line 2", "stands in group g already"),
        ("quorum XA\r", "line 1", "character '\\r'"),
        ("quorum XA\u00a0", "line 1", "Nothing above"),
        ("quorum \ud800", "line 1", "character"),
        ("#" * (MAX_CHARS + 1), "line 1", "too long"),
        ("\n".join(f"group g{n} any {'XA' if n == 0 else f'g{n - 1}'}" for n in range(MAX_NAMES + 1)), "", "more than"),
    ],
)
def test_what_is_wrong_is_said_by_line(text: str, line: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, known=("XA", "XB"))
    assert said in str(refused.value)
    assert line in refused.value.where


names = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="#"), min_size=1, max_size=8).filter(
    lambda name: name not in ("none", "XA", "XB")
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies of any shape: witnesses with keys and known ones, groups of what stands above."""
    given_names = draw(st.lists(names, max_size=8, unique=True))
    lines, free = [], ["XA", "XB"]
    witnesses = given_names[: draw(st.integers(0, min(6, len(given_names))))]
    for name, signer in zip(witnesses, WITNESSES, strict=False):
        lines.append(f"witness {name} {signer.vkey}")
        free.append(name)
    for name in given_names[len(witnesses) :]:
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if members:
            asked = draw(st.sampled_from(["any", "all", str(draw(st.integers(1, len(members))))]))
            lines.append(f"group {name} {asked} {' '.join(members)}")
            free = [each for each in free if each not in members] + [name]
    lines.append(f"quorum {draw(st.sampled_from([*free, 'none']))}")
    return parse_policy("\n".join(lines), known=("XA", "XB"))


@given(policies())
def test_what_was_read_is_written_and_read_again(policy: Policy) -> None:
    again = parse_policy(policy.text, known=("XA", "XB"))
    assert again == policy
    assert again.text == policy.text


@given(policies(), st.data())
def test_more_witnesses_never_make_a_quorum_less(policy: Policy, data: st.DataObject) -> None:
    few = data.draw(st.sets(st.sampled_from([*policy.counted, "stranger"])))
    more = few | data.draw(st.sets(st.sampled_from([*policy.counted, "stranger"])))
    assert policy.is_met_by(more) or not policy.is_met_by(few)
    assert policy.is_met_by(policy.counted)


@given(policies(), st.data())
def test_the_quorum_is_what_counting_by_hand_gives(policy: Policy, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.sampled_from(policy.counted))) if policy.counted else set()
    groups = {each.name: each for each in policy.groups}

    def count(name: str) -> bool:
        group: Group | None = groups.get(name)
        if group is None:
            return name in chosen or name == "none"
        return len([each for each in group.members if count(each)]) >= group.threshold

    assert policy.is_met_by(chosen) == count(policy.quorum)


@given(st.text(max_size=200) | st.text("group quorm witnesslXAB12anyall \n\t#", max_size=200))
def test_garbage_is_refused_by_name(text: str) -> None:
    try:
        policy = parse_policy(text, known=("XA", "XB"))
    except PolicyError:
        return
    assert parse_policy(policy.text, known=("XA", "XB")) == policy


@given(st.text(max_size=60))
def test_a_groups_name_never_counts_as_a_witness(name: str) -> None:
    policy = parse_policy("group g all XA XB\nquorum g", known=("XA", "XB"))
    assert not policy.is_met_by({"g", name} - {"XA", "XB"})
