"""Claims files: what is read, and each mistake with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnnbench.claims.claims import find_line, load_claims
from rnnbench.claims.kinds import CompareTest, LeadTest, ParametersTest, TimingTest
from rnnbench.claims.metrics import METRICS
from rnnbench.errors import StudyError

PAGE = Path(__file__).parents[2] / "docs" / "claims.md"

# Line 1 is empty, so that the first table's header is on line 2.
SOUND = """
[[claim]]
id = "mine"
claim = "A GRU is better."
made_in = "a talk"

[claim.test]
kind = "compare"
metric = "test_accuracy"
a = "gru"
b = "lstm"
expect = "higher"
"""
CLOSE = """
[[claim]]
id = "mine"
claim = "Close."
made_in = "a talk"
[claim.test]
kind = "close"
metric = "test_loss"
reference = "val_loss"
architectures = ["lstm", "gru"]
margin = 0.01
"""
LEAD = """
[[claim]]
id = "mine"
claim = "Ahead."
made_in = "a talk"
[claim.test]
kind = "lead"
metric = "test_accuracy"
a = "lstm"
b = "simple-rnn"
factor = "max_len"
values = [50, 100]
"""
COUNT = """
[[claim]]
id = "mine"
claim = "So many."
made_in = "a talk"
[claim.test]
kind = "parameters"
expect = { gru = 624 }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, "utf-8")
    return path


def read_own(folder: Path, text: str) -> CompareTest:
    (claim,) = [claim for claim in load_claims(write(folder, text)) if claim.id == "mine"]
    assert isinstance(claim.test, CompareTest)
    return claim.test


def test_the_bundled_claims_are_those_of_the_notes() -> None:
    claims = {claim.id: claim for claim in load_claims()}
    assert list(claims) == [
        "lstm-four-times-simple-rnn",
        "gru-624-parameters",
        "dropout-narrows-gap",
        "stacking-improves-score",
        "gru-as-good-as-lstm",
        "gru-faster-epoch",
        "gru-faster-in-all",
        "lstm-resists-overfitting",
        "test-close-to-validation",
        "lstm-keeps-lead",
        "recurrent-dropout-no-gpu",
        "recurrent-dropout-much-slower",
    ]
    lead = claims["lstm-keeps-lead"].test
    assert isinstance(lead, LeadTest)
    assert (lead.factor, lead.values) == ("max_len", (50, 100, 200))
    assert isinstance(claims["recurrent-dropout-no-gpu"].test, TimingTest)


def test_a_sentence_over_several_lines_is_one_line() -> None:
    assert not [claim for claim in load_claims() if "\n" in claim.claim + claim.made_in]


def test_a_users_claims_come_after_the_notes(tmp_path: Path) -> None:
    claims = load_claims(write(tmp_path, SOUND))
    assert [claim.id for claim in claims] == [*[claim.id for claim in load_claims()], "mine"]


def test_a_users_claim_replaces_the_notes_claim_of_its_id(tmp_path: Path) -> None:
    changed = load_claims(write(tmp_path, SOUND.replace('"mine"', '"gru-as-good-as-lstm"')))
    assert [claim.id for claim in changed] == [claim.id for claim in load_claims()]
    assert [claim.claim for claim in changed if claim.id.startswith("gru-as")] == [
        "A GRU is better."
    ]


def test_settings_and_margin_are_read(tmp_path: Path) -> None:
    text = SOUND + 'margin = 0.25\nsettings = { max_len = 200, order = "frozen", units = 4 }\n'
    test = read_own(tmp_path, text)
    assert test.margin == 0.25
    assert test.settings == {"max_len": 200, "order": "frozen", "units": 4}


def test_a_hostile_sentence_stays_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> {{ 7 * 7 }} | `rm` ${HOME}"
    claims = load_claims(write(tmp_path, SOUND.replace("A GRU is better.", hostile)))
    assert claims[-1].claim == hostile


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    own = load_claims(write(tmp_path, example))[len(load_claims()) :]
    assert [claim.id for claim in own] == [
        "gru-small-as-good",
        "frozen-dropout-late",
        "gru-keeps-lead",
    ]


def test_the_page_names_every_metric() -> None:
    text = PAGE.read_text("utf-8")
    assert [name for name in METRICS if f"`{name}`" not in text] == []


