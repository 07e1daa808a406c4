"""XML, opened so that a document can do no harm: no DTD, no entities, no network, bounded size and depth."""

from __future__ import annotations

import re
import threading

from lxml import etree

from comity.trade.errors import TradeError

# The parser itself refuses more than 256 levels; no customs document needs a fifth of that.
MAX_DEPTH = 40
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Encodings in which markup is written as in ASCII, so that what is forbidden can be seen before it is parsed.
_PLAIN_ENCODING = re.compile(rb"utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d|cp125\d", re.IGNORECASE)


class XMLRefusedError(TradeError):
    """A document was refused before anything in it was read. line: from 1, 0 where it has none."""

    code = "not_well_formed"

    def __init__(self, code: str, what: str, line: int = 0) -> None:
        super().__init__(what, where=f"line {line}" if line else "")
        self.code = code
        self.line = line


class _Parsers(threading.local):
    """One parser for each thread: lxml lets no two use the same at once."""

    def __init__(self) -> None:
        self.declared = _parser(None)
        self.utf8 = _parser("utf-8")


def _parser(encoding: str | None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


_parsers = _Parsers()


def parse_xml(data: bytes, *, limit_bytes: int) -> etree._Element:
    """The root of a document; comments and processing instructions are left out.

    Raises: XMLRefusedError naming the line where there is one.
    """
    if len(data) > limit_bytes:
        raise XMLRefusedError("too_large", f"The document has {len(data)} bytes; at most {limit_bytes} are read")
    parser = _parsers.declared
    if data.startswith(_UTF16):
        data, parser = _recoded(data), _parsers.utf8
    else:
        _check_encoding(data)
    for mark in _FORBIDDEN:
        if mark in data:
            line = data.count(b"\n", 0, data.index(mark)) + 1
            raise XMLRefusedError("document_type", "A document type declaration is not accepted; leave it out", line)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        what = str(error.msg).splitlines()[0][:300] if error.msg else "empty document"
        raise XMLRefusedError("not_well_formed", f"Not well-formed XML: {what}", error.lineno or 0) from error


def _check_encoding(data: bytes) -> None:
    declared = _DECLARED.match(data[:200].removeprefix(b"\xef\xbb\xbf"))
    if declared is not None and _PLAIN_ENCODING.fullmatch(declared[1]) is None:
        name = declared[1].decode()
        raise XMLRefusedError("unknown_encoding", f"The encoding {name} is not read; send the document in UTF-8", 1)
    if not data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise XMLRefusedError("not_well_formed", "The document does not begin with markup", 1)


def _recoded(data: bytes) -> bytes:
    try:
        return data.decode("utf-16").encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise XMLRefusedError("not_well_formed", "The document is not valid UTF-16") from error
