"""What texts of any script are cut into."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnbench.data.words import (
    cut_characters,
    cut_words,
    learn_cut,
    make_cut,
    normalise,
    tell_cut,
)
from rnnbench.errors import DataError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Great film, isn't it?", ["great", "film", "isn't", "it"]),
        ("isn’t", ["isn't"]),
        ("정말 재미있는 영화!", ["정말", "재미있는", "영화"]),
        ("Ελληνικά και ΡΥΣΣΚΙЙ", ["ελληνικά", "και", "ρυσσκιй"]),
        ("हिन्दी फ़िल्म", ["हिन्दी", "फ़िल्म"]),
        ("很好看", ["很", "好", "看"]),
        ("面白い movie", ["面", "白", "い", "movie"]),
        ("so good 😍😍", ["so", "good", "😍", "😍"]),
        ("👍🏽👍🏽 🇰🇷🇯🇵", ["👍🏽", "👍🏽", "🇰🇷", "🇯🇵"]),
        ("👩\u200d🚀🙂", ["👩\u200d🚀", "🙂"]),
        ("I \u2764\ufe0f it", ["i", "\u2764", "it"]),
        ("スター・ウォーズ", ["ス", "タ", "ー", "ウ", "ォ", "ー", "ズ"]),
        ("it´s", ["it's"]),
        ("Straße STRASSE", ["straße", "strasse"]),
        ("ﬁlm Ｆｕｌｌ！", ["ﬁlm", "ｆｕｌｌ"]),
        ("ㅋㅋㅠㅠ 재밌다", ["ㅋㅋㅠㅠ", "재밌다"]),
        ("\u1112\u1161\u11ab글", ["한글"]),
        ("x² ½점 H₂O", ["x²", "½점", "h₂o"]),
        ("it＇s ５０％", ["it's", "５０"]),
        ("ｶﾞｷ", ["ｶﾞ", "ｷ"]),
        ("می\u200cخواهم शक्\u200dति", ["می\u200cخواهم", "शक्\u200dति"]),
        ("Film\u00adkritik", ["filmkritik"]),
        ("cafe\u0301", ["café"]),
        ("10/10 -- 4k", ["10", "10", "4k"]),
        ("...", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_its_words(text: str, words: list[str]) -> None:
    assert cut_words(text) == words


def test_a_text_of_two_megabytes_takes_a_moment() -> None:
    began = time.process_time()
    assert len(cut_words("é word " * 300_000)) == 600_000
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("So good!", ["s", "o", "g", "o", "o", "d"]),
        ("很好 it’s", ["很", "好", "i", "t", "s"]),
        ("กำลังดี", ["ก", "ำ", "ลั", "ง", "ดี"]),
        ("ㅋㅋ x²", ["ㅋ", "ㅋ", "x", "²"]),
        ("👩\u200d🚀 ok", ["👩\u200d🚀", "o", "k"]),
        ("?!", []),
    ],
)
def test_a_text_is_cut_into_its_characters(text: str, characters: list[str]) -> None:
    assert cut_characters(text) == characters


def test_subwords_are_pieces_of_words_that_the_training_texts_have() -> None:
    cut = learn_cut("subwords", ["walked talked walking talking"] * 5)
    assert "".join(cut("Talked, walks")) == "talkedwalks"
    assert cut("walking")[-1] in ("ing", "king", "alking", "walking")
    assert cut("漢字 ▁ 😍") == ["漢字", "▁", "😍"]


def test_the_same_texts_teach_the_same_subwords() -> None:
    texts = ["한국어 문장이 있다", "문장을 읽는다"] * 3
    first, again = learn_cut("subwords", texts), learn_cut("subwords", texts)
    assert first.model == again.model
    assert make_cut("subwords", first.model)(texts[0]) == first(texts[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我喜欢这部电影。", ["我", "喜欢", "这", "部", "电影"]),
        ("野家😍𠀀𠮷👍🏽🇰🇷", ["野家", "😍", "𠀀", "𠮷", "👍🏽", "🇰🇷"]),
        ("สมชายไปตลาด", ["สมชาย", "ไป", "ตลาด"]),
        ("It’s 3.14, OK!", ["it's", "3.14", "ok"]),
        ("好\u200b \u0301 们\ufeff", ["好", "\u0301", "们"]),
        ("a\ud800b\x00", ["a", "b"]),
        ("\ud83d。\u200d", []),
        ("", []),
    ],
)
def test_a_dictionary_finds_words_where_no_spaces_are(text: str, words: list[str]) -> None:
    assert make_cut("dictionary")(text) == words


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("สมชาย สมหญิง ok", "subwords"),
        ("很好 ok", "dictionary"),
        ("鲜の每日，" + "我喜欢这部电影" * 4, "dictionary"),
        ("情報処理学会論文誌編集委員会の査読", "words"),
        ("文學院國語國文學科는 大學校에", "words"),
        ("とても良い", "words"),
        ("좋다 ㅋㅋ", "words"),
        ("good", "words"),
        ("123", "words"),
        ("", "words"),
    ],
)
def test_by_itself_what_did_best_in_the_script_is_taken(text: str, kind: str) -> None:
    assert learn_cut("auto", [text]).kind == kind
    assert learn_cut("words", [text]).kind == "words"


def test_what_texts_are_cut_into_is_told_unless_it_is_words() -> None:
    assert tell_cut("auto", "subwords") == (
        "tokens: subwords, which did better than single characters on Thai; --tokens decides it",
    )
    assert tell_cut("auto", "dictionary", "78.3") == (
        "tokens: dictionary (words by ICU 78.3), which did better than single characters on "
        "Chinese; --tokens decides it",
    )
    assert tell_cut("characters", "characters") == ("tokens: characters, as you chose",)
    assert tell_cut("auto", "words") == tell_cut("words", "words") == ()


def test_a_script_of_more_letters_than_pieces_teaches_subwords_too() -> None:
    texts = ["".join(map(chr, range(first, first + 50))) for first in range(0x4E00, 0x5A00, 50)]
    assert "".join(learn_cut("subwords", texts)(texts[0])) == texts[0]


def test_texts_without_letters_teach_no_subwords() -> None:
    with pytest.raises(DataError, match="--tokens words"):
        learn_cut("subwords", ["?!", "..."])


def test_a_damaged_model_of_subwords_is_refused() -> None:
    with pytest.raises(DataError, match="damaged"):
        make_cut("subwords", b"no model")


_SUBWORDS = learn_cut("subwords", ["the quick brown fox", "한국어 문장", "日本語の文章"])
_DICTIONARY = make_cut("dictionary")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_was_typed_becomes_no_other_letter(text: str) -> None:
    typed = unicodedata.normalize("NFC", text.lower())
    normal = normalise(text)
    assert [c for c in normal if c.isalpha()] == [
        c for c in typed if c.isalpha() and c not in "\u02bc"
    ]
    for cut in (cut_words, cut_characters, _SUBWORDS, _DICTIONARY):
        assert all(token and token in normal for token in cut(text))
