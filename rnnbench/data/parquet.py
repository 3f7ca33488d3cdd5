"""The columns of a Parquet file, counted before they are expanded.

A value that repeats takes a few bits of the file, and a column of it as much as anybody likes.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rnnbench.data.rows import MOST_LINES, Rows, as_text
from rnnbench.errors import DataError
from rnnbench.output.characters import first_line

MOST_VALUES = 100_000_000  # rows times columns: 0.4 GB of places in dictionaries
MOST_TEXT_BYTES = 2**30  # of all texts


def read_parquet(
    path: Path, named: Collection[str | None] = (), most_rows: int = MOST_LINES
) -> Rows:
    """The rows of a file, but columns of lists, records, pictures and the like.

    Args:
        named: columns that are not to be left out.

    Raises:
        DataError: it is no Parquet file, damaged, or expands to more than is allowed; or a column
            that is needed holds no texts.
    """
    import pyarrow

    columns: dict[str, list[str]] = {}
    strange: dict[str, str] = {}
    try:
        table = _read_table(path, most_rows)
        _check_bytes(path, table)
        for name, column in zip(table.column_names, table.columns, strict=True):
            values = list(_expand(column))
            try:
                columns[name] = [as_text(value) for value in values]
            except UnicodeDecodeError:
                strange[name] = str(_plain_type(column.type))
    except UnicodeError as err:
        raise DataError(f"{path} cannot be read: a text in it is not UTF-8") from err
    except (OSError, pyarrow.ArrowException) as err:
        raise DataError(f"{path} cannot be read: {first_line(err)}") from err
    for name, kind in strange.items():
        if name in named or len(columns) < 2:
            raise DataError(f"{path}: the column '{name}' holds {kind}, not UTF-8 text")
    n_rows = table.num_rows if table.column_names else 0
    return Rows(columns, list(range(1, n_rows + 1)), unit="row")


def _read_table(path: Path, most_rows: int) -> Any:  # Any: pyarrow is untyped
    """The flat columns, texts as places in a dictionary."""
    import pyarrow.parquet
    from pyarrow import types

    with pyarrow.parquet.ParquetFile(path) as file:
        n_rows, fields = file.metadata.num_rows, file.schema_arrow
    flat = [field for field in fields if not types.is_nested(_plain_type(field.type))]
    if n_rows > most_rows:
        raise DataError(f"{path} has {n_rows:,} rows, of at most {most_rows:,}")
    if n_rows * len(flat) > MOST_VALUES:
        raise DataError(
            f"{path} has {n_rows:,} rows of {len(flat):,} columns: {n_rows * len(flat):,} values, "
            f"of at most {MOST_VALUES:,}; keep the columns that are needed"
        )
    texts = [field.name for field in flat if _is_text(_plain_type(field.type))]
    return pyarrow.parquet.read_table(
        path, columns=[field.name for field in flat], read_dictionary=texts
    )


def _check_bytes(path: Path, table: Any) -> None:  # Any: pyarrow is untyped
    """See how long all texts are, each as often as it stands in the file."""
    n_bytes = sum(_n_bytes(chunk) for column in table.columns for chunk in column.chunks)
    if n_bytes > MOST_TEXT_BYTES:
        raise DataError(f"{path} holds {n_bytes:,} bytes of text, of at most {MOST_TEXT_BYTES:,}")


def _n_bytes(chunk: Any) -> int:  # Any: pyarrow is untyped
    import pyarrow.compute
    from pyarrow import types

    if types.is_dictionary(chunk.type) and _is_text(chunk.type.value_type):
        lengths = pyarrow.compute.binary_length(chunk.dictionary).take(chunk.indices)
        return pyarrow.compute.sum(lengths.cast("int64")).as_py() or 0
    if types.is_fixed_size_binary(chunk.type):
        return len(chunk) * int(chunk.type.byte_width)
    return 0


def _expand(column: Any) -> Iterator[Any]:  # Any: pyarrow is untyped
    from pyarrow import types

    for chunk in column.chunks:
        plain = chunk.dictionary_decode() if types.is_dictionary(chunk.type) else chunk
        yield from plain.to_pylist()


def _plain_type(kind: Any) -> Any:  # Any: pyarrow is untyped
    from pyarrow import types

    return kind.value_type if types.is_dictionary(kind) else kind


def _is_text(kind: Any) -> bool:  # Any: pyarrow is untyped
    import pyarrow

    texts = (pyarrow.string, pyarrow.large_string, pyarrow.binary, pyarrow.large_binary)
    return any(kind == text() for text in texts)
