"""The cast of these tests: one composition of each template, and how a clause is put into an agreement alone."""

from __future__ import annotations

from comity.agreements import Agreement, parse_agreement
from comity.agreements.library import Composition, compose, shipped_library
from comity.agreements.library.values import Clause, Library, ParameterType, Placed, Template
from comity.agreements.values import Wording

OPERATION = {"from": "2026-03-01", "until": "2026-03-31", "evaluation_until": "2026-06-30", "goods": "24"}
COMPOSITIONS = {
    "bilateral-mou": Composition("bilateral-mou", {"": ("XA", "XB")}, {"from": "2026-01-01"}),
    "customs-union": Composition("customs-union", {"": ("XA", "XB", "XC")}, {"from": "2026-01-01"}),
    "regional-initiative": Composition(
        "regional-initiative", {"full": ("XA", "XB"), "light": ("XC",)}, {"from": "2026-01-01"}
    ),
    "joint-operation": Composition("joint-operation", {"lead": ("XA",), "participants": ("XB", "XC")}, OPERATION),
}


def composed(composition: Composition) -> Agreement:
    """The agreement that the shipped library makes of this."""
    return parse_agreement(compose(shipped_library(), composition).encode())


def alone(clause: Clause) -> Agreement:
    """An agreement of two parties that has this clause for its only article."""
    blank = Wording((("en", "Alone"), ("fr", "Seul")))
    states = shipped_library().templates[1].roles[0]
    needed = {
        each.name: {ParameterType.DAY: "2026-01-01", ParameterType.GOODS: "24"}.get(each.type, "")
        for each in clause.parameters
        if each.default is None and each.type is not ParameterType.PARTIES
    }
    template = Template(
        id="alone",
        title=blank,
        summary=blank,
        roles=(states,),
        parameters=tuple(each for each in shipped_library().templates[1].parameters if each.name == "languages"),
        form={
            "title": {"en": "Alone", "fr": "Seul"},
            "version": "1",
            "parties": "$members",
            "languages": "$languages",
            "in_force": {"from": "2026-01-01"},
        },
        articles=(Placed("1", clause.id, {name: text for name, text in needed.items() if text}),),
    )
    library = Library(shipped_library().instruments, (template,))
    return parse_agreement(compose(library, Composition("alone", {"": ("XA", "XB")})).encode())
