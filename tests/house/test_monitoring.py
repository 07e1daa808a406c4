"""The guide to monitoring: its alert rules are YAML of Prometheus' form and speak of metrics that exist."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide" / "monitoring.md").read_text()
SOURCES = "".join((ROOT / "src" / "comity" / "node" / name).read_text() for name in ("metrics.py", "meters.py"))
NAMED = set(re.findall(r'"(comity_[a-z_]+)"', SOURCES))
SUFFIX = re.compile(r"_total$|_count$|_sum$|_bucket$")


def test_the_alert_rules_are_whole() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (group,) = yaml.safe_load(block)["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names)) >= 10
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
        assert rule["labels"]["severity"] in {"page", "ticket"}
        used = {SUFFIX.sub("", each) for each in re.findall(r"comity_[a-z_]+", rule["expr"])}
        assert used
        assert used <= NAMED


def test_every_metric_is_in_the_guide() -> None:
    told = {SUFFIX.sub("", each) for each in re.findall(r"`(comity_[a-z_]+)`", GUIDE)}
    assert told == NAMED
