"""What commands that tell partners something have in common: whom, for what, at which level."""

from __future__ import annotations

import click

from comity.journeys.share import ShareResult
from comity.trade import Handling

FOR_PURPOSE = click.option(
    "--purpose", type=click.Choice(["risk_assessment", "control"]), default="risk_assessment", show_default=True
)
TO_PARTNERS = click.option("--to", "partners", multiple=True, required=True, help="A partner; say it again for each.")
AT_LEVEL = click.option(
    "--handling",
    type=click.Choice([level.word for level in Handling]),
    default=Handling.OFFICIAL.word,
    show_default=True,
    help="From restricted upwards a second officer approves.",
)


def say_shared(result: ShareResult) -> None:
    """Print what is on its way, or which proposal waits."""
    for recipient, message_id in result.posted:
        click.echo(f"{message_id} is on its way to {recipient}")
    if result.proposal_id:
        click.echo(f"A second officer must approve it: {result.proposal_id}")
