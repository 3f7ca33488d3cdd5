"""In which encoding a text is: Unicode in its forms, and the usual ones of six languages."""

from __future__ import annotations

import pytest

from rnnbench.data.encodings import decode
from rnnbench.errors import DataError, UsageError

WORDS = {
    "cp949": (
        "정말 좋은 영화였어요 ㅋㅋ",
        "시간이 아깝고 지루하다 ㅠㅠ",
        "음악이 아름답고 화면이 멋졌다",
    ),
    "cp932": ("とても面白い映画でした。", "つまらない話で眠くなった", "俳優の演技が素晴らしかった"),
    "euc_jp": (
        "とても面白い映画でした。",
        "つまらない話で眠くなった",
        "俳優の演技が素晴らしかった",
    ),
    "gb18030": ("这部电影非常好看，演员很好", "故事很无聊，浪费时间", "房间很干净服务也很好"),
    "big5": ("這部電影非常好看，演員很好", "故事很無聊，浪費時間", "房間很乾淨服務也很好"),
    "cp1252": ("L’été j’ai adoré ce film très drôle", "¿Qué lástima! El año", "schöne Öde, groß"),
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")


def table(words: tuple[str, ...], *, every: int) -> str:
    """60 rows, of which each `every`th has words that are not English."""
    texts = (words[n % 3] if n % every == 0 else "a plain film" for n in range(60))
    return "text,label\n" + "".join(f"{text} {n},{n % 2}\n" for n, text in enumerate(texts))


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("encoding", [*WORDS, *UNICODE])
def test_the_usual_encodings_are_recognised(encoding: str, every: int) -> None:
    for words in WORDS.values() if encoding in UNICODE else [WORDS[encoding]]:
        typed = table(words, every=every)
        (text,), notes = decode({"r.csv": typed.encode(encoding)}, None)
        assert text == typed
        said = () if encoding.startswith("utf-8") else (f"read as {encoding}",)
        assert tuple(note.lower()[: len(said[0])] for note in notes) == said


def test_the_reason_is_said() -> None:
    _, notes = decode({"r.csv": table(WORDS["cp932"], every=1).encode("cp932")}, None)
    assert notes == (
        "read as cp932 (Japanese, also called Shift-JIS), because it is not UTF-8 and its bytes "
        "read as words so; --encoding names another",
    )


def test_another_encoding_is_read_when_it_is_named() -> None:
    typed = table(("Очень скучный фильм", "Прекрасная игра актёров", "чистый номер"), every=1)
    content = {"r.csv": typed.encode("cp1251")}
    with pytest.raises(DataError, match=r"r\.csv: line 2 is not utf-8; .*cp1251 for Russian"):
        decode(content, None)
    assert decode(content, "cp1251") == ([typed], ())
    with pytest.raises(UsageError, match="there is no encoding 'latin-99'"):
        decode(content, "latin-99")


def test_a_line_in_another_encoding_is_named() -> None:
    for encoding in ("cp949", "utf-8"):
        mixed = table(WORDS["cp949"], every=1).encode(encoding) + b"caf\xe9,1\n"
        with pytest.raises(DataError, match=rf"line 62 is not {encoding}; .*encodings are mixed"):
            decode({"r.csv": mixed}, None)


def test_of_several_texts_each_may_be_unicode_and_the_others_share_one() -> None:
    texts = {"a": "영화".encode(), "b": " ".join(WORDS["cp949"]).encode("cp949"), "c": b"plain"}
    found, notes = decode(texts, None)
    assert found == ["영화", " ".join(WORDS["cp949"]), "plain"]
    (note,) = notes
    assert note.startswith("1 of 3 files read as cp949 (Korean)")
