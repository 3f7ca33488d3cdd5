"""From texts to tokens: words, characters, subwords that texts teach, words of a dictionary."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rnnbench.data.corpus import TOKENS, Tokens
from rnnbench.errors import DataError

# Scripts that put no spaces between words: kana, Han, Thai to Myanmar, Khmer.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_TONE, _FLAG = "[\U0001f3fb-\U0001f3ff]", "[\U0001f1e6-\U0001f1ff]{2}"  # of a skin; two letters
_JOINERS = "\u200c\u200d"  # unseen, between letters that are to be joined or not: Hindi, Persian
_ASCII = re.compile(r"[a-z0-9_]+(?:'[a-z0-9_]+)*")
_APOSTROPHES = str.maketrans("’ʼ´`＇", "'''''")  # others, as many write them
_UNSEEN = re.compile("[\ufe00-\ufe0f\u00ad]")  # how an emoji is drawn, and where a word may break
_MOST_PIECES = 2_000
_MOST_LEARNT = 10_000_000  # characters that subwords are learnt from
_BEYOND_LETTERS = 500  # in Chinese, whose characters alone may be 4,000
_KEPT_CUTS = 100_000
_HALVES = re.compile("[\ud800-\udfff]")  # surrogates without the other, which icu4py refuses
_BESIDE_HAN = ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH", "HANGUL")
_MOST_BESIDE_HAN = 0.05  # share: Chinese texts quote a few, Japanese ones are full of them

_BEST: Mapping[str, Tokens] = {"Thai": "subwords", "Chinese": "dictionary"}
"""What did better than single characters, by more than chance, where no spaces part the words
(`benchmarks/results/tokens.json`)."""


def normalise(text: str) -> str:
    """The text in lower case and composed letters (NFC), all of them as they were typed.

    So two ways to store one letter make one word, and look-alikes stay apart: `x²` is not `x2`.
    Apostrophes become one, and what nobody sees is left out.
    """
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFC", text.lower())
    return _UNSEEN.sub("", lowered.translate(_APOSTROPHES))


def cut_words(text: str) -> list[str]:
    """The words of a text; punctuation is left out.

    A word is letters, marks, digits and inner apostrophes. Of scripts without spaces between
    words each character is one, and so is each emoji.
    """
    normal = normalise(text)
    return _ASCII.findall(normal) if normal.isascii() else _words().findall(normal)


def cut_characters(text: str) -> list[str]:
    """The letters and digits of a text, each with its marks, and its emoji."""
    return _characters().findall(normalise(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Cuts a text into tokens of one kind, each of them a part of `normalise(text)`.

    Args:
        model: of subwords, as SentencePiece writes it; empty for other kinds.
        icu: the version of ICU whose dictionary finds the words; empty for other kinds.
    """

    kind: Tokens
    pieces: Callable[[str], list[str]]
    model: bytes = b""
    icu: str = ""

    def __call__(self, text: str) -> list[str]:
        """The tokens in order."""
        return self.pieces(text)


def make_cut(kind: Tokens, model: bytes = b"") -> Cut:
    """What cuts texts into tokens of that kind.

    Raises:
        DataError: `model` is no model of subwords.
    """
    if kind == "subwords":
        return Cut(kind=kind, pieces=_open_subwords(model), model=model)
    if kind == "dictionary":
        from icu4py import icu_version

        return Cut(kind=kind, pieces=_open_dictionary(), icu=icu_version)
    return Cut(kind=kind, pieces=cut_characters if kind == "characters" else cut_words)


def learn_cut(choice: str, texts: Sequence[str]) -> Cut:
    """What cuts texts like these training texts.

    Args:
        choice: a kind of tokens, or `auto` for the one that did best in the texts' script.
    """
    kind = choice if choice in TOKENS else _BEST.get(_find_script(texts), "words")
    return make_cut(kind, _learn_subwords(texts) if kind == "subwords" else b"")


def tell_cut(choice: str, kind: Tokens, icu: str = "") -> tuple[str, ...]:
    """A sentence on what texts are cut into and why, where that is not words."""
    if kind == "words":
        return ()
    shown = f"{kind} (words by ICU {icu})" if icu else kind
    if choice == kind:
        return (f"tokens: {shown}, as you chose",)
    scripts = " and ".join(script for script, best in _BEST.items() if best == kind)
    why = f"did better than single characters on {scripts}"
    return (f"tokens: {shown}, which {why}; --tokens decides it",)


