"""Code lists: countries, currencies, the Harmonized System, containers, vessels, traders."""

from comity.trade.codes.hs import HSList, HSListError, check_hs, heading_exists, load_hs_list
from comity.trade.codes.places import check_country, check_currency, country_name
from comity.trade.codes.transport import check_container, check_trader, check_vessel

__all__ = [
    "HSList",
    "HSListError",
    "check_container",
    "check_country",
    "check_currency",
    "check_hs",
    "check_trader",
    "check_vessel",
    "country_name",
    "heading_exists",
    "load_hs_list",
]
