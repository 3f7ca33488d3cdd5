"""The words behind IMDB's ranks: Keras publishes them in a file of their own."""

from __future__ import annotations

from pathlib import Path

from rnnbench.data.cache import cache_folder
from rnnbench.data.files import named_path
from rnnbench.data.imdb import download
from rnnbench.errors import DataError
from rnnbench.formats import parse_json, read_bytes

__all__ = ["FILE_NAME", "WORDS_ADDRESS", "WORDS_SHA256", "read_imdb_words"]

FILE_NAME = "imdb_word_index.json"
WORDS_ADDRESS = f"https://storage.googleapis.com/tensorflow/tf-keras-datasets/{FILE_NAME}"
WORDS_SHA256 = "f3dd6f811f312fbc3fdecb86a58901912da26da47f47f69b802e6102a24e711e"
MOST_BYTES = 16 * 2**20  # the real file has 1.5 MB
MOST_WORDS = 1_000_000


def read_imdb_words() -> tuple[str, ...]:
    """The word of rank 1 (the commonest, token 4), of rank 2, and so on.

    Looks at `RNNBENCH_DATA`, then into Keras's cache; otherwise fetches the file, once.

    Raises:
        DataError: it is nowhere and cannot be fetched, or is another file.
    """
    path = next((place for place in _places() if place.is_file()), None) or _fetch()
    try:
        found = parse_json(read_bytes(path, MOST_BYTES), most_values=MOST_WORDS)
        ranks = {str(word): int(rank) for word, rank in found.items()}
        if not all(1 <= rank <= MOST_WORDS for rank in ranks.values()):
            raise ValueError(f"it holds a rank that is not from 1 to {MOST_WORDS:,}")
        words = [""] * max(ranks.values())
        for word, rank in ranks.items():
            words[rank - 1] = word
    except (OSError, ValueError, TypeError, AttributeError) as err:
        raise DataError(f"{path} is no {FILE_NAME} as Keras publishes it: {err}") from err
    return tuple(words)


def _fetch() -> Path:
    return download(
        WORDS_ADDRESS,
        WORDS_SHA256,
        cache_folder() / "downloads" / FILE_NAME,
        instead=f"put Keras's {FILE_NAME} into a folder and set RNNBENCH_DATA to it",
    )


def _places() -> list[Path]:
    places = [named_path("KERAS_HOME", "~/.keras") / "datasets" / FILE_NAME]
    if folder := named_path("RNNBENCH_DATA"):
        places.insert(0, (folder if folder.is_dir() else folder.parent) / FILE_NAME)
    return places