def _find_script(texts: Sequence[str]) -> str:
    """The script of most letters, as Unicode's names begin, in at most 1,000 of the texts.

    Han alone is Chinese; with kana or Hangul it is Japanese or Korean.
    """
    letters = Counter("".join(texts[:: 1 + len(texts) // 1000]))
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        if letter.isalpha():
            scripts[unicodedata.name(letter, "?").split()[0]] += count
    script = scripts.most_common(1)[0][0] if scripts else ""
    beside = sum(scripts[other] for other in _BESIDE_HAN)
    if script == "CJK" and beside <= _MOST_BESIDE_HAN * (scripts["CJK"] + beside):
        return "Chinese"
    return script.title()


def _learn_subwords(texts: Sequence[str]) -> bytes:
    """SentencePiece's model of the pieces that make these texts likeliest.

    They are at most `_MOST_PIECES`, or some more than there are letters.

    Source: Kudo (2018), "Subword Regularization", section 3.2.

    Raises:
        DataError: the texts have no letters, or nothing can be learnt from them.
    """
    import sentencepiece

    stretches = _learnt_from(texts)
    letters = set().union(*stretches)
    if not letters:
        raise DataError("subwords need texts with letters; use --tokens words")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(stretches),
            model_writer=model,
            vocab_size=max(_MOST_PIECES, len(letters) + _BEYOND_LETTERS),
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            max_sentence_length=1_000_000,
            num_threads=1,
            minloglevel=2,
        )
    except (RuntimeError, OSError) as err:
        raise DataError(f"no subwords can be learnt from these texts: {err}") from err
    return model.getvalue()


def _learnt_from(texts: Sequence[str]) -> list[str]:
    """The stretches of the texts, or of every so many of them: `_MOST_LEARNT` characters."""
    step = 1 + sum(map(len, texts)) // _MOST_LEARNT
    stretches = (part for text in texts[::step] for part in _cut_stretches(text))
    return [part for part in stretches if not _is_symbol(part)]


def _open_subwords(model: bytes) -> Callable[[str], list[str]]:
    import sentencepiece

    try:
        encode = sentencepiece.SentencePieceProcessor(model_proto=model).encode
        encode("a")  # of no bytes it makes a model that is none
    except (RuntimeError, OSError, ValueError, TypeError) as err:
        raise DataError(f"the model of subwords is damaged: {err}") from err

    @lru_cache(_KEPT_CUTS)
    def cut_stretch(stretch: str) -> tuple[str, ...]:
        return (stretch,) if _is_symbol(stretch) else tuple(encode(stretch, out_type=str))

    return lambda text: [piece for part in _cut_stretches(text) for piece in cut_stretch(part)]


def _open_dictionary() -> Callable[[str], list[str]]:
    """Unicode's word boundaries, and of scripts without spaces ICU's dictionary's.

    ICU takes the dictionary of the text's script, whatever the locale: all texts have the same.
    """
    from icu4py.breakers import WordBreaker

    def cut(text: str) -> list[str]:
        whole = _HALVES.sub(" ", normalise(text))
        return list(filter(None, map(_trim, WordBreaker(whole, "root"))))

    return cut


@lru_cache(_KEPT_CUTS)
def _trim(stretch: str) -> str:
    """From the first letter, digit or emoji of a stretch to the last; empty where it has none."""
    found = list(_words().finditer(stretch))
    return stretch[found[0].start() : found[-1].end()] if found else ""


def _cut_stretches(text: str) -> list[str]:
    """What stands between spaces and punctuation: letters of any script, and emoji."""
    return _stretches().findall(normalise(text))


def _is_symbol(stretch: str) -> bool:
    """An emoji, or the symbol that SentencePiece takes for a space."""
    return unicodedata.category(stretch[0]) == "So"


@cache
def _words() -> re.Pattern[str]:
    """Words of any script; the table of marks takes a tenth of a second to make."""
    marks = _class_of("M")
    letter = rf"(?:[^\W{_UNSPACED}]|[{marks}])"
    return re.compile(
        rf"{letter}+(?:['{_JOINERS}]{letter}+)*"
        rf"|[{_UNSPACED}][{marks}\uff9e\uff9f]*"
        rf"|{_emoji()}"
    )


@cache
def _characters() -> re.Pattern[str]:
    return re.compile(rf"\w[{_class_of('M')}\uff9e\uff9f]*|{_emoji()}")


@cache
def _stretches() -> re.Pattern[str]:
    letter = rf"(?:\w|[{_class_of('M')}])"
    return re.compile(rf"{letter}+(?:['{_JOINERS}]{letter}+)*|{_emoji()}")


def _emoji() -> str:
    emoji = rf"[{_class_of('So')}]{_TONE}?"
    return rf"{_FLAG}|{emoji}(?:\u200d{emoji})*"


@cache
def _class_of(*categories: str) -> str:
    """The characters of some Unicode categories, as ranges of a regular expression's class."""
    ranges: list[list[int]] = []
    for code in (*range(0x80, 0x30000), *range(0xE0100, 0xE01F0)):
        if not unicodedata.category(chr(code)).startswith(categories):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
