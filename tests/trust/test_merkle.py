"""Merkle trees: known trees, published vectors, a second implementation, properties."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales.tlog import ConsistencyProof, ConsistencyProofInvalid, InclusionProof, InclusionProofInvalid

from comity.trust.errors import ProofError
from comity.trust.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    consistency_ranges,
    fold,
    grow,
    inclusion_path,
    leaf_hash,
    leaf_hashes,
    node_hash,
    perfect_subtrees,
    range_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

KNOWN = json.loads((Path(__file__).parents[1] / "vectors" / "merkle" / "rfc6962.json").read_text())
LEAVES = leaf_hashes(bytes.fromhex(leaf) for leaf in KNOWN["leaves"])
ROOTS = [bytes.fromhex(root) for root in KNOWN["roots"]]


def accepts(check: Callable[[], None]) -> bool:
    """Whether a verification lets pass."""
    try:
        check()
    except ProofError:
        return False
    return True


@pytest.mark.parametrize("size", range(9))
def test_the_known_tree_has_its_known_roots(size: int) -> None:
    assert tree_root(LEAVES[:size]) == ROOTS[size]


@pytest.mark.parametrize("known", KNOWN["inclusion"], ids=str)
def test_known_inclusion_paths(known: dict[str, object]) -> None:
    index, size, path = known["index"], known["size"], [bytes.fromhex(each) for each in known["path"]]
    assert inclusion_path(LEAVES[:size], index) == path
    verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])


@pytest.mark.parametrize("known", KNOWN["consistency"], ids=str)
def test_known_consistency_proofs(known: dict[str, object]) -> None:
    old, new, path = known["old"], known["new"], [bytes.fromhex(each) for each in known["path"]]
    assert consistency_path(LEAVES[:new], old) == path
    verify_consistency(old, new, path, ROOTS[old], ROOTS[new])


# This one calls two equal texts of 12 bytes consistent roots; here they are refused, being no SHA-256 hashes.
NO_HASHES = {"consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"}


def test_published_vectors_good_and_bad(shared_data: Path) -> None:
    folder = shared_data / "vectors" / "merkle"
    files = sorted(folder.rglob("*.json"))
    assert len(files) == 196
    for file in files:
        vector = json.loads(file.read_text())
        wanted = not vector["wantErr"] and str(file.relative_to(folder)) not in NO_HASHES
        assert accepts(lambda vector=vector: _verify(vector)) is wanted, file


def _verify(vector: dict[str, object]) -> None:
    path = [base64.b64decode(each) for each in vector["proof"] or []]
    if "leafIdx" in vector:
        leaf, root = base64.b64decode(vector["leafHash"] or ""), base64.b64decode(vector["root"] or "")
        verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], path, root)
    else:
        old, new = base64.b64decode(vector["root1"] or ""), base64.b64decode(vector["root2"] or "")
        verify_consistency(vector["size1"], vector["size2"], path, old, new)


sizes = st.integers(1, 300)
hash_lists = sizes.map(lambda size: leaf_hashes(b"%d" % each for each in range(size)))


@settings(deadline=None)
@given(hash_lists, st.data())
def test_every_leaf_is_proved_and_a_second_implementation_agrees(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    path, root = inclusion_path(hashes, index), tree_root(hashes)
    verify_inclusion(hashes[index], index, len(hashes), path, root)
    InclusionProof(index, len(hashes), path).check(hashes[index], root)


@settings(deadline=None)
@given(hash_lists, st.data())
def test_every_prefix_is_proved_and_a_second_implementation_agrees(hashes: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(0, len(hashes)))
    path = consistency_path(hashes, old)
    roots = tree_root(hashes[:old]), tree_root(hashes)
    verify_consistency(old, len(hashes), path, *roots)
    ConsistencyProof(old, len(hashes), path).check(*roots)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.lists(st.sampled_from([*LEAVES, *ROOTS]), max_size=7), st.data())
def test_both_implementations_judge_wrong_proofs_alike(
    one: int, two: int, path: list[bytes], data: st.DataObject
) -> None:
    leaf, root = data.draw(st.sampled_from(LEAVES)), data.draw(st.sampled_from(ROOTS))
    try:
        InclusionProof(one, two, path).check(leaf, root)
        theirs = True
    except InclusionProofInvalid:
        theirs = False
    assert accepts(lambda: verify_inclusion(leaf, one, two, path, root)) is theirs
    if 0 < one < two:
        try:
            ConsistencyProof(one, two, list(path)).check(leaf, root)
            theirs = True
        except (ConsistencyProofInvalid, IndexError):
            theirs = False
        assert accepts(lambda: verify_consistency(one, two, path, leaf, root)) is theirs


@settings(deadline=None)
@given(st.lists(st.integers(0, 33), max_size=5))
def test_growing_in_any_steps_gives_the_same_tree(steps: list[int]) -> None:
    hashes = leaf_hashes(b"%d" % each for each in range(sum(steps)))
    frontier = Frontier()
    for step in steps:
        growth = grow(frontier, hashes[frontier.size : frontier.size + step])
        for index in range(frontier.size, frontier.size + step):
            assert growth.inclusion_path(index) == inclusion_path(hashes[: growth.frontier.size], index)
        frontier = growth.frontier
        assert frontier.root == tree_root(hashes[: frontier.size])
        assert Frontier.from_stack(frontier.size, frontier.stack) == frontier


@settings(deadline=None)
@given(st.integers(0, 600), st.integers(0, 600))
def test_growth_names_the_subtrees_that_became_complete(before: int, added: int) -> None:
    hashes = leaf_hashes(b"%d" % each for each in range(before + added))
    growth = grow(grow(Frontier(), hashes[:before]).frontier, hashes[before:])
    for height in (0, 3, 8, 9, 12):
        position, completed = growth.completed(height)
        assert position == before >> height
        assert completed == [
            tree_root(hashes[place << height : (place + 1) << height])
            for place in range(before >> height, (before + added) >> height)
        ]


def test_growth_does_not_know_what_it_did_not_touch() -> None:
    growth = grow(grow(Frontier(), LEAVES[:6]).frontier, LEAVES[6:7])
    assert growth.node(1, 2) == node_hash(LEAVES[4], LEAVES[5])
    for height, position in [(0, 0), (1, 0), (1, 3), (2, 1), (9, 0)]:
        with pytest.raises(ProofError, match="did not touch"):
            growth.node(height, position)
    with pytest.raises(ProofError, match="just appended"):
        growth.inclusion_path(5)


@pytest.mark.parametrize(("size", "stack"), [(5, LEAVES[:1]), (0, LEAVES[:1]), (1, []), (1, [b"short"])])
def test_a_stack_that_does_not_fit_its_size_is_refused(size: int, stack: list[bytes]) -> None:
    with pytest.raises(ProofError, match="does not fit"):
        Frontier.from_stack(size, stack)


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(0, 500))
def test_perfect_subtrees_cover_a_range_once(start: int, length: int) -> None:
    covered: list[int] = []
    for height, position in perfect_subtrees(start, start + length):
        covered += range(position << height, (position + 1) << height)
    assert covered == list(range(start, start + length))


def test_small_things() -> None:
    assert fold([]) == EMPTY_ROOT == Frontier().root
    assert leaf_hash(b"") == LEAVES[0]
    assert range_hash(lambda height, position: LEAVES[position], 3, 4) == LEAVES[3]


def test_what_is_not_in_the_tree_has_no_path() -> None:
    for index in (-1, 8):
        with pytest.raises(ProofError, match="no such entry"):
            inclusion_path(LEAVES, index)
    for old, new in [(-1, 8), (9, 8)]:
        with pytest.raises(ProofError, match="do not rise"):
            consistency_ranges(old, new)


INCLUSION = inclusion_path(LEAVES, 5)
CONSISTENCY = consistency_path(LEAVES, 6)


@pytest.mark.parametrize(
    ("index", "size", "path", "reason"),
    [
        (8, 8, INCLUSION, "outside"),
        (-1, 8, INCLUSION, "outside"),
        (5, 8, [*INCLUSION, LEAVES[0]], "too long"),
        (5, 8, INCLUSION[:-1], "does not lead"),
        (4, 8, INCLUSION, "does not lead"),
        (5, 8, [b"short", *INCLUSION[1:]], "32 bytes"),
    ],
)
def test_a_wrong_inclusion_path_says_why(index: int, size: int, path: list[bytes], reason: str) -> None:
    with pytest.raises(ProofError, match=reason):
        verify_inclusion(LEAVES[5], index, size, path, ROOTS[8])


def test_a_path_that_ends_below_the_root_proves_nothing_even_where_the_hashes_agree() -> None:
    inner = node_hash(LEAVES[0], LEAVES[1])
    for leaf, path, root in ((LEAVES[0], [], LEAVES[0]), (LEAVES[0], [LEAVES[1]], inner)):
        with pytest.raises(ProofError, match="does not lead"):
            verify_inclusion(leaf, 0, 3, path, root)


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        (9, 8, CONSISTENCY, "do not rise"),
        (-1, 8, CONSISTENCY, "do not rise"),
        (6, 8, [], "empty"),
        (6, 8, [*CONSISTENCY, LEAVES[0]], "too long"),
        (6, 8, CONSISTENCY[:-1], "too short"),
        (5, 8, CONSISTENCY, "too short"),
        (6, 8, [b"short", *CONSISTENCY[1:]], "32 bytes"),
        (8, 8, CONSISTENCY, "not consistent"),
        (0, 8, [], "only one root"),
    ],
)
def test_a_wrong_consistency_proof_says_why(old: int, new: int, path: list[bytes], reason: str) -> None:
    with pytest.raises(ProofError, match=reason):
        verify_consistency(old, new, path, ROOTS[6], ROOTS[8])


def test_an_empty_tree_begins_every_tree_and_nothing_else_is_empty() -> None:
    verify_consistency(0, 8, [], EMPTY_ROOT, ROOTS[8])
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(ProofError, match="not consistent"):
        verify_consistency(0, 8, CONSISTENCY, EMPTY_ROOT, ROOTS[8])
    with pytest.raises(ProofError, match="only one root"):
        verify_consistency(0, 0, [], EMPTY_ROOT, ROOTS[8])
