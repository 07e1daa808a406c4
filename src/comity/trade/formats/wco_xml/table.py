"""Where each field stands in the WCO Data Model: one table, read forwards by the reader and backwards by the writer.

Paths follow the declaration (DEC) and the cargo report of WCO DM 3.x; classes within a class are in the order of the
model. An alternate is a second place of a field that is read, never written; it stands after the first in documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from comity.trade.codes import check_container, check_country, check_trader, check_vessel
from comity.trade.formats import assembly as parts
from comity.trade.formats.assembly import Builder, Splitter
from comity.trade.values import Problem

Check = Callable[[str], Problem | None]


class Op(IntEnum):
    """What stands in an element."""

    TEXT = 0
    NUMBERED = 1  # a sequence number that the position repeats
    COUNT = 2
    MASS = 3
    MONEY = 4
    QUANTITY = 5
    MOMENT = 6
    GROUP = 7  # a class whose fields belong to its parent
    NOUN = 8  # a class that is one value
    LIST = 9  # a class that repeats
    CHOICE = 10  # a class that repeats, of which some kinds are fields


@dataclass(frozen=True, slots=True)
class Step:
    """One element of the table. key: the flat field. kinds: for a CHOICE, the flat field of each type code."""

    op: Op
    key: str = ""
    check: Check | None = None
    table: Table = field(default_factory=dict)
    build: Builder | None = None
    split: Splitter | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    is_alternate: bool = False


Table = Mapping[str, Step]


def _text(key: str, check: Check | None = None) -> Step:
    return Step(Op.TEXT, key, check)


def _also(step: Step) -> Step:
    return replace(step, is_alternate=True)


def _group(table: Table) -> Step:
    return Step(Op.GROUP, table=table)


def _list(key: str, table: Table, build: Builder, split: Splitter) -> Step:
    return Step(Op.LIST, key, None, table, build, split)


def _party(key: str) -> Step:
    return Step(Op.NOUN, key, None, _PARTY, parts.build_party, parts.split_party)


def _place(key: str) -> Step:
    return Step(Op.NOUN, key, None, _PLACE, parts.build_place, parts.split_place)


def _documents(key: str, table: Table) -> Step:
    return _list(key, table, parts.build_document, parts.split_document)


_NUMBER = Step(Op.NUMBERED)


def _party_table(prefix: str = "") -> Table:
    return {
        "Name": _text(f"{prefix}name"),
        "ID": _text(f"{prefix}id", check_trader),
        "Address": _group(
            {
                "CityName": _text(f"{prefix}city"),
                "CountryCode": _text(f"{prefix}country", check_country),
                "Line": _text(f"{prefix}line"),
                "PostcodeID": _text(f"{prefix}postcode"),
            }
        ),
    }


_PARTY = _party_table()
_PLACE: Table = {
    "Name": _text("name"),
    "ID": _text("code"),
    "Address": _group({"CountryCode": _text("country", check_country)}),
}
_STATEMENTS = _list(
    "additional_information",
    {"StatementCode": _text("code"), "StatementDescription": _text("text")},
    parts.build_statement,
    parts.split_statement,
)
_PREVIOUS = _documents(
    "previous_documents",
    {
        "CategoryCode": _text("category"),
        "ID": _text("id"),
        "TypeCode": _text("type"),
        "LineNumeric": _text("line"),
    },
)
_EQUIPMENT = _list(
    "transport_equipment",
    {
        "SequenceNumeric": _NUMBER,
        "ID": _text("id", check_container),
        "Seal": _list("seals", {"SequenceNumeric": _NUMBER, "ID": _text("id")}, parts.build_seal, parts.split_seal),
    },
    parts.build_equipment,
    parts.split_equipment,
)
# UN/EDIFACT 1001: 704 master bill of lading, 705 bill of lading, 740 air waybill, 741 master air waybill,
# 703 house waybill, 714 house bill of lading. The first code of each is the one that is written.
_BILLS = Step(
    Op.CHOICE,
    table={"ID": _text("value"), "TypeCode": _text("kind")},
    kinds={
        "704": "master_bill",
        "714": "house_bill",
        "705": "master_bill",
        "740": "master_bill",
        "741": "master_bill",
        "703": "house_bill",
    },
)
_CLASSIFICATION = Step(
    Op.CHOICE,
    table={"ID": _text("value"), "IdentificationTypeCode": _text("kind")},
    kinds={"TSP": "hs_code", "TRC": "hs_more", "HS": "hs_code", "": "hs_code"},
)
_ROUTING = _list(
    "routing",
    {"SequenceNumeric": _NUMBER, "RoutingCountryCode": _text("country", check_country)},
    lambda flat: flat.get("country", ""),
    lambda country: {"country": country},
)
_GROSS, _NET = Step(Op.MASS, "gross_mass_kg"), Step(Op.MASS, "net_mass_kg")
_TARIFF_QUANTITY = Step(Op.QUANTITY, "supplementary_quantity")
_MODE = _text("mode_border")
_NATIONALITY = _text("means_nationality", check_country)
_MEANS = _text("means_id", check_vessel)
_JOURNEY = _text("conveyance_ref")
_BORDER: Table = {
    "ID": _MEANS,
    "RegistrationNationalityCode": _NATIONALITY,
    "ModeCode": _MODE,
    "JourneyID": _JOURNEY,
}
_UCR = _group({"ID": _also(_text("ucr")), "TraderAssignedReferenceID": _text("ucr")})

_ITEM: Table = {
    "SequenceNumeric": Step(Op.COUNT, "item_no"),
    "StatisticalValueAmount": Step(Op.MONEY, "statistical_value"),
    "AdditionalDocument": _documents(
        "documents",
        {
            "CategoryCode": _text("category"),
            "ID": _text("id"),
            "TypeCode": _text("type"),
            "LPCOExemptionCode": _text("status"),
        },
    ),
    "AdditionalInformation": _STATEMENTS,
    "Commodity": _group(
        {
            "Description": _text("description"),
            "CUS": _text("cas_or_cus"),
            "Classification": _CLASSIFICATION,
            "DangerousGoods": _group({"UNDGID": _text("un_dangerous_goods")}),
            "DutyTaxFee": _group({"DutyRegimeCode": _text("duty_regime")}),
            "GoodsMeasure": _group(
                {"GrossMassMeasure": _GROSS, "NetNetWeightMeasure": _NET, "TariffQuantity": _TARIFF_QUANTITY}
            ),
            "InvoiceLine": _group({"ItemChargeAmount": Step(Op.MONEY, "item_price")}),
        }
    ),
    "Consignee": _party("consignee"),
    "Consignor": _party("consignor"),
    "CustomsValuation": _group({"MethodCode": _text("valuation_method")}),
    "GoodsMeasure": _group(
        {
            "GrossMassMeasure": _also(_GROSS),
            "NetNetWeightMeasure": _also(_NET),
            "TariffQuantity": _also(_TARIFF_QUANTITY),
        }
    ),
    "GovernmentProcedure": _group(
        {"CurrentCode": _text("procedure_current"), "PreviousCode": _text("procedure_previous")}
    ),
    "Origin": _group({"CountryCode": _text("origin", check_country)}),
    "Packaging": _list(
        "packages",
        {
            "SequenceNumeric": _NUMBER,
            "MarksNumbersID": _text("marks"),
            "QuantityQuantity": Step(Op.COUNT, "quantity"),
            "TypeCode": _text("type"),
        },
        parts.build_packaging,
        parts.split_packaging,
    ),
    "PreviousDocument": _PREVIOUS,
}

_SHIPMENT: Table = {
    "TransactionNatureCode": _text("transaction_nature"),
    "Consignee": _party("consignee"),
    "Consignment": _group(
        {
            "ArrivalTransportMeans": _group({"ID": _also(_MEANS)}),
            "Carrier": _also(_party("carrier")),
            "Consignee": _also(_party("consignee")),
            "Consignor": _also(_party("consignor")),
            "DepartureTransportMeans": _group({"ID": _also(_MEANS)}),
            "GoodsLocation": _place("goods_location"),
            "LoadingLocation": _place("place_loading"),
            "TransportContractDocument": _BILLS,
            "TransportEquipment": _EQUIPMENT,
            "UnloadingLocation": _place("place_unloading"),
        }
    ),
    "Consignor": _party("consignor"),
    "Destination": _group({"CountryCode": _text("country_destination", check_country)}),
    "ExportCountry": _group({"ID": _text("country_dispatch", check_country)}),
    "Exporter": _also(_party("exporter")),
    "GovernmentAgencyGoodsItem": _list("items", _ITEM, parts.build_item, parts.split_item),
    "Importer": _party("importer"),
    "PreviousDocument": _PREVIOUS,
    "TradeTerms": _group({"ConditionCode": _text("delivery_terms"), "LocationID": _text("delivery_place")}),
    "UCR": _UCR,
}

DECLARATION: Table = {
    "AcceptanceDateTime": Step(Op.MOMENT, "accepted_at"),
    "FunctionCode": _text("function"),
    "FunctionalReferenceID": _text("lrn"),
    "ID": _text("mrn"),
    "InvoiceAmount": Step(Op.MONEY, "invoice_amount"),
    "TypeCode": _text("declaration_type"),
    "GoodsItemQuantity": Step(Op.COUNT, "items_count"),
    "TotalGrossMassMeasure": Step(Op.MASS, "gross_mass_total_kg"),
    "TotalPackageQuantity": Step(Op.COUNT, "packages_total"),
    "AdditionalInformation": _STATEMENTS,
    "Agent": _group({**_party_table("agent."), "FunctionCode": _text("agent_function")}),
    "AuthorisationHolder": _documents("authorisations", {"ID": _text("id"), "CategoryCode": _text("category")}),
    "BorderTransportMeans": _group(_BORDER),
    "Consignment": _group({"Carrier": _party("carrier"), "Itinerary": _ROUTING}),
    "Declarant": _party("declarant"),
    "PresentationOffice": _group({"ID": _text("office")}),
    "ExitOffice": _group({"ID": _also(_text("office"))}),
    "Exporter": _party("exporter"),
    "GoodsShipment": _group(_SHIPMENT),
    "ObligationGuarantee": _documents("guarantees", {"ID": _text("id"), "SecurityDetailsCode": _text("category")}),
    "SupervisingOffice": _group({"ID": _also(_text("office"))}),
}

_PART: Table = {
    "SequenceNumeric": _NUMBER,
    "TotalGrossMassMeasure": Step(Op.MASS, "gross_mass_total_kg"),
    "TotalPackageQuantity": Step(Op.COUNT, "packages_total"),
    "BorderTransportMeans": _group(_BORDER),
    "Carrier": _party("carrier"),
    "Consignee": _party("consignee"),
    "ConsignmentItem": _group(
        {"Commodity": _group({"Description": _text("description"), "Classification": _CLASSIFICATION})}
    ),
    "Consignor": _party("consignor"),
    "GoodsLocation": _place("goods_location"),
    "Itinerary": _ROUTING,
    "LoadingLocation": _place("place_loading"),
    "TransportContractDocument": _BILLS,
    "TransportEquipment": _EQUIPMENT,
    "UCR": _UCR,
    "UnloadingLocation": _place("place_unloading"),
}

MANIFEST: Table = {
    "FunctionCode": _text("function"),
    "FunctionalReferenceID": _text("report_ref"),
    "ID": _also(_text("report_ref")),
    "BorderTransportMeans": _group({**_BORDER, "ArrivalDateTime": Step(Op.MOMENT, "expected_at")}),
    "Carrier": _party("carrier"),
    "Consignment": _list("consignments", _PART, parts.build_consignment, parts.split_consignment),
    "LoadingLocation": _place("place_loading"),
    "PresentationOffice": _group({"ID": _text("office")}),
    "UnloadingLocation": _place("place_unloading"),
}
