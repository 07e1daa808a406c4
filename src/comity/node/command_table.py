"""Where each subcommand stands, with its help in one line, so that the list of them loads none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subcommand stands. where: module:name. help: the first sentence of its own."""

    where: str
    help: str


COMMANDS = {
    "agreement": Place("comity.cli.agreements:agreement", "Agreements: what may be shared, with whom and for what."),
    "approval": Place(
        "comity.cli.approvals:approval_group",
        "What two officers must agree to: list it, and decide it as the second one.",
    ),
    "assess": Place(
        "comity.cli.assess:assess",
        "Run rules over a table of declarations, screen whom it names, score it with a model; without a node.",
    ),
    "backup": Place(
        "comity.node.backup_commands:backup",
        "Write everything that this node is into FILE, sealed with age, while it runs.",
    ),
    "batch": Place(
        "comity.node.main:batch", "Run several commands in one process, one a line, from FILE or standard input."
    ),
    "case": Place(
        "comity.cli.procedures:case_group", "Cases: procedures that run between this administration and its partners."
    ),
    "clocks": Place(
        "comity.cli.clocks:clocks_group",
        "Legal clocks: the terms of common instruments, and how a deadline is counted.",
    ),
    "conformance": Place(
        "comity.cli.conformance.command:conformance",
        "Check the node at URL against docs/protocol.md, step by step, from outside.",
    ),
    "custody": Place("comity.cli.custody:custody_group", "Custody: who holds what was shared, and what becomes of it."),
    "demo": Place(
        "comity.cli.demo.command:demo",
        "Three invented administrations, a day of their trade, and what follows from it.",
    ),
    "doctor": Place("comity.node.doctor:doctor", "Say what works, what will soon not, and what to do."),
    "evidence": Place(
        "comity.cli.evidence:evidence",
        "Evidence files: photos, scans and X-ray images, offered with a message and fetched chunk by chunk.",
    ),
    "exchange": Place(
        "comity.cli.exchange:exchange", "The exchange: what is on its way, what arrived, what was refused."
    ),
    "import": Place(
        "comity.cli.intake:import_command",
        "Take in declarations and manifests from files, or from every file in a folder and below.",
    ),
    "init": Place(
        "comity.node.commands:init", "Make a node in the home folder: settings, keys, certificates, database."
    ),
    "keys": Place(
        "comity.node.key_commands:keys",
        "Show, renew, withdraw and recover the keys, certificates and key document of this node.",
    ),
    "lab": Place(
        "comity.cli.lab.command:lab",
        "Start several real nodes on this machine and play a scenario on them: "
        "partitions, crashes, wrong clocks, lies.",
    ),
    "lab-node": Place("comity.cli.lab.inside:lab_node", "What `comity lab` does inside one of its nodes."),
    "ledger": Place("comity.cli.ledger:ledger", "Verify the tamper-evident log, prove its entries, check exchanges."),
    "migrate": Place("comity.node.commands:migrate", "Bring the tables to what this version needs."),
    "obligations": Place(
        "comity.cli.clocks:obligations_group",
        "What we owe partners and what they owe us, by when, and how far it has escalated.",
    ),
    "officer": Place("comity.cli.staff:officer", "Add officers, change their roles, disable them."),
    "partner": Place("comity.cli.exchange:partner", "Partners: invite, introduce, look at, suspend."),
    "privacy": Place(
        "comity.cli.privacy:privacy_group",
        "Who saw what for which purpose; what is held about a person; "
        "figures that name nobody; the record of processing.",
    ),
    "procedure": Place("comity.cli.procedures:procedure_group", "Procedures: who may do what when, as files say it."),
    "reciprocity": Place(
        "comity.cli.clocks:reciprocity",
        "What we and a partner asked of each other and gave each other, counted by agreement.",
    ),
    "recover": Place(
        "comity.node.backup_commands:recover",
        "After a restore, go on with the partner CODE that cannot be asked from here: its officer says what it has.",
    ),
    "registers": Place(
        "comity.cli.registers:registers", "Load and show watch lists and registers, screen a name, decide on hits."
    ),
    "restore": Place(
        "comity.node.backup_commands:restore",
        "Make the node of the backup FILE in an empty home, given by --home before the command.",
    ),
    "risk": Place("comity.cli.risk:risk", "Write rule profiles, select goods for inspection, explain why."),
    "serve": Place(
        "comity.node.serve_command:serve",
        "Run the node until Ctrl-C: the console, the API and the log on one port, partner nodes on the other.",
    ),
    "status": Place(
        "comity.node.commands:status", "Say how the node stands: what waits, what is due, partners, the log."
    ),
    "token": Place("comity.cli.staff:token", "Issue and revoke the tokens with which programs use the API."),
}
# group -> modules that add commands to it when they are loaded
FURTHER = {
    "agreement": (
        "comity.cli.agreement_cedar",
        "comity.cli.agreement_texts",
    ),
    "risk": (
        "comity.cli.risk_mirror",
        "comity.cli.risk_learning",
        "comity.cli.risk_models",
        "comity.cli.risk_knowledge",
    ),
    "registers": ("comity.cli.register_partners",),
}
