"""Cutting: only what is named goes out, in lists element by element, and the report says what the cut did."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import cut, paths_of
from comity.agreements.cutting import MAX_DEPTH, FieldSet, split_path
from tests.agreements.strategies import bodies, field_paths

BODY: dict[str, object] = {
    "ref": "R-1",
    "route": {"origin": "XA", "transit": ["XB"]},
    "subjects": [
        {"role": "consignor", "name": "Blue Heron", "id": "XA1"},
        {"role": "consignee", "name": "Grey Otter", "id": "XC9"},
        "a stray word",
        {"name": "nobody"},
    ],
    "hs_codes": ["640411"],
    "empty": [],
    "nothing": {},
}


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ([], {}),
        (["unknown"], {}),
        (["ref"], {"ref": "R-1"}),
        (["route.origin"], {"route": {"origin": "XA"}}),
        (["route"], {"route": {"origin": "XA", "transit": ["XB"]}}),
        (["ref.deeper"], {}),
        (["hs_codes"], {"hs_codes": ["640411"]}),
        (["hs_codes.digits"], {}),
        (["empty", "nothing"], {"empty": [], "nothing": {}}),
        (["nothing.at_all", "empty.at_all"], {}),
        (["subjects.id"], {"subjects": [{"id": "XA1"}, {"id": "XC9"}]}),
        (["subjects[consignor].name"], {"subjects": [{"name": "Blue Heron"}]}),
        (
            ["subjects.role", "subjects[consignor].name"],
            {"subjects": [{"role": "consignor", "name": "Blue Heron"}, {"role": "consignee"}]},
        ),
        (["subjects[consignee]"], {"subjects": [{"role": "consignee", "name": "Grey Otter", "id": "XC9"}]}),
        (["subjects[carrier]"], {}),
        (["route[consignor].origin"], {}),
    ],
)
def test_cut(fields: list[str], left: dict[str, object]) -> None:
    assert cut(BODY, fields) == left


@pytest.mark.parametrize(
    ("never", "left"),
    [
        (["subjects"], {"route": {"origin": "XA", "transit": ["XB"]}}),
        (
            ["route.origin", "subjects.name", "subjects.role", "subjects.id"],
            {"route": {"transit": ["XB"]}, "subjects": ["a stray word"]},
        ),
        (["route.origin", "route.transit", "subjects"], {}),
        (["route.origin.letter", "subjects"], {"route": {"origin": "XA", "transit": ["XB"]}}),
        (
            ["subjects[consignee].name", "subjects[consignee].id", "route"],
            {
                "subjects": [
                    {"role": "consignor", "name": "Blue Heron", "id": "XA1"},
                    {"role": "consignee"},
                    "a stray word",
                    {"name": "nobody"},
                ]
            },
        ),
    ],
)
def test_what_is_never_released_is_taken_out_of_what_is(never: list[str], left: dict[str, object]) -> None:
    assert cut(BODY, ["route", "subjects"], never) == left


def test_an_empty_value_that_is_released_stays_although_something_beneath_it_never_is() -> None:
    body = {"subjects": [], "route": {}}
    assert cut(body, ["subjects", "route"], ["subjects.name", "route.origin"]) == body


def test_paths_name_elements_by_their_role() -> None:
    assert paths_of(BODY) == {
        "ref",
        "route.origin",
        "route.transit",
        "subjects",
        "subjects.name",
        "subjects[consignor].role",
        "subjects[consignor].name",
        "subjects[consignor].id",
        "subjects[consignee].role",
        "subjects[consignee].name",
        "subjects[consignee].id",
        "hs_codes",
        "empty",
        "nothing",
    }
    assert paths_of({}) == frozenset()


@pytest.mark.parametrize("role", ["stranger", "consignor].name", 7, None])
def test_a_role_that_nobody_knows_cannot_pass_for_one(role: object) -> None:
    body = {"subjects": [{"role": role, "name": "N"}]}
    assert paths_of(body) == {"subjects[?].role", "subjects[?].name"}
    assert cut(body, ["subjects[consignor].name", "subjects[?].name"]) == {}


@pytest.mark.parametrize("key", ["route.origin", "subjects[consignor]", 'x".ref."', "Ref", "", " ref"])
def test_a_key_that_looks_like_a_path_is_not_one(key: str) -> None:
    body = {key: "secret"}
    assert cut(body, ["route.origin", "subjects[consignor]", "ref"]) == {}
    released, withheld = FieldSet(["route.origin", "subjects[consignor]", "ref"]).split(paths_of(body))
    assert released == ()
    assert len(withheld) == 1


@pytest.mark.parametrize(
    "path", ["a[x].b[y].c[z].d", "a[x].b[y].c[z].d[w]", "a[x].b[y]", "a[x]", "a[x].b[y].c[z].d." + "e" * 300]
)
@pytest.mark.parametrize(
    ("field", "is_covered"),
    [
        ("a", True),
        ("a[x]", True),
        ("a[y]", False),
        ("a.b[y]", None),
        ("a[x].b", None),
        ("b", False),
        ("a[x].b[z]", False),
    ],
)
def test_a_path_of_many_roles_is_covered_as_any_other(path: str, field: str, is_covered: bool | None) -> None:
    expected = ("b[y]" in path) if is_covered is None else is_covered
    assert FieldSet([field]).covers(path) is expected
    assert FieldSet(["a"], [field]).covers(path) is not expected


def test_paths_stop_at_a_depth() -> None:
    body: dict[str, object] = {"end": 1}
    for _ in range(40):
        body = {"a": body}
    assert paths_of(body) == {".".join(["a"] * MAX_DEPTH)}


def test_a_text_that_is_no_path_has_no_steps() -> None:
    assert split_path("a..b") == ()
    assert split_path("subjects[consignor].name") == (("subjects", "consignor"), ("name", ""))
    assert cut(BODY, ["", "a..b", "subjects[]"]) == {}


def _leaves(value: object, path: str = "") -> set[tuple[str, str]]:
    """Every scalar with the keys that lead to it: an independent walk."""
    if isinstance(value, dict):
        return {leaf for key, item in value.items() for leaf in _leaves(item, f"{path}/{key}")}
    if isinstance(value, list):
        return {leaf for item in value for leaf in _leaves(item, path)}
    return {(path, repr(value))}


@settings(deadline=None)
@given(bodies, st.lists(field_paths, max_size=5), st.lists(field_paths, max_size=3))
def test_cutting_never_leaks(body: dict[str, object], fields: list[str], never: list[str]) -> None:
    before = copy.deepcopy(body)
    left = cut(body, fields, never)
    assert body == before
    assert _leaves(left) <= _leaves(body)
    allowed = {"/" + "/".join(name for name, _ in split_path(field)) for field in fields}
    barred = {"/" + "/".join(name for name, _ in split_path(field)) for field in never if "[" not in field}
    for path, _ in _leaves(left):
        assert any(path == each or path.startswith(f"{each}/") for each in allowed)
        assert not any(path == each or path.startswith(f"{each}/") for each in barred)


@settings(deadline=None)
@given(bodies, st.lists(field_paths, max_size=5), st.lists(field_paths, max_size=3))
def test_the_report_says_what_the_cut_did(body: dict[str, object], fields: list[str], never: list[str]) -> None:
    field_set = FieldSet(fields, never)
    left = field_set.cut(body)
    released, _ = field_set.split(paths_of(body))
    assert _without_roles(paths_of(left)) <= _without_roles(released)
    by_role = any("[" in field for field in fields)
    if not by_role or ("subjects.role" in fields and not {"subjects", "subjects.role"} & set(never)):
        # What went out can be checked by whoever got it: cutting again takes nothing away.
        assert field_set.cut(left) == left
        assert field_set.split(paths_of(left))[1] == ()


def _without_roles(paths: Iterable[str]) -> set[str]:
    return {re.sub(r"\[[^]]*\]", "", path) for path in paths}


@settings(deadline=None)
@given(bodies)
def test_only_elements_of_the_chosen_role_keep_their_name(body: dict[str, object]) -> None:
    left = cut(body, ["subjects[consignor].name"])
    kept = cut(body, ["subjects[consignor]"])
    assert _leaves(left) <= _leaves(kept)
    for element in kept.get("subjects", []):  # type: ignore[attr-defined]  # a list or a list of lists
        assert isinstance(element, list) or element["role"] == "consignor"
