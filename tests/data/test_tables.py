"""A file of the user's: what is inferred of it, and what is said of one that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnbench.data.tables import OwnChoices, Table, read_table
from rnnbench.errors import DataError, UsageError

ROWS = [(f"this film was number {n}", "good" if n % 2 else "bad") for n in range(60)]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str, name: str = "reviews.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return to_file


def csv_text(
    rows: list[tuple[str, str]] = ROWS, header: str = "text,label", separator: str = ","
) -> str:
    lines = [f'"{text}"{separator}{label}' for text, label in rows]
    return "\n".join(filter(None, [header, *lines])) + "\n"


def read(path: Path, **choices: Any) -> Table:
    return read_table(path, OwnChoices(**choices))


def test_a_csv_with_usual_names_is_read_and_what_is_inferred_is_said(write: Write) -> None:
    table = read(write(csv_text()))
    assert list(zip(table.texts, table.labels, strict=True)) == ROWS
    assert table.notes == ("inferred: texts in 'text', labels in 'label'",)
    assert table.parts is None


@pytest.mark.parametrize("header", ["review,sentiment", "본문,감성", "Comment,Class"])
def test_other_usual_names_are_known(header: str, write: Write) -> None:
    assert read(write(csv_text(header=header))).labels[1] == "good"


def test_of_two_columns_the_longer_one_has_the_texts(write: Write) -> None:
    swapped = csv_text([(label, text) for text, label in ROWS], header="a,b")
    assert read(write(swapped)).texts[0] == ROWS[0][0]


def test_named_columns_are_taken(write: Write) -> None:
    rows = "\n".join(f"{n},{text},x,{label}" for n, (text, label) in enumerate(ROWS))
    path = write(f"id,body,other,mark\n{rows}\n")
    table = read(path, text_column="body", label_column="mark")
    assert table.texts[3] == ROWS[3][0]
    assert table.notes == ()
    with pytest.raises(UsageError, match="ambiguous which column is which"):
        read(write(f"id,one,other,mark\n{rows}\n", "other.csv"))
    with pytest.raises(UsageError, match=r"unknown column 'boddy' \(did you mean 'body'\?\)"):
        read(path, text_column="boddy", label_column="mark")


def test_tsv_json_lines_and_parquet_give_the_same(write: Write, tmp_path: Path) -> None:
    import pandas

    expected = read(write(csv_text()))
    tsv = write(csv_text(header="text\tlabel", separator="\t"), "reviews.tsv")
    lines = "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS)
    jsonl = write(lines, "reviews.jsonl")
    parquet = tmp_path / "reviews.parquet"
    pandas.DataFrame(ROWS, columns=["text", "label"]).to_parquet(parquet)
    for path in (tsv, jsonl, parquet):
        assert read(path) == expected


def test_bytes_in_parquet_are_utf_8(tmp_path: Path) -> None:
    import pandas

    path = tmp_path / "reviews.parquet"
    rows = [(text.encode(), label) for text, label in ROWS]
    pandas.DataFrame(rows, columns=["text", "label"]).to_parquet(path)
    assert read(path).texts == [text for text, _ in ROWS]
    rows[0] = (b"caf\xe9", rows[0][1])
    pandas.DataFrame(rows, columns=["text", "label"]).to_parquet(path)
    with pytest.raises(DataError, match="'text' holds binary, not UTF-8 text"):
        read(path)


def test_pictures_and_embeddings_beside_the_texts_are_left_out(tmp_path: Path) -> None:
    import pandas

    path = tmp_path / "reviews.parquet"
    table = pandas.DataFrame(ROWS, columns=["words", "grade"])
    table["picture"] = [b"\x89PNG"] * len(ROWS)
    table["embedding"] = [[0.5, 0.5]] * len(ROWS)
    table.to_parquet(path)
    assert read(path).texts == [text for text, _ in ROWS]
    with pytest.raises(DataError, match="'picture' holds binary, not UTF-8 text"):
        read(path, text_column="picture")


def test_numbers_as_labels_are_one_class_however_they_are_written(write: Write) -> None:
    rows = [json.dumps({"text": f"film {n}", "label": [0, 1.0, 1][n % 3]}) for n in range(60)]
    assert set(read(write("\n".join(rows), "r.jsonl")).labels) == {"0", "1"}


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [("1.0", "1"), ("-2.50", "-2.5"), ("007", "007"), ("TRUE", "True"), (" cafe\u0301 ", "café")],
)
def test_a_label_has_one_spelling(typed: str, spelled: str, write: Write) -> None:
    rows = [(text, typed if label == "good" else "bad") for text, label in ROWS]
    assert set(read(write(csv_text(rows))).labels) == {spelled, "bad"}


@pytest.mark.parametrize("values", [(0, 1), (0.0, 1.0), ("0", "1.0"), (False, True)])
def test_every_format_spells_a_label_alike(
    values: tuple[object, object], write: Write, tmp_path: Path
) -> None:
    import pandas

    frame = pandas.DataFrame({"text": f"film {n}", "label": values[n % 2]} for n in range(60))
    frame.to_parquet(tmp_path / "r.parquet")
    lines = frame.to_json(orient="records", lines=True, force_ascii=False)
    paths = [
        write(frame.to_csv(index=False), "r.csv"),
        write(frame.to_csv(index=False, sep="\t"), "r.tsv"),
        write(lines, "r.jsonl"),
        tmp_path / "r.parquet",
    ]
    assert len({tuple(read(path).labels) for path in paths}) == 1


def test_spellings_of_one_class_are_merged_into_the_commonest_and_named(write: Write) -> None:
    spellings = ("Pos", "pos ", "Pos", "neg")
    table = read(write(csv_text([(text, spellings[n % 4]) for n, (text, _) in enumerate(ROWS)])))
    assert set(table.labels) == {"Pos", "neg"}
    assert (
        "only case, spaces or number format differ: 'Pos' (30), 'pos ' (15); --keep-labels"
        in (table.notes[-1])
    )


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("", "the column 'label' is empty in line 62; .*--drop-unlabelled"),
        ("NaN", r"does 'NaN' in the column 'label' \(line 62\) mean that there is no label\?"),
    ],
)
def test_a_row_without_a_label_is_refused_or_left_out(label: str, words: str, write: Write) -> None:
    path = write(csv_text([*ROWS, ("a film", label)]))
    with pytest.raises(DataError, match=words):
        read(path)
    table = read(path, drop_unlabelled=True)
    assert (len(table.texts), set(table.labels)) == (60, {"good", "bad"})
    assert "left out, because the label is missing: 1 row, line 62" in table.notes


def test_columns_without_a_name_are_left_out(write: Write) -> None:
    rows = "\n".join(f"{label},{text},and more,," for text, label in ROWS)
    table = read(write(f"v1,v2,,,\n{rows}\n,,,,\n"))
    assert table.texts == [text for text, _ in ROWS]
    assert table.notes[0] == "left out, because they have no name: 3 of 5 columns"
    index = "\n".join(f"{n},{text},{label}" for n, (text, label) in enumerate(ROWS))
    assert read(write(f",text,label\n{index}\n")).labels == table.labels
    ragged = "\n".join(f"{text},{label}{',' * (n % 3)}" for n, (text, label) in enumerate(ROWS))
    assert read(write(f"text,label\n{ragged}\n")).labels == table.labels


def tsv_text(*texts: str) -> str:
    rows = [*((text, label) for text, label in ROWS), *((text, "good") for text in texts)]
    return "\n".join(["label\ttext", *(f"{label}\t{text}" for text, label in rows)]) + "\n"


@pytest.mark.parametrize(
    "texts",
    [
        ('"a lovely film',),
        ('"a lovely film', "a", "b", "c", 'the end"'),
        ('"a" film',),
    ],
)
def test_stray_quotes_between_tabs_are_characters_and_that_is_said(
    texts: tuple[str, ...], write: Write
) -> None:
    path = write(tsv_text(*texts), "r.tsv")
    table = read(path)
    assert table.texts[60:] == list(texts)
    assert "line 62" in table.notes[0]
    assert table.notes[0].endswith("--quoting minimal reads them as CSV does")
    assert read(path, quoting="none").texts == table.texts


def test_quotes_between_tabs_are_kept_where_lines_are_no_rows(write: Write) -> None:
    table = read(write(tsv_text('"two\nlines"'), "r.tsv"))
    assert table.texts[60] == "two\nlines"
    assert (
        "run over several lines (line 62); if each line is a row, use --quoting none"
        in (table.notes[0])
    )


def test_rows_inside_a_quoted_text_are_told(write: Write) -> None:
    stray = 'a,good\n"b,bad\nc,good\nd",bad\n'
    path = write(csv_text() + stray)
    assert any("look like rows of their own (line 63)" in note for note in read(path).notes)
    innocent = write(csv_text() + '"Good, but\nlong, and\ndull",bad\n', "other.csv")
    assert len(read(innocent).notes) == 1


def test_a_split_column_is_used(write: Write) -> None:
    parts = ["train", "val", "TEST"]
    rows = "\n".join(f"{text},{label},{parts[n % 3]}" for n, (text, label) in enumerate(ROWS))
    table = read(write(f"text,label,split\n{rows}\n"))
    assert table.parts is not None
    assert table.parts[:3] == ["train", "validation", "test"]
    strange = write(f"text,label,part\n{rows.replace(',val', ',later')}\n")
    with pytest.raises(DataError, match="belongs to the part 'later'"):
        read(strange, split_column="part")


def test_a_text_may_hold_lines_commas_quotes_and_two_megabytes(write: Write) -> None:
    long = "word " * 400_000
    rows = [*ROWS, ('two\nlines, a comma and ""quotes""', "good"), (long, "bad")]
    table = read(write(csv_text(rows)))
    assert table.texts[-2] == 'two\nlines, a comma and "quotes"'
    assert len(table.texts[-1]) == len(long)


def test_empty_texts_are_left_out_and_named(write: Write) -> None:
    table = read(write(csv_text([*ROWS, ("", "good"), ("  ", "bad")])))
    assert len(table.texts) == 60
    assert "left out, because the text is empty: 2 rows, lines 62, 63" in table.notes


def test_a_byte_order_mark_and_utf_16_are_read(write: Write) -> None:
    assert read(write(csv_text(), encoding="utf-8-sig")).labels[1] == "good"
    assert read(write(csv_text(), encoding="utf-16")).labels[1] == "good"


def test_a_file_that_is_not_unicode_is_recognised_and_that_is_said(write: Write) -> None:
    rows = [(f"정말 좋은 영화 ㅋㅋ {text}", label) for text, label in ROWS]
    path = write(csv_text(rows), encoding="cp949")
    table = read(path)
    assert table.texts[0].startswith("정말 좋은")
    assert table.notes[0].startswith("read as cp949 (Korean), because it is not UTF-8")
    assert read(path, encoding="cp949").texts == table.texts
    with pytest.raises(DataError, match="line 2 is not utf-8"):
        read(path, encoding="utf-8")


@pytest.mark.parametrize("mark", [";", "|", "\t"])
def test_the_separator_is_found_and_said_where_it_is_not_the_usual_one(
    mark: str, write: Write
) -> None:
    rows = [(f"{text}, and more", label) for text, label in ROWS]
    table = read(write(csv_text(rows, header=f"text{mark}label", separator=mark)))
    assert table.texts[0] == rows[0][0]
    assert table.notes[0].startswith("columns are separated by a ")


def test_excels_first_line_names_the_separator_and_is_no_header(write: Write) -> None:
    path = write("sep=;\r\n" + csv_text(header="text;label", separator=";") + "a;b;c\n")
    with pytest.raises(DataError, match="line 63 has 3 fields"):
        read(path)
    assert read(write("sep=|\n" + csv_text(separator="|", header="text|label"))).labels[1] == "good"


def test_of_two_separators_in_the_header_the_one_that_rows_fit_is_taken(write: Write) -> None:
    rows = "\n".join(f"{text};{label};{n}" for n, (text, label) in enumerate(ROWS))
    assert read(write(f"text;label;a, b\n{rows}\n")).labels[1] == "good"
    comma = write(csv_text(header="text,label;kind"))
    assert read(comma, text_column="text", label_column="label;kind").labels[1] == "good"


def test_quotes_that_do_not_pair_are_characters_where_every_line_fits_so(write: Write) -> None:
    path = write(csv_text() + 'a "good" film,good\n"b,bad\n')
    table = read(path)
    assert table.texts[-2:] == ['a "good" film', '"b']
    assert "because in line 63 they do not pair; --quoting minimal" in table.notes[0]
    with pytest.raises(DataError, match=r"opens in line 63 is never closed; .*--quoting none"):
        read(path, quoting="minimal")
    with pytest.raises(UsageError, match="unknown quoting 'some'"):
        read(path, quoting="some")


def test_spaces_and_number_format_make_no_classes_unless_they_are_to(write: Write) -> None:
    for spellings in (("very good", "very  good"), ("1", "1.0")):
        path = write(
            csv_text(
                [(t, spellings[n % 2]) if n % 3 else (t, "bad") for n, (t, _) in enumerate(ROWS)]
            )
        )
        assert set(read(path).labels) == {spellings[0], "bad"}
        kept = read(path, keep_labels=True)
        assert set(kept.labels) == {*spellings, "bad"}
        assert kept.notes[-1] == "kept apart: 1 class in several spellings"


def test_small_classes_are_left_out_on_request_counted_and_named(write: Write) -> None:
    path = write(csv_text([*ROWS, ("odd", "odd"), ("rare", "rare"), ("rare too", "rare")]))
    table = read(path, drop_small_classes=True)
    assert len(table.labels) == 60
    assert table.notes[-1] == (
        "left out, because a class needs 5 rows: 3 rows of 2 classes, 'rare' (2), 'odd' (1)"
    )


def test_html_is_taken_out_on_request_and_counted(write: Write) -> None:
    path = write(csv_text([*ROWS, ("<p>good<br/>film</p> &amp; more", "good"), ("<br>", "bad")]))
    assert read(path).texts[60] == "<p>good<br/>film</p> &amp; more"
    table = read(path, strip_html=True)
    assert table.texts[60:] == ["good film  & more"]
    assert "tags and entities of HTML are taken out of 2 texts" in table.notes
    assert "left out, because the text is empty: 1 row, line 63" in table.notes


def test_files_of_the_parts_are_read_as_parts(write: Write) -> None:
    train = write(csv_text(), "train.csv")
    test = write("label\tcomment\nGOOD\ta new film\nbad\tanother\n", "test.tsv")
    table = read(train, test=str(test))
    assert table.parts == ["train"] * 60 + ["test"] * 2
    assert table.texts[-2:] == ["a new film", "another"]
    assert set(table.labels) == {"good", "bad"}
    assert "test.tsv: inferred: texts in 'comment', labels in 'label'" in table.notes
    held_out = write("label\tcomment\nbad\ta film\ngood\tone more\n", "valid.tsv")
    validated = read(train, test=str(test), validation=str(held_out))
    assert validated.parts == ["train"] * 60 + ["validation"] * 2 + ["test"] * 2


def test_files_of_parts_that_cannot_be_meant_are_refused(write: Write) -> None:
    for choices, words in (
        ({"validation": "b.csv"}, "use --test FILE too"),
        ({"test": "b.csv", "split_column": "split"}, "leave --test or --split-column out"),
    ):
        with pytest.raises(UsageError, match=words):
            read(write(csv_text()), **choices)
    broken = write("text,label\none,two,three\n", "test.csv")
    with pytest.raises(DataError, match=r"test\.csv: line 2 has 3 fields"):
        read(write(csv_text()), test=str(broken))


def test_an_encoding_that_there_is_not_is_refused(write: Write) -> None:
    path = write(csv_text())
    for name in ("latin-99", "base64", "undefined"):
        with pytest.raises(UsageError, match=f"there is no encoding '{name}'"):
            read(path, encoding=name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("text,label\n", "has no rows"),
        (csv_text(header=""), "looks like a row and not like names"),
        ("text\nsome words\n", "two are needed"),
        (csv_text(header="text,text"), "two columns are called 'text'"),
        (csv_text(ROWS[:10]), "has 10 rows"),
        (csv_text([(text, "good") for text, _ in ROWS]), "every row has the label 'good'"),
        (csv_text([(text, text[-2:]) for text, _ in ROWS]), "too many for classes"),
        (csv_text([*ROWS, ("odd", "odd")]), "the class 'odd' has 1 row; .*--drop-small-classes"),
        (csv_text([*ROWS, ("no label", "")]), "the column 'label' is empty in line 62"),
        (
            csv_text() + '"a, film,good\nb,bad\n',
            "that opens in line 62 is never closed",
        ),
        (csv_text() + '"a, film,good\n"b",bad\n', "line 63, in a text whose .* in line 62"),
        (csv_text() + "one,two,three\n", "line 62 has 3 fields where the header has 2"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, words: str, write: Write) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read(write(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.jsonl", '{"text": 1}\nnot json\n', "line 2 cannot be read: it is not JSON"),
        ("r.jsonl", "[1]\n", "line 1 is not an object"),
        ("r.parquet", "no parquet", "cannot be read"),
        ("r.jsonl", '{"text": "\\ud800"}\n', "line 1 cannot be read: .* surrogate pair"),
        ("r.jsonl", '{"a": ' + "[" * 5000, "line 1 cannot be read: .* nested too deeply"),
        ("r.jsonl", '{"a": ' + "1" * 5000, "line 1 cannot be read: .* more than 19 digits"),
        ("r.csv", csv_text([("a", "1" * 4400)] * 60), "a label of 4,400 characters, of at most"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: str, words: str, write: Write) -> None:
    with pytest.raises(DataError, match=words):
        read(write(content, name))


def test_two_names_of_an_object_but_for_spaces_are_told_with_the_line(
    tmp_path: Path,
) -> None:
    path = tmp_path / "twice.jsonl"
    path.write_text('{"text": "a", "label": "x"}\n{"text": "b", "label": "x", "label ": "y"}\n')
    with pytest.raises(DataError, match="line 2 has a name twice"):
        read_table(path, OwnChoices())


def test_one_file_is_not_two_parts(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text("text,label\na,x\n")
    with pytest.raises(UsageError, match=r"all\.csv is named for two parts"):
        read_table(path, OwnChoices(test=str(path)))
