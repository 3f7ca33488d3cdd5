"""Marks of HTML in texts: found, and taken out.

By patterns that stop at the next `<`: `html.parser` takes minutes for a text of thousands of tags
that are not closed (Python 3.11), and raises errors of its own for some.
"""

import html
import re

_NAMES = (
    "a|abbr|b|blockquote|body|br|center|code|dd|del|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|"
    "html|i|iframe|img|input|ins|label|li|link|meta|nav|ol|option|p|pre|q|s|script|section|select|"
    "small|span|strike|strong|style|sub|sup|table|tbody|td|textarea|th|thead|title|tr|tt|u|ul|video"
)
_TAG = re.compile(
    rf"<(?:script|style)\b[^<>]*>[^<]*</(?:script|style)>|<!--[^<]*?-->"
    rf"|</?(?P<name>{_NAMES})(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
_INLINE = {"a", "abbr", "b", "em", "font", "i", "s", "span", "strong", "sub", "sup", "tt", "u"}


def has_html(text: str) -> bool:
    """Whether a tag, a comment or an entity of HTML stands in the text."""
    return ("<" in text and _TAG.search(text) is not None) or (
        "&" in text and _ENTITY.search(text) is not None
    )


def strip_html(text: str) -> str:
    """The text without tags and comments, entities as the characters that they stand for.

    What only looks like a tag stays: `x<y and y>z`.
    """
    if not has_html(text):
        return text
    return html.unescape(_TAG.sub(_space, text)).strip()


def _space(tag: re.Match[str]) -> str:
    """Nothing where a word may go on."""
    return "" if (tag["name"] or "").casefold() in _INLINE else " "
