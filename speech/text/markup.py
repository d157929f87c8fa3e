"""Takes the markup out of text: links, addresses, tags, tables, emphasis. Pure.

Only certain markup is removed; `x<y`, a sign that reads `<EXIT>` and `5*3` are text.
"""

from __future__ import annotations

import html
import re

_TAGS_OF_PAGES = (
    "a|abbr|b|big|blockquote|body|br|button|caption|center|cite|code|dd|del|details|div|dl|dt|em|figcaption|figure"
    "|font|footer|form|h[1-6]|head|header|hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|option|p"
    "|pre|q|s|script|section|select|small|span|strike|strong|style|sub|summary|sup|table|tbody|td|textarea"
    "|tfoot|th|thead|title|tr|tt|u|ul|video|wbr"
)
_TAGS_OF_MODELS = r"answer|bos|box|eos|image|pad|ref|speak|think|tool|unk|\w+_\w+"
"""In small letters: in capitals it is what a sign says."""

_LINKED = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S*[\w/]|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ENTITY = re.compile(r"&#?\w{1,31};")
_TAG = re.compile(
    rf"<\|[^<>|]*\|>|</?(?:{_TAGS_OF_PAGES}|{_TAGS_OF_MODELS})(?:\s[^<>=]{{0,50}}=[^<>]{{0,500}})?\s?/?>"
)
_BULLET = re.compile(r"^\s*(?:[-*+•>]|#{1,6})\s+", re.MULTILINE)
_RULER = re.compile(r"^[ |:=+-]{3,}$", re.MULTILINE)
_EMPHASIS = re.compile(r"```\w*|[*`]+|~~|(?<!\w)_+|_+(?!\w)")
_TIMES = re.compile(r"(?<=\d)( ?)[*×]\1(?=\d)")
_BAR_BETWEEN_NUMBERS = re.compile(r"(?<=\d) ?\| ?(?=\d)")
_STARS_BETWEEN_NUMBERS = re.compile(r"(?<=\d)\*+(?=\d)")


def strip_markup(text: str, link: str) -> str:
    """The text alone, with `link` in the place of each address."""
    # In this order: links before the addresses in them, both before the signs that mean emphasis elsewhere,
    # and entities before tags, since an escaped tag is a tag as well.
    text = _LINKED.sub(r"\1", text)
    text = _ADDRESS.sub(link, text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _TAG.sub(" ", text)
    text = _RULER.sub("", _BULLET.sub("", text))
    text = _TIMES.sub(" × ", text)
    text = _BAR_BETWEEN_NUMBERS.sub(", ", text).replace("|", " ")
    text = _EMPHASIS.sub("", _STARS_BETWEEN_NUMBERS.sub(" ", text))
    return text.replace("_", " ")
