"""Words of any script, and ranks from the training part alone."""

from __future__ import annotations

import time

import numpy as np
import pytest

from rnnbench.data.own import cut_words, encode_texts, rank_words


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


def test_ranks_come_from_the_training_texts_and_the_commonest_word_first() -> None:
    labels = np.zeros(3, dtype=np.int8)
    known, texts = encode_texts(["b a a", "a c", "c c c d"], labels)
    words, ranked = rank_words(known, texts, np.array([True, True, False]))
    assert words == ("a", "b", "c")
    assert ranked.tokens.tolist() == [5, 4, 4, 4, 6, 6, 6, 6, 2]


def test_texts_without_any_word_have_no_tokens() -> None:
    known, texts = encode_texts(["...", "!"], np.zeros(2, dtype=np.int8))
    words, ranked = rank_words(known, texts, np.array([True, True]))
    assert words == ()
    assert ranked.tokens.tolist() == []
    assert ranked.offsets.tolist() == [0, 0, 0]


def test_a_text_of_two_megabytes_takes_a_moment() -> None:
    began = time.process_time()
    assert len(cut_words("é word " * 300_000)) == 600_000
    assert time.process_time() - began < 10
