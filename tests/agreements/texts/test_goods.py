"""Sets of lists of HS codes: the same as the conditions of the engine, list by list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements.texts.goods import CodeClasses, GoodsSet, all_within, any_touching, every_list

CODES = ("30", "3004", "300490", "3005", "64", "640411", "9503")
prefixes = st.lists(st.sampled_from(CODES), unique=True, min_size=1, max_size=4).map(tuple)
lists = st.lists(st.sampled_from((*CODES, "3", "", "3099", "640499", "99", "30049012", "é")), max_size=4)


def of(classes: CodeClasses, codes: list[str]) -> set[int]:
    return {classes.of(code) for code in codes}


def touches(code: str, named: tuple[str, ...]) -> bool:
    return code.startswith(named) or any(each.startswith(code) for each in named)


@settings(max_examples=400, deadline=None)
@given(prefixes, prefixes, prefixes, lists)
def test_meeting_and_taking_away_is_exact(
    one: tuple[str, ...], two: tuple[str, ...], three: tuple[str, ...], codes: list[str]
) -> None:
    classes = CodeClasses((*one, *two, *three))
    within, barred, other = all_within(classes, one), any_touching(classes, two), all_within(classes, three)
    listed = of(classes, codes)
    is_in = bool(codes) and all(code.startswith(one) for code in codes)
    is_barred = not codes or any(touches(code, two) for code in codes)
    is_other = bool(codes) and all(code.startswith(three) for code in codes)
    assert within.has(listed) == is_in
    assert barred.has(listed) == is_barred
    assert within.meet(barred).has(listed) == (is_in and is_barred)
    assert within.minus(barred).has(listed) == (is_in and not is_barred)
    assert barred.minus(within).minus(other).has(listed) == (is_barred and not is_in and not is_other)
    left = every_list(classes).minus(within).minus(barred)
    assert left.has(listed) == (not is_in and not is_barred)
    assert not left.meet(within)


@given(prefixes, prefixes)
def test_what_is_taken_away_from_itself_is_empty(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    classes = CodeClasses((*one, *two))
    for each in (all_within(classes, one), any_touching(classes, two), every_list(classes)):
        assert not each.minus(each)
        assert not each.minus(GoodsSet(each.has_none, each.cells))
        assert each.meet(each) == each


def test_a_chapter_that_is_named_whole_still_has_a_code_beyond() -> None:
    classes = CodeClasses(["3", *(f"30{number:02d}" for number in range(100))][1:])
    assert classes.of("30x") != classes.of("3001")


def test_classes_have_names() -> None:
    classes = CodeClasses(("30", "3004", "64"))
    assert list(classes.names(classes.within(("30",)))) == [("within", "30")]
    rest = dict(classes.names(classes.every & ~classes.within(("3004", "64"))))
    assert rest["beyond"] == "30"
    assert rest["others"] == ""
    assert "alone" in rest
