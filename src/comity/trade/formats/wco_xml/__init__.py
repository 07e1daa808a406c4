"""The WCO Data Model in XML: declarations and cargo reports."""

from comity.trade.formats.wco_xml.reader import read_wco_xml
from comity.trade.formats.wco_xml.writer import WriteError, write_wco_xml

__all__ = ["WriteError", "read_wco_xml", "write_wco_xml"]
