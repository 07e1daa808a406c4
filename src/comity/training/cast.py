"""The invented administrations, their places and traders, and the goods that they trade.

XA, XB and XC are user-assigned codes of ISO 3166: no country bears them. Names of traders and ports are made up;
the HS codes are real (edition 2022), since profiles and agreements speak of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from comity.trade import Place


@dataclass(frozen=True, slots=True)
class Administration:
    """An invented customs administration. owner: the container owner code of its lines."""

    code: str
    name: str
    office: str
    port: Place
    owner: str
    cities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goods:
    """A kind of goods. low, high: usual price in USD per kg of net mass. kg: usual net mass of a package."""

    hs: str
    description: str
    low: float
    high: float
    kg: float
    package: str = "CT"
    is_branded: bool = False


EXPORTER = Administration(
    "XA", "Customs of Alfa", "XA000101", Place("XAPRT", "Port Aster", "XA"), "XAL", ("Aster", "Brindle", "Calder")
)
TRANSIT = Administration(
    "XB", "Customs of Bravo", "XB000201", Place("XBHRB", "Bexhaven", "XB"), "XBL", ("Bexhaven", "Dunmere")
)
IMPORTER = Administration(
    "XC", "Customs of Charlie", "XC000301", Place("XCQAY", "Cove Quay", "XC"), "XCL", ("Cove", "Elmstead", "Farrow")
)
ADMINISTRATIONS = (EXPORTER, TRANSIT, IMPORTER)

SPORTS_SHOES = Goods("640411", "Sports footwear with textile uppers", 18, 35, 9, is_branded=True)
HANDBAGS = Goods("420221", "Handbags of leather", 60, 140, 6, is_branded=True)

GOODS = (
    SPORTS_SHOES,
    HANDBAGS,
    Goods("610910", "T-shirts, knitted, of cotton", 9, 18, 12, is_branded=True),
    Goods("330300", "Perfumes and toilet waters", 30, 90, 8, is_branded=True),
    Goods("910211", "Wrist-watches, electrically operated, mechanical display", 120, 480, 4, is_branded=True),
    Goods("870830", "Brakes and parts of brakes for motor vehicles", 6, 14, 20, is_branded=True),
    Goods("300490", "Medicaments in measured doses", 80, 260, 5, is_branded=True),
    Goods("851713", "Smartphones", 600, 1500, 7),
    Goods("950300", "Toys, scale models and puzzles", 6, 15, 8),
    Goods("940360", "Wooden furniture", 3, 7, 35, "PK"),
    Goods("844399", "Parts of printing machinery and printers", 20, 60, 10),
    Goods("090111", "Coffee, not roasted, not decaffeinated", 3, 6, 60, "BG"),
    Goods("080390", "Bananas, fresh or dried", 0.6, 1.1, 18),
    Goods("721420", "Bars and rods of iron, hot-rolled, with ribs", 0.6, 0.9, 900, "BE"),
    Goods("240220", "Cigarettes containing tobacco", 15, 40, 9),
)

# A lower duty is to be had under these headings: what a false classification claims instead.
CHEAPER_HEADING = {"610910": "630900", "851713": "851762", "940360": "940391", "844399": "847330", "870830": "732690"}

EXPORTER_NAMES = (
    "Aster Mills",
    "Brindle Works",
    "Calder & Daughters",
    "Dovecote Exports",
    "Eastgate Goods",
    "Fennel Trading",
    "Granite Row",
    "Heron Industries",
    "Ivory Lane Makers",
    "Juniper House",
    "Kestrel Supply",
    "Lowmoor Produce",
    "Moss & Reed",
    "Northwharf Steel",
)
IMPORTER_NAMES = (
    "Cove Stores",
    "Dapple Retail",
    "Elmstead Wholesale",
    "Farrow Brothers",
    "Glasshouse Markets",
    "Hollin Imports",
    "Inkwell Supplies",
    "Jetty Motors",
    "Kiln Street Pharmacy Trade",
    "Lantern Foods",
)
FORWARDER_NAMES = ("Straight Line Forwarding", "Harbour Gate Logistics", "Two Rivers Freight", "Bexhaven Transit")
CARRIER_NAMES = ("Alfa Ocean Line", "Bravo Feeder Services")
STORY_CONSIGNOR_NAME = "Larkfield Trading House"
STORY_CONSIGNEE_NAME = "Quayside Sports Retail"
