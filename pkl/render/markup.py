"""Text that stands in XML or HTML, so that it can only be read."""

from __future__ import annotations

from html import escape

from ..names import printable

__all__ = ["escaped"]


def escaped(text: str) -> str:
    """The text for an element or a quoted attribute of XML or HTML.

    Nothing in it can end what it stands in, and nothing in it is a character that XML forbids.
    """
    shown = printable(text)
    if not shown.isascii():
        # The two non-characters of the first plane are legal Unicode and illegal XML.
        shown = shown.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    return escape(shown, quote=True)
