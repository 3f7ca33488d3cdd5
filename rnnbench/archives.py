"""A study as one zip file: written from the ledger, and checked whole before anything is taken in.

    rnnbench.json      format, version, study, where from, size and SHA-256 of each file
    study.json         what the study declared, and when
    looks.json         the looks at which it gave verdicts, if there were any
    races/<texts>/<race>.json   the races that chose the settings of its runs, if there were any
    texts/<data>.json  what reports need to know of texts, none of which is in it
    README.md          what the models are, for people; nothing reads it
    runs/<fingerprint>/spec.json, network.json, result.json, history.csv, best.keras,
                       predictions.npz, tokenizer.json

Nothing in an archive can run code: JSON, CSV and arrays without pickles are read, and a model and
the code of a network are only copied. No path and no size in it is trusted.
"""

import hashlib
import itertools
import json
import platform
import re
import shutil
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rnnbench.archived_runs import read_run
from rnnbench.data.files import whole_file
from rnnbench.data.text_summaries import MOST_SUMMARY_BYTES, TextSummary, parse_summary
from rnnbench.data.tokenizer import TOKENIZER
from rnnbench.entries import MOST_BYTES, LedgerEntry, check_time, parse_declarations
from rnnbench.errors import ArchiveError, StoreError, StudyError
from rnnbench.formats import FormatError, check_text, open_zip, parse_json, read_bytes, why_failed
from rnnbench.limits import MOST_RUNS
from rnnbench.looks import Look, parse_looks
from rnnbench.output.amounts import size
from rnnbench.sources import NETWORK_FILE
from rnnbench.study import check_description, check_name

FORMAT = "rnnbench study"
VERSION = 4  # 1: without looks, 2: races, 3: texts, README.md and tokenizers; as is still written
MANIFEST = "rnnbench.json"
DECLARATIONS = "study.json"
LOOKS = "looks.json"
CARD = "README.md"
RUN_FILES = (
    *("spec.json", NETWORK_FILE, "result.json"),
    *("history.csv", "best.keras", "predictions.npz", TOKENIZER),
)
MOST_FILES = MOST_RUNS * len(RUN_FILES)
MOST_MANIFEST_BYTES = 256 * MOST_FILES
MOST_MANIFEST_VALUES = 4 * MOST_FILES
MOST_DECLARATIONS_BYTES = 2**20
MOST_RATIO = 200  # bytes unpacked of one packed; of zeros alone deflate makes 1,000
CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A checked archive, unpacked.

    Args:
        origin: the machine it comes from.
        digest: SHA-256 of the manifest, which names the content of every other file.
        declarations: `declared_at` and `declaration` of each, the latest last.
        looks: those at which the study gave verdicts there, the latest last.
        races: files of which nothing is checked but name, size and digest.
        summaries: of texts, by their fingerprint.
    """

    study: str
    origin: str
    digest: str
    runs: tuple[LedgerEntry, ...]
    declarations: tuple[Mapping[str, Any], ...]  # Any: JSON values
    looks: tuple[Look, ...] = ()
    races: tuple[Path, ...] = ()
    summaries: Mapping[str, TextSummary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands in an archive beside the runs and what was declared of them.

    Args:
        looks: at which the study gave verdicts.
        races: files of those that chose the runs' settings, by their place in the ledger.
        summaries: of the texts, by their fingerprint.
        tokenizers: of runs that have none in the ledger, by the run's fingerprint.
        card: for people, in Markdown.
    """

    looks: Sequence[Look] = ()
    races: Mapping[str, bytes] = field(default_factory=dict)
    summaries: Mapping[str, TextSummary] = field(default_factory=dict)
    tokenizers: Mapping[str, bytes] = field(default_factory=dict)
    card: str = ""