MISTAKES = {
    "unknown key of a claim": (
        SOUND.replace("made_in", "made_on"),
        5,
        r"unknown key of a claim 'made_on' \(did you mean 'made_in'\?\); choose from claim, id",
    ),
    "unknown key of a test": (
        SOUND + "margins = 1\n",
        13,
        r"unknown key of a test of kind 'compare' 'margins' \(did you mean 'margin'\?\)",
    ),
    "unknown table": (SOUND + "[[claims]]\n", 13, "unknown key 'claims'"),
    "unknown kind": (
        SOUND.replace('"compare"', '"compares"'),
        8,
        r"unknown kind 'compares' \(did you mean 'compare'\?\); choose from close, compare, lead",
    ),
    "unknown metric": (
        SOUND.replace("test_accuracy", "test_acuracy"),
        9,
        r"unknown metric 'test_acuracy' \(did you mean 'test_accuracy'\?\).*val_loss",
    ),
    "unknown architecture": (
        SOUND.replace('"gru"', '"grru"'),
        10,
        r"unknown architecture 'grru' \(did you mean 'gru'\?\); choose from gru, .*simple-rnn",
    ),
    "unknown architecture in a list": (
        CLOSE.replace('"gru"]', '\n"grru"]'),
        10,
        "unknown architecture 'grru'",
    ),
    "unknown architecture as a key": (
        COUNT.replace("gru =", "grru ="),
        8,
        "unknown architecture 'grru'",
    ),
    "unknown expectation": (
        SOUND.replace("higher", "hihger"),
        12,
        "unknown expect 'hihger'.*equivalent, higher, lower, not higher, not lower",
    ),
    "unknown setting": (
        SOUND + "settings = { maxlen = 3 }\n",
        13,
        r"unknown setting 'maxlen' \(did you mean 'max_len'\?\)",
    ),
    "unknown setting in a table of its own": (
        SOUND + "[claim.test.settings]\nmax_len = 3\nordr = 'frozen'\n",
        15,
        r"unknown setting 'ordr' \(did you mean 'order'\?\)",
    ),
    "setting that must be of the reviews": (SOUND + "settings.fingerprint = 'x'\n", 13, "unknown"),
    "bad value of a setting": (
        SOUND + "settings.epochs = 0\n",
        13,
        "epochs must be a whole number",
    ),
    "list as a setting": (SOUND + "settings.epochs = [1]\n", 13, "'epochs' takes one value"),
    "setting too large for a float": (SOUND + f"settings.dropout = {'9' * 400}\n", 13, "19 digits"),
    "settings that are no table": (SOUND + "settings = 3\n", 13, "'settings' must be a table"),
    "unknown factor": (LEAD.replace("max_len", "maxlen"), 11, "unknown factor 'maxlen'"),
    "factor among the settings": (LEAD + "settings.max_len = 9\n", 13, "'max_len' is the factor"),
    "bad value of the factor": (LEAD.replace("[50,", "[0,"), 12, "max_len must be a whole number"),
    "no values": (LEAD.replace("[50, 100]", "[]"), 12, "'values' must be a list, and not empty"),
    "values twice": (LEAD.replace("[50, 100]", "[50, 50]"), 12, "names something twice"),
    "lead that is equivalent": (LEAD + 'expect = "equivalent"\n', 13, "choose from higher, lower"),
    "missing key of a claim": (SOUND.replace('id = "mine"', ""), 2, "the key 'id' is missing"),
    "missing test": ('\n[[claim]]\nid="a"\nclaim="b"\nmade_in="c"\n', 2, "key 'test' is missing"),
    "missing kind": (SOUND.replace('kind = "compare"', ""), 7, "the key 'kind' is missing"),
    "missing metric": (
        SOUND.replace('metric = "test_accuracy"', ""),
        7,
        "the key 'metric' is missing",
    ),
    "missing margin": (
        SOUND.replace("test_accuracy", "test_loss").replace("higher", "not lower"),
        7,
        "the key 'margin' is missing: .* not for test_loss",
    ),
    "margin of 0": (SOUND + "margin = 0\n", 13, "'margin' must be a number above 0, got 0"),
    "margin in words": (SOUND + "margin = 'half'\n", 13, "'margin' must be a number"),
    "true margin": (SOUND + "margin = true\n", 13, "'margin' must be a number"),
    "margin that is no number": (SOUND + "margin = nan\n", 13, "'margin' must be a number"),
    "margin too large": (SOUND + f"margin = {'9' * 400}\n", 13, "19 digits"),
    "metric that is no text": (SOUND.replace('"test_accuracy"', "3"), 9, "must be the name of a m"),
    "kind that is no text": (SOUND.replace('"compare"', "[1]"), 8, "'kind' must be text, got .1."),
    "architecture that is no text": (SOUND.replace('"gru"', "3"), 10, "must be a name, got 3"),
    "expectation that is no text": (SOUND.replace('"higher"', "[]"), 12, "'expect' must be text"),
    "sentence that is no text": (SOUND.replace('"A GRU is better."', "3"), 4, "must be text"),
    "empty sentence": (SOUND.replace("A GRU is better.", " "), 4, "must be text, and not empty"),
    "id with a space": (SOUND.replace('"mine"', '"my claim"'), 3, "an id may .* got 'my claim'"),
    "test that is no table": (
        "\n[[claim]]\nid='a'\nclaim='b'\nmade_in='c'\ntest = 3\n",
        6,
        "'test' must be a table",
    ),
    "claims in another form": ("\n[claim]\nid = 'a'\n", 2, r"written as \[\[claim\]\] tables"),
    "claims that are numbers": ("claim = [1, 2]\n", 1, "a claim must be a table"),
    "no claim": ("# nothing\n", 1, "the key 'claim' is missing"),
    "id twice": (SOUND + SOUND, 15, "the id 'mine' is used twice"),
    "mistake in the second claim": (
        SOUND + SOUND.replace('"mine"', '"other"').replace('"gru"', '"grru"'),
        22,
        "unknown architecture 'grru'",
    ),
    "twice the same": (SOUND.replace('"lstm"', '"gru"'), 11, "'gru' is the same network as 'gru'"),
    "the same by its settings": (
        SOUND.replace('"gru"', '"lstm-dropout"') + "settings.dropout = 0.3\n",
        11,
        "'lstm' is the same network as 'lstm-dropout'",
    ),
    "metrics of two units": (CLOSE.replace('"val_loss"', '"epochs"'), 9, "cannot be compared with"),
    "metric against itself": (CLOSE.replace('"val_loss"', '"test_loss"'), 9, "cannot be compared"),
    "number of parameters in words": (COUNT.replace("624", "'many'"), 8, "'gru' must be a whole"),
    "parameters without a table": (COUNT.replace("{ gru = 624 }", "624"), 8, "must be a table"),
}


