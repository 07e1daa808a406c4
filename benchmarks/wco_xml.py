"""WCO Data Model XML into values: documents a CPU second of one core, beside the bare parse of the same bytes.

    .venv/bin/python benchmarks/wco_xml.py [--samples FOLDER] [--rounds 15]

values: `read_wco_xml`, from bytes to a checked Declaration. limit: only the XML parse with the same hardened parser.
Rounds alternate and the best of each is compared. The documents are the published declarations beside the checkout
(../shared/data/wco_dm_cds/samples) where they are, else 150 invented ones of the same size, number of elements and
share of comments. Where the peer xsdata
(with its command line) is importable and the schemas are there, it binds the same documents to generated classes.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from comity.trade import Consignment, Declaration, GoodsItem, HSCode, Money, Party, Place, Seal, TransportEquipment
from comity.trade.formats.wco_xml import read_wco_xml, write_wco_xml
from comity.trade.formats.xml_document import parse_xml
from comity.trade.values import AdditionalInformation, Address, DocumentReference, Packaging

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "data" / "wco_dm_cds"
GOAL = 1_200
LIMIT_BYTES = 1024 * 1024


def invented(count: int) -> list[bytes]:
    """Declarations of one item, commented as the published ones are, each another."""
    address = Address("1 Quay", "Alfaville", "A1", "XA")
    item = GoodsItem(
        1,
        HSCode("851830", "0020"),
        "Wireless headphones with a charging case, black",
        origin="XA",
        gross_mass_kg=Decimal("120.5"),
        net_mass_kg=Decimal("100"),
        packages=(Packaging(20, "CT", "ALFA 1/20"),),
        procedure="4000",
        item_price=Money(Decimal("2500.00"), "EUR"),
        statistical_value=Money(Decimal("2600.00"), "EUR"),
        valuation_method="1",
        duty_regime="100",
        documents=tuple(DocumentReference(f"INV-{number}", "N", "935", "AC") for number in range(8)),
        previous_documents=(DocumentReference("XA-EXP-1", "Y", "DCR", line="1"),),
        additional_information=(AdditionalInformation("00500", "IMPORTER"),) * 5,
    )
    whole = Declaration(
        "L",
        "IMA",
        "9",
        accepted_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
        declarant=Party("XC112233"),
        exporter=Party("XA900100", "Alfa Sound", address),
        importer=Party("XC445566", "Chipo Trading", replace(address, country="XC")),
        country_dispatch="XA",
        country_destination="XC",
        consignment=Consignment(
            place_loading=Place("XAPRT"),
            mode_border="1",
            means_id="IMO9074729",
            transport_equipment=(TransportEquipment("CSQU3054383", (Seal("S1"), Seal("S2"))),),
        ),
        ucr="6XA900100-17",
        items=(item,),
    )
    note = b"\n<!-- Data element: mandatory where the goods are presented on arrival at the border. -->"
    plain = [write_wco_xml(replace(whole, lrn=f"BENCH-{number:06}")) for number in range(count)]
    return [data.replace(b">\n      <", b">" + note * 2 + b"\n      <") for data in plain]


def documents(samples: Path) -> tuple[str, list[bytes]]:
    """What is measured, and its name."""
    found = [path.read_bytes() for path in sorted(samples.rglob("*.xml"))] if samples.is_dir() else []
    declarations = [data for data in found if read_wco_xml(data).record is not None]
    return ("published declarations", declarations) if declarations else ("invented declarations", invented(150))


def best_of(runs: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The least CPU seconds of each, the rounds alternating."""
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for place, run in enumerate(runs):
            start = time.process_time()
            run()
            best[place] = min(best[place], time.process_time() - start)
    return best


def xsdata_peer(folder: Path, schema: Path, corpus: list[bytes]) -> tuple[int, Callable[[], object]] | None:
    """How many documents xsdata binds without an error, and a run over them; nothing where it is not there."""
    if find_spec("xsdata") is None or not schema.is_file():
        return None
    words = [sys.executable, "-m", "xsdata", "generate", str(schema), "--package", "wco_classes"]
    made = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        print(f"xsdata could not generate classes: {made.stderr.strip()[-200:]}")
        return None
    sys.path.insert(0, str(folder))
    classes = importlib.import_module("wco_classes")
    parsers = importlib.import_module("xsdata.formats.dataclass.parsers")
    handlers = importlib.import_module("xsdata.formats.dataclass.parsers.handlers")
    parser = parsers.XmlParser(handler=handlers.LxmlEventHandler)
    bound = []
    for data in corpus:
        try:
            parser.from_bytes(data, classes.MetaData)
        except Exception:  # whatever the peer refuses is left out of its own figure
            continue
        bound.append(data)
    return len(bound), lambda: [parser.from_bytes(data, classes.MetaData) for data in bound]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=PUBLISHED / "samples")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    name, corpus = documents(asked.samples)
    size = sum(map(len, corpus)) / len(corpus)
    values, limit = best_of(
        [
            lambda: [read_wco_xml(data) for data in corpus],
            lambda: [parse_xml(data, limit_bytes=LIMIT_BYTES) for data in corpus],
        ],
        asked.rounds,
    )
    ours, most = len(corpus) / values, len(corpus) / limit
    elements = sum(1 for data in corpus for _ in parse_xml(data, limit_bytes=LIMIT_BYTES).iter()) / len(corpus)
    print(f"{len(corpus)} {name} of {size / 1024:.1f} KiB and {elements:.0f} elements")
    print(f"best of {asked.rounds} rounds, one core, CPU time")
    print(f"into values   {ours:8,.0f} documents/s   {ours * size / 1e6:6.1f} MB/s")
    print(f"bare parse    {most:8,.0f} documents/s   {most * size / 1e6:6.1f} MB/s")
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as folder:
        schema = asked.samples.parent / "xsd" / "declaration" / "DocumentMetaData_2_DMS.xsd"
        peer = xsdata_peer(Path(folder), schema, corpus)
        if peer is None:
            print("xsdata        not installed, or no schemas: no figure")
        else:
            (seconds,) = best_of([peer[1]], max(asked.rounds // 5, 1))
            print(f"xsdata        {peer[0] / seconds:8,.0f} documents/s   ({peer[0]} of {len(corpus)} bound)")
    verdict = "reached" if ours >= GOAL else "missed"
    print(f"ratio {ours / most:.2f} of the bare parse (goal {GOAL:,} documents/s: {verdict})")


if __name__ == "__main__":
    main()