def write_archive(
    path: Path,
    study: str,
    entries: Sequence[LedgerEntry],
    declarations: Sequence[Mapping[str, Any]],
    beside: Beside = Beside(),
) -> None:
    """Write the runs of a study that are over; the file is there whole or not at all.

    Raises:
        OSError: the disk is full, or the place cannot be written to.
    """
    files: dict[str, dict[str, Any]] = {}
    with whole_file(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:

        def add(name: str, content: bytes) -> None:
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            file.writestr(name, content)

        add(DECLARATIONS, json.dumps(list(declarations)).encode())
        if beside.card:
            add(CARD, beside.card.encode())
        if beside.looks:
            add(LOOKS, json.dumps([look.to_json() for look in beside.looks]).encode())
        for name, content in beside.races.items():
            add(name, content)
        for fingerprint, summary in beside.summaries.items():
            add(f"texts/{fingerprint}.json", summary.to_json())
        for entry in entries:
            for name in RUN_FILES:
                if (entry.folder / name).exists():
                    content = (entry.folder / name).read_bytes()
                    add(f"runs/{entry.fingerprint}/{name}", content)
            if tokenizer := beside.tokenizers.get(entry.fingerprint):
                add(f"runs/{entry.fingerprint}/{TOKENIZER}", tokenizer)
        manifest = {
            "format": FORMAT,
            "version": _needed_version(files),
            "written_by": f"rnnbench {version('rnnbench')}",
            "study": study,
            "origin": platform.node(),
            "exported_at": time.time(),
            "files": files,
        }
        file.writestr(MANIFEST, json.dumps(manifest, indent=1))


def read_archive(path: Path, into: Path) -> Archive:
    """Check every file of an archive, and unpack it into a folder of its own.

    Raises:
        ArchiveError: it is not a study's archive, newer, damaged, or holds what it must not;
            what was unpacked is of no use then.
        StoreError: it does not fit on the disk.
    """
    try:
        with open_zip(path, MOST_FILES) as file:
            return _read(file, path.stat().st_size, into)
    except StoreError:
        raise
    except (ArchiveError, FormatError) as err:
        raise ArchiveError(f"{path} is refused: {err}") from err
    except OSError as err:
        raise ArchiveError(f"{path} cannot be unpacked: {why_failed(err)}") from err
    except Exception as err:  # whatever a hostile file makes zipfile, json or numpy raise
        found = f"{type(err).__name__}: {str(err)[:200]!a}"
        raise ArchiveError(
            f"{path} is refused: it is damaged, or not an archive ({found})"
        ) from err


def check_declarations(content: bytes) -> tuple[Mapping[str, Any], ...]:  # Any: JSON values
    """What a study declared elsewhere, as a study checks it.

    Raises:
        ArchiveError: no study could have declared that.
    """
    try:
        declarations = parse_declarations(content)
        for item in declarations:
            check_description(item["declaration"].get("description", ""))
    except (StudyError, KeyError, TypeError, ValueError) as err:
        raise ArchiveError(f"no study could have declared that ({str(err)[:200]!a})") from err
    return tuple(declarations)


def _read(file: zipfile.ZipFile, n_bytes: int, into: Path) -> Archive:
    members = {item.filename for item in file.infolist()}
    content = _read_manifest(file, members)
    manifest = parse_json(content, most_values=MOST_MANIFEST_VALUES)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArchiveError("it is not a study that rnnbench exported")
    if manifest["version"] > VERSION:
        raise ArchiveError(f"it was written by a newer version ({str(manifest['written_by'])!a})")
    listed = manifest["files"]
    for name in members - {MANIFEST}:
        if name not in listed or not _is_allowed(name):
            raise ArchiveError(f"it holds {name[:200]!a}, which does not belong in an archive")
    missing = sorted(listed.keys() - members)
    if missing:
        raise ArchiveError(f"{missing[0][:200]!a} is missing")
    _check_sizes(listed, n_bytes, into)
    try:
        study = check_name(manifest["study"])
        check_text("the machine that it comes from", manifest["origin"], 253)
        check_time("exported_at", manifest["exported_at"])
    except (StudyError, ValueError) as err:
        raise ArchiveError(str(err)) from err
    _unpack(file, DECLARATIONS, listed[DECLARATIONS], into)
    archive = Archive(
        study=study,
        origin=manifest["origin"].strip() or "an unnamed machine",
        digest=hashlib.sha256(content).hexdigest(),
        declarations=check_declarations(read_bytes(into / DECLARATIONS, MOST_DECLARATIONS_BYTES)),
        looks=_read_looks(file, listed, into),
        races=_read_races(file, listed, into),
        summaries=_read_summaries(file, listed, into),
        runs=_read_runs(study, file, listed, into),
    )
    _check_summaries(archive)
    return archive


def _needed_version(names: Iterable[str]) -> int:
    """The earliest version of this program's archives that has files like these."""
    kinds = {name.partition("/")[0] for name in names} | {name.rpartition("/")[2] for name in names}
    if kinds & {CARD, TOKENIZER, NETWORK_FILE, "texts"}:
        return VERSION
    return 3 if "races" in kinds else 2 if LOOKS in kinds else 1


def _read_manifest(file: zipfile.ZipFile, members: set[str]) -> bytes:
    if MANIFEST not in members:
        raise ArchiveError(f"it holds no {MANIFEST}, so it is not a study that rnnbench exported")
    n_files = len(file.infolist()) - 1
    if len(members) <= n_files:
        raise ArchiveError("it names a file twice")
    if n_files > MOST_FILES + 1:
        raise ArchiveError(f"it holds {n_files:,} files, of at most {MOST_FILES + 1:,}")
    with file.open(MANIFEST) as stream:
        content = stream.read(MOST_MANIFEST_BYTES + 1)
    if len(content) > MOST_MANIFEST_BYTES:
        raise ArchiveError(f"its {MANIFEST} has more than {MOST_MANIFEST_BYTES:,} bytes")
    return content


def _read_looks(
    file: zipfile.ZipFile,
    listed: Mapping[str, Any],  # Any: JSON values
    into: Path,
) -> tuple[Look, ...]:
    if LOOKS not in listed:
        return ()
    _unpack(file, LOOKS, listed[LOOKS], into)
    try:
        return tuple(parse_looks(read_bytes(into / LOOKS, MOST_BYTES[LOOKS])))
    except (StudyError, KeyError, TypeError, ValueError) as err:
        raise ArchiveError(f"its {LOOKS} holds no looks ({str(err)[:200]!a})") from err


def _read_races(
    file: zipfile.ZipFile,
    listed: Mapping[str, Any],  # Any: JSON values
    into: Path,
) -> tuple[Path, ...]:
    names = sorted(name for name in listed if _RACE.fullmatch(name))
    if len(names) > _MOST_RACES:
        raise ArchiveError(f"it has {len(names):,} races, of at most {_MOST_RACES}")
    for name in names:
        _unpack(file, name, listed[name], into)
    return tuple(into / name for name in names)


def _read_summaries(
    file: zipfile.ZipFile,
    listed: Mapping[str, Any],  # Any: JSON values
    into: Path,
) -> dict[str, TextSummary]:
    names = sorted(name for name in listed if _SUMMARY.fullmatch(name))
    if len(names) > _MOST_SUMMARIES:
        raise ArchiveError(f"it is of {len(names):,} data sets, of at most {_MOST_SUMMARIES:,}")
    found = {}
    for name in names:
        _unpack(file, name, listed[name], into)
        try:
            content = read_bytes(into / name, MOST_SUMMARY_BYTES)
            found[Path(name).stem] = parse_summary(content)
        except FormatError as err:
            raise ArchiveError(f"its {name[:18]}….json cannot be read: {err}") from err
    return found


def _check_summaries(archive: Archive) -> None:
    """Each is of texts that a run learnt from, with as many classes."""
    n_classes = {
        spec.data.fingerprint: spec.data.n_classes for spec in map(LedgerEntry.spec, archive.runs)
    }
    for fingerprint, summary in archive.summaries.items():
        if n_classes.get(fingerprint) != len(summary.classes):
            raise ArchiveError(f"its texts {fingerprint[:12]} are not those of its runs")


def _read_runs(
    study: str,
    file: zipfile.ZipFile,
    listed: Mapping[str, Any],  # Any: JSON values
    into: Path,
) -> tuple[LedgerEntry, ...]:
    """Each run is unpacked and checked before the next one is."""
    names = sorted(name for name in listed if _RUN_FILE.fullmatch(name))
    runs = []
    for fingerprint, group in itertools.groupby(names, lambda name: name.split("/")[1]):
        for name in group:
            _unpack(file, name, listed[name], into)
        runs.append(read_run(study, into / "runs" / fingerprint))
    return tuple(runs)


def _is_allowed(name: str) -> bool:
    """Whether a member's name is one that `write_archive` gives: no other path is ever used."""
    return name in (DECLARATIONS, LOOKS, CARD) or any(
        pattern.fullmatch(name) for pattern in (_RUN_FILE, _RACE, _SUMMARY)
    )


_RUN_FILE = re.compile(f"runs/[0-9a-f]{{16}}/(?:{'|'.join(map(re.escape, RUN_FILES))})")
_MOST_SUMMARIES = 100
_SUMMARY = re.compile(r"texts/[0-9a-f]{64}\.json")
_MOST_RACES = 100
_RACE = re.compile(r"races/[0-9a-f]{16}/[0-9a-f]{12}\.json")


def _check_sizes(listed: Mapping[str, Any], n_bytes: int, into: Path) -> None:  # Any: JSON values
    """The stated sizes are sizes, none is beyond its limit, and all of them fit on the disk.

    Args:
        n_bytes: of the archive.
    """
    for name, stated in listed.items():
        most = MOST_BYTES.get(name.rsplit("/", 1)[-1], MOST_DECLARATIONS_BYTES)
        most = MOST_SUMMARY_BYTES if _SUMMARY.fullmatch(name) else most
        n_stated = stated["bytes"]
        if type(n_stated) is not int or not 0 <= n_stated <= most:
            raise ArchiveError(f"{name} has {n_stated!a} bytes, of at most {most:,}")
    unpacked = sum(stated["bytes"] for stated in listed.values())
    if unpacked > MOST_RATIO * n_bytes:
        raise ArchiveError(
            f"its {n_bytes:,} bytes unpack to {unpacked:,}, more than {MOST_RATIO} times as many"
        )
    # The runs are copied once more, into MLflow's store.
    needed, free = 2 * unpacked, shutil.disk_usage(into).free
    if needed > free:
        raise StoreError(
            f"the archive's runs take {size(needed)} with MLflow's copies, and the disk has "
            f"{size(free)} left; free some space there, then run the command again"
        )


def _unpack(file: zipfile.ZipFile, name: str, stated: Mapping[str, Any], into: Path) -> None:
    """Write a member of the size and content that the manifest names; never more bytes."""
    digest, left = hashlib.sha256(), stated["bytes"]
    with file.open(name) as stream, whole_file(into / name) as target:
        while chunk := stream.read(min(CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ArchiveError(f"{name} unpacks to more than {stated['bytes']:,} bytes")
            digest.update(chunk)
            target.write(chunk)
    if left or digest.hexdigest() != stated["sha256"]:
        raise ArchiveError(f"{name} does not match the archive's manifest")