@pytest.mark.parametrize(("text", "line", "sentence"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    with pytest.raises(StudyError, match=rf"my\.toml:{line}: .*{sentence}"):
        load_claims(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[[claim]\n", r"my\.toml:1:\d+"),
        ("[[claim]]\nid = \n", r"my\.toml:2:6"),
        ("[[claim]]\nid = 'a'\nid = 'b'\n", r"my\.toml:3:\d+"),
        ("[[claim]]\nid = [1", r"my\.toml, at its end|my\.toml:2:\d+"),
        (f"[[claim]]\nid = {'9' * 5000}\n", r"my\.toml:2"),
        (f"id = {'[' * 100_000}", r"my\.toml"),
    ],
    ids=["bracket", "no value", "a key twice", "open list", "endless number", "depth"],
)
def test_a_syntax_error_is_told_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(StudyError, match=f"({place}): not valid TOML: .+"):
        load_claims(write(tmp_path, text))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "no text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match=r"cannot read .*my\.toml"):
        load_claims(path)


TRICKY = '''# [[claim]]
title = """
[[claim]]
metric = "in a text" # ] "
"""
other = 'a # b [' # [ {

[[claim]]
id = "a"  # "quotes' in a comment
list = [
  "x", # ]
  "]",
]
test = { kind = "k", metric = "m" }

[[claim]]
"id" = "b"
[claim.test]
metric = """one
two\\""" three""""
settings.max_len = 3
[claim.test.more]
order = 1'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("other",), 6),
        (("claim",), 8),
        (("claim", 0, "id"), 9),
        (("claim", 0, "list"), 10),
        (("claim", 0, "list", 1), 10),
        (("claim", 0, "test", "metric"), 14),
        (("claim", 1), 16),
        (("claim", 1, "id"), 17),
        (("claim", 1, "test"), 18),
        (("claim", 1, "test", "metric"), 19),
        (("claim", 1, "test", "settings", "max_len"), 21),
        (("claim", 1, "test", "more", "order"), 23),
        (("claim", 1, "test", "more", "missing"), 22),
        (("claim", 1, "test", "missing"), 18),
        (("claim", 2), 8),
        (("missing",), 1),
        ((), 1),
    ],
    ids=str,
)
def test_the_line_of_a_value_is_found(path: tuple[str | int, ...], line: int) -> None:
    assert find_line(TRICKY, path) == line


def test_a_test_checks_itself_without_a_file() -> None:
    with pytest.raises(StudyError, match="unknown architecture 'grru'"):
        ParametersTest(expect={"grru": 1})


TIMING = """
[[claim]]
id = "mine"
claim = "It is slow."
made_in = "a talk"
[claim.test]
kind = "timing"
a = "lstm-recurrent-dropout"
b = "lstm"
measured_by = "steps"
"""


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("", "the key 'expect' is missing"),
        ('expect = "fast"', "unknown expect 'fast'"),
        ('expect = "slower"', "the key 'ratio' is missing: how many times slower?"),
        ('expect = "slower"\nratio = 0', "'ratio' must be a number above 0"),
        ('expect = "cannot run"\ndevice = "tpu"', "unknown device 'tpu'"),
    ],
)
def test_a_timing_test_says_what_it_expects_where(
    tmp_path: Path, lines: str, sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence):
        load_claims(write(tmp_path, TIMING + lines))


def test_a_timing_test_compares_a_network_with_itself_under_recurrent_dropout(
    tmp_path: Path,
) -> None:
    text = TIMING.replace('b = "lstm"', 'b = "gru"') + 'expect = "cannot run"'
    with pytest.raises(StudyError, match="compares lstm-recurrent-dropout with lstm"):
        load_claims(write(tmp_path, text))
