"""A procedure as a picture: Mermaid text, and an SVG that needs nothing but a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from comity.agreements.procedures.values import SAME, Event, Procedure, State, StateKind

_BOX_WIDTH, _BOX_HEIGHT, _ROW, _LEFT, _TOP, _LANE = 220, 44, 76, 24, 64, 26
_LETTER = 6.6
_FILLS = {StateKind.OPEN: "#e8f1fb", StateKind.WAITING: "#fdf4dc", StateKind.CLOSED: "#e9ecef"}


def mermaid(procedure: Procedure, language: str) -> str:
    """The states and events as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    %% {procedure.title.in_(language)}, edition {procedure.edition}"]
    for state in procedure.states:
        lines.append(f"    {state.name}: {_plain(state.title.in_(language))}")
    lines.append(f"    [*] --> {procedure.initial.name}")
    for source, to, event in _moves(procedure):
        lines.append(f"    {source.name} --> {to.name}: {_plain(_label(procedure, event, language))}")
    lines += [f"    {state.name} --> [*]" for state in procedure.states if state.kind is StateKind.CLOSED]
    return "\n".join(lines) + "\n"


def svg(procedure: Procedure, language: str) -> str:
    """The same as an SVG of its own, with a title and a description of every move for who does not see it."""
    rows = {state.name: number for number, state in enumerate(procedure.states)}
    moves = [(source, to, event) for source, to, event in _moves(procedure) if to is not source]
    lanes = {pair: lane for lane, pair in enumerate(dict.fromkeys((s.name, t.name) for s, t, _ in moves))}
    width = _LEFT * 2 + _BOX_WIDTH + _LANE * (len(lanes) + 1) + 40
    height = _TOP + _ROW * len(procedure.states)
    title, name = procedure.title.in_(language), f"procedure-{procedure.name}"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc" font-family="sans-serif" font-size="12">'
        ),
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(" ".join(described(procedure, language)))}</desc>',
        (
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#333"/></marker></defs>'
        ),
        f'<text x="{_LEFT}" y="28" font-size="16" font-weight="bold">{escape(title)}</text>',
    ]
    for (source, to), lane in lanes.items():
        labels = [_label(procedure, event, language) for s, t, event in moves if (s.name, t.name) == (source, to)]
        parts.append(_arrow(rows[source], rows[to], lane, "; ".join(labels)))
    parts += [_box(state, rows[state.name], language) for state in procedure.states]
    return "\n".join([*parts, "</svg>"]) + "\n"


def described(procedure: Procedure, language: str) -> Iterator[str]:
    """One sentence for every move, in words."""
    for source, to, event in _moves(procedure):
        label = _label(procedure, event, language)
        yield f"{source.title.in_(language)} → {to.title.in_(language)}: {label}."


def _moves(procedure: Procedure) -> Iterator[tuple[State, State, Event]]:
    for event in procedure.events:
        for name in event.sources:
            yield procedure.state(name), procedure.state(name if event.to == SAME else event.to), event


def _label(procedure: Procedure, event: Event, language: str) -> str:
    if event.is_of_time:
        return f"{event.title.in_(language)} [{procedure.clock(event.clock).term.text}]"
    who = ", ".join(procedure.role(role).title.in_(language) for role in event.by)
    return f"{event.title.in_(language)} ({who})"


def _plain(text: str) -> str:
    """Mermaid ends a label at a semicolon and reads a colon as its beginning."""
    return text.replace(":", " –").replace(";", ",").replace("\n", " ")


def _box(state: State, row: int, language: str) -> str:
    y = _TOP + row * _ROW
    stroke = 'stroke-width="2"' if state.kind is StateKind.CLOSED else 'stroke-width="1"'
    text = state.title.in_(language)
    most = int(_BOX_WIDTH / _LETTER) - 2
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    return (
        f'<g><rect x="{_LEFT}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6" '
        f'fill="{_FILLS[state.kind]}" stroke="#333" {stroke}/>'
        f'<text x="{_LEFT + _BOX_WIDTH / 2:g}" y="{y + _BOX_HEIGHT / 2 + 4:g}" text-anchor="middle">'
        f"{escape(shown)}</text></g>"
    )


def _arrow(source: int, to: int, lane: int, label: str) -> str:
    right = _LEFT + _BOX_WIDTH
    x = right + _LANE * (lane + 1)
    begin = _TOP + source * _ROW + _BOX_HEIGHT * 0.7
    end = _TOP + to * _ROW + _BOX_HEIGHT * 0.3
    return (
        f'<g><path d="M{right} {begin:g} H{x} V{end:g} H{right + 1}" fill="none" stroke="#333" '
        f'marker-end="url(#arrow)"/><title>{escape(label)}</title></g>'
    )
