"""Models of the node at the terminal: put in, approve, promote, retire, compare, train anew, refresh the histories."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.risk_learning import model
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.risk.modelling import life, retraining, views
from comity.risk.modelling.rules import LOCAL, VARIANTS
from comity.risk.modelling.shelves import this_shelf
from comity.risk.modelling.values import Drift, ModelView


def _tell(text: str) -> None:
    click.echo(text, err=True)


@model.command("list")
def list_models() -> None:
    """Print every model of this node with its state, what it learned from and how good it was then."""
    require_home()
    rows = [
        (
            each.name,
            each.state.value,
            f"{each.first_day} to {each.last_day}",
            each.variant,
            _quality(each, "precision"),
            _quality(each, "average_precision"),
            each.proposed_by,
            each.approved_by or "-",
        )
        for each in views.models()
    ]
    say_table(("MODEL", "STATE", "LEARNED FROM", "VARIANT", "P@5", "AP", "PUT IN BY", "APPROVED BY"), rows)
    found = views.standing(now())
    if found.silence:
        click.echo(f"no model speaks in assessments: {found.silence.value} {found.detail}".rstrip())
    else:
        click.echo(f"{found.declarations} declarations in the histories, up to {found.state_until}")


def _quality(shown: ModelView, name: str) -> str:
    quality = shown.card.get("quality_at_5_percent")
    value = quality.get(name) if isinstance(quality, dict) else None
    return f"{value:.3f}" if isinstance(value, float) else "-"


@model.command("show")
@click.argument("model_id")
def show(model_id: str) -> None:
    """Print the card of MODEL_ID (or the beginning of it), its life, how it compares and how far trade has moved."""
    require_home()
    at, shown = now(), views.model(model_id)
    shelf = this_shelf()
    parts = shelf.check(shown.model_id)
    click.echo(f"{shown.model_id}  {shown.state.value}; signed by this node, no part changed")
    for move in shown.moves:
        click.echo(f"{move.at:%Y-%m-%d %H:%M}  {move.to_state.value}  {move.by}  entry {move.log_index}  {move.reason}")
    click.echo(parts.files["card.md"].decode("utf-8", "replace"))
    _say_drift(views.drift(shown, at))
    first = views.champion()
    if first is not None and first.model_id != shown.model_id:
        _say_comparison(first.model_id, shown.model_id)


def _say_drift(found: Drift) -> None:
    click.echo(f"drift: {found.level}")
    say_table(
        ("WHAT", "PSI", "ROWS", "LEVEL"),
        [(each.name, f"{each.index:.3f}", str(each.count), each.level) for each in found.shifts],
    )
    if found.controls:
        click.echo(f"{found.controls} controls in 12 weeks: {found.told:.1%} told, {found.found:.1%} found")


def _say_comparison(champion_id: str, challenger_id: str) -> None:
    found = views.comparison(champion_id, challenger_id, now())
    click.echo(f"{found.controls} controls that both scored, {found.irregular} irregular")
    say_table(
        ("MODEL", "AP", f"HITS AMONG {found.top} HIGHEST", "TOLD", "FOUND"),
        [
            (
                each.model_id[:16],
                _share(each.average_precision),
                _share(each.hit_rate),
                _share(each.told),
                _share(each.found),
            )
            for each in (found.champion, found.challenger)
        ],
    )
    if found.is_guess:
        click.echo("too few controls to prefer one of them")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@model.command("add")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def add(folder: Path) -> None:
    """Put a model from FOLDER, as `model train` wrote it, into the node: checked, signed, entered in the log."""
    require_home()
    model_id = life.enter_model(terminal_actor(), folder=folder, shelf=this_shelf(), at=now())
    click.echo(f"{model_id} waits for approval by another officer")


@model.command("approve")
@click.argument("model_id")
def approve(model_id: str) -> None:
    """Approve MODEL_ID as a challenger: it scores beside the champion, without effect."""
    require_home()
    life.approve_model(terminal_actor(), model_id=model_id, shelf=this_shelf(), at=now())
    click.echo("it is a challenger now")


@model.command("promote")
@click.argument("model_id")
@click.option("--reason", required=True, help="Why, in one sentence; it stands in the audit and in the log.")
def promote(model_id: str, reason: str) -> None:
    """Make MODEL_ID the champion. One that was champion before is brought back in the same way."""
    require_home()
    life.promote_model(terminal_actor(), model_id=model_id, reason=reason, shelf=this_shelf(), at=now())
    click.echo("it is the champion now; what arrives is assessed with it")


@model.command("retire")
@click.argument("model_id")
@click.option("--reason", required=True, help="Why, in one sentence.")
def retire(model_id: str, reason: str) -> None:
    """Let MODEL_ID tell no more. What it told stays."""
    require_home()
    life.retire_model(terminal_actor(), model_id=model_id, reason=reason, shelf=this_shelf(), at=now())
    click.echo("it is retired")


@model.command("retrain")
@click.option(
    "--every-days",
    type=click.IntRange(0, retraining.MOST_DAYS),
    help="Only state when the node trains by itself; 0: never.",
)
@click.option(
    "--variant",
    type=click.Choice(VARIANTS),
    default=LOCAL,
    show_default=True,
    help="exchange: learn from what partners told too, where articles permit it. With --every-days: stated with it.",
)
@click.option("--seed", type=click.IntRange(0, 999_999), default=1, show_default=True)
def retrain(every_days: int | None, variant: str, seed: int) -> None:
    """Train on the node's own history now, and leave the model for approval. Nothing is promoted."""
    require_home()
    if every_days is not None:
        retraining.set_retraining(terminal_actor(), every_days=every_days, variant=variant, at=now())
        told = f"the node trains every {every_days} days, variant {variant}"
        click.echo(told if every_days else "the node does not train by itself")
        return
    model_id = retraining.train_now(terminal_actor(), at=now(), seed=seed, tell=_tell, variant=variant)
    click.echo(f"{model_id} waits for approval by another officer")


@model.command("refresh")
def refresh() -> None:
    """Make the histories by which models speak anew; the node does so each day by itself."""
    require_home()
    retraining.refresh_if_due(now(), _tell, is_asked=True)
    found = views.standing(now())
    click.echo(f"{found.declarations} declarations in the histories, up to {found.state_until}")
