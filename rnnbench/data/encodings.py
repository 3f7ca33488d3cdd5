"""In which encoding a file's text is: Unicode where it can be, else what its bytes read as."""

import codecs
import io
from collections import Counter
from collections.abc import Iterable, Mapping

from rnnbench.errors import DataError, UsageError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_LANGUAGES = {
    "cp949": "Korean",
    "cp1252": "western European",
    "cp932": "Japanese, also called Shift-JIS",
    "euc_jp": "Japanese",
    "gb18030": "Chinese",
    "big5": "Chinese",
}
_SAMPLE_BYTES = 65_536  # of lines that are not ASCII; the others say nothing
_LEAST_BYTES = 4096  # the library's counts need some; a shorter sample is repeated
_KOREAN_SHARE = 0.8  # of letters that are in use; Chinese and Japanese in cp949 come out half Hanja
_MOST_DAMAGED = 0.01  # of characters; the line of one is told when all is decoded
_USUAL_JAMO = "ㅋㅎㅠㅜㅡ"  # the others are what Japanese kana come out as
_FIRST, _LAST = b"\xb0\xa1", b"\xc8\xfe"  # of the syllables that are in use


def decode(
    contents: Mapping[str, bytes], encoding: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """The text of each content, and what should be said of how they were read.

    Args:
        contents: by the name of what holds each, for messages.
        encoding: as Python names it; None to find it out, one for all that are not Unicode.

    Raises:
        UsageError: there is no such encoding.
        DataError: a text is not in it, or it cannot be found out.
    """
    chosen = _check_encoding(encoding) if encoding else None
    if chosen is None or chosen == "utf-8":
        own = {name: _find_unicode(content) for name, content in contents.items()}
        others = [content for name, content in contents.items() if own[name] is None]
        chosen = chosen or _find_other(others)
    else:
        own = {}
    texts = [_decode(content, name, own.get(name) or chosen) for name, content in contents.items()]
    if encoding:
        return texts, ()
    said = Counter(_tell(found or chosen) for found in own.values())
    return texts, tuple(
        sentence if n == len(own) else f"{n:,} of {len(own):,} files {sentence}"
        for sentence, n in said.items()
        if sentence
    )


def _check_encoding(encoding: str) -> str:
    """Its usual name."""
    try:
        "".encode(encoding)  # some are no encodings of texts
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as err:
        raise UsageError(f"there is no encoding '{encoding}'; cp949 and latin-1 are two") from err


def _decode(content: bytes, name: str, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        raise DataError(
            f"{name}: line {line} is not {encoding}; if the whole file has another encoding, name "
            "it (--encoding cp949 for Korean, cp1251 for Russian, latin-1 for western European "
            "languages); if encodings are mixed, fix that line"
        ) from err


def _find_other(contents: Iterable[bytes]) -> str:
    """The likely encoding of texts that are not Unicode; where none is, `utf-8`, which fails."""
    sample = _sample(contents)
    if not sample or _is_damaged_unicode(sample):
        return "utf-8"
    return "cp949" if _is_korean(sample) else _ask_library(sample)


def _tell(found: str) -> str:
    """A sentence where the encoding is none that goes without saying."""
    if found in _LANGUAGES:
        return (
            f"read as {found} ({_LANGUAGES[found]}), because it is not UTF-8 and its bytes read as "
            "words so; --encoding names another"
        )
    if found.startswith("utf-16-"):
        return f"read as {found}, because every other byte of its plain letters is zero"
    return "read as UTF-16, as the mark at its beginning says" if found == "utf-16" else ""


def _find_unicode(content: bytes) -> str | None:
    """The encoding of Unicode that a text says it has, or can only have; None if it has none."""
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return name
    head = content[:_SAMPLE_BYTES]
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if max(zeros) > max(len(head) // 64, 4 * min(zeros)):
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _sample(contents: Iterable[bytes]) -> bytes:
    """Whole lines that are not ASCII."""
    lines: list[bytes] = []
    n_bytes = 0
    for content in contents:
        for line in io.BytesIO(content):
            if not line.isascii():
                lines.append(line.rstrip(b"\n"))
                n_bytes += len(line)
            if n_bytes > _SAMPLE_BYTES:
                return b"\n".join(lines)
    return b"\n".join(lines)


def _is_damaged_unicode(sample: bytes) -> bool:
    """Whether most that is not ASCII is UTF-8, which no other encoding looks like by chance."""
    letters = [c for c in sample.decode("utf-8", "replace") if not c.isascii()]
    return letters.count("\ufffd") < len(letters) / 2


def _is_korean(sample: bytes) -> bool:
    """Whether it reads as Korean in cp949, as which the library takes much of Shift-JIS."""
    text = sample.decode("cp949", "replace")
    if text.count("\ufffd") > _MOST_DAMAGED * len(text):
        return False
    letters = Counter({c: n for c, n in Counter(text).items() if c.isalpha() and not c.isascii()})
    n_usual = sum(
        n for c, n in letters.items() if c in _USUAL_JAMO or _FIRST <= c.encode("cp949") <= _LAST
    )
    return n_usual > 0 and n_usual >= _KOREAN_SHARE * letters.total()


def _ask_library(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = (sample[: 2 * _SAMPLE_BYTES] + b"\n") * (1 + _LEAST_BYTES // len(sample))
    likely = [name for name in _LANGUAGES if name != "cp949"]
    best = from_bytes(sample, steps=20, chunk_size=4096, cp_isolation=likely).best()
    if best is None:
        return "utf-8"
    # Of encodings in which the sample reads the same, the one that is in wider use.
    return next((name for name in likely if name in best.could_be_from_charset), best.encoding)
