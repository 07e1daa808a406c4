"""From nothing to three nodes that know each other and are bound by one agreement."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

from comity.cli.demo.cast import STAFF, SignIn, new_password
from comity.cli.demo.nodes import DemoError, DemoNode, command, commands
from comity.training.tables import MAPPING_NAME, mapping_yaml

_TOKEN = "comity_"  # noqa: S105  # how the line with a token begins


def settle(nodes: Sequence[DemoNode]) -> Mapping[str, tuple[SignIn, SignIn]]:
    """Make the nodes, their officers and tokens; introduce each to each; sign and adopt the agreement.

    Returns the sign-ins of each administration. Raises: DemoError.
    """
    with ThreadPoolExecutor() as pool:
        list(pool.map(_init, nodes))
    password = new_password()
    printed = commands([(node, _people(node, password)) for node in nodes])
    sign_ins = {node.code: _sign_ins(node, password, out) for node, out in zip(nodes, printed, strict=True)}
    commands([(node, _introductions(node, nodes)) for node in nodes])
    commands([(node, [_adoption(nodes)]) for node in nodes])
    return sign_ins


def _init(node: DemoNode) -> str:
    node.home.mkdir(parents=True)
    ports = ("--console-port", str(node.console_port), "--partners-port", str(node.partners_port))
    printed = command(node, "init", "--administration", node.code, "--name", node.name, *ports)
    (node.home / "mappings" / f"{MAPPING_NAME}.yaml").write_bytes(mapping_yaml())
    return printed


def _people(node: DemoNode, password: str) -> list[str]:
    lines = []
    for person in STAFF[node.code]:
        roles = " ".join(f"--role {role.value}" for role in person.roles)
        name = shlex.quote(person.full_name)
        lines.append(f"officer add {person.username} --full-name {name} {roles} --password {password}")
        lines.append(f"token issue {person.username}-desk {roles} --officer {person.username}")
    lines.append(f"partner invite {shlex.quote(str(invitation(node)))}")
    return lines


def _sign_ins(node: DemoNode, password: str, printed: str) -> tuple[SignIn, SignIn]:
    tokens = [line.strip() for line in printed.splitlines() if line.startswith(_TOKEN)]
    if len(tokens) != len(STAFF[node.code]):
        raise DemoError("A token was not printed", where=f"node {node.code}: {printed}")
    first, second = (SignIn(person, password, token) for person, token in zip(STAFF[node.code], tokens, strict=True))
    return first, second


def invitation(node: DemoNode) -> Path:
    """The invitation that the node gives to its partners."""
    return node.home / "invitation.json"


def _introductions(node: DemoNode, nodes: Sequence[DemoNode]) -> list[str]:
    """In the demo all three sit at one table, so nobody reads fingerprints aloud: --yes."""
    lines = [f"partner introduce {shlex.quote(str(invitation(other)))} --yes" for other in nodes if other != node]
    lines.append(f"agreement sign {shlex.quote(str(agreement_path()))} --out {shlex.quote(str(_signed(node)))}")
    return lines


def _adoption(nodes: Sequence[DemoNode]) -> str:
    return "agreement adopt " + " ".join(shlex.quote(str(_signed(each))) for each in nodes)


def _signed(node: DemoNode) -> Path:
    return node.home / "agreement.signed.json"


def agreement_path() -> Path:
    """The demo's agreement, as YAML."""
    return Path(str(resources.files("comity.training") / "agreement" / "agreement.yaml"))
