"""Lists that would take all memory, all time or the process itself: each is a sentence, with exit code 2."""

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped] # it publishes no types
import pytest
import xlsxwriter
from cli_runs import campaign, environment

ROOM = 3 << 29  # bytes of memory of its own that a process may have
MIB = 1 << 20

Make = Callable[[Path], Path]


def zst(path: Path) -> Path:
    with pa.OSFile(str(path / "list.zst"), "wb") as file, pa.CompressedOutputStream(file, "zstd") as packed:
        packed.write(b"id,phone,name,date\n")
        for _ in range(1000):
            packed.write(b"x" * MIB)
    return path / "list.zst"


def gz(path: Path) -> Path:
    with gzip.open(path / "list.gz", "wb", compresslevel=1) as packed:
        packed.write(b"id,phone,name,date\n")
        for _ in range(100):
            packed.write(b"x" * MIB)
    return path / "list.gz"


def packing(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path / "list.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1)


def zipped(path: Path) -> Path:
    with packing(path) as archive, archive.open("list.csv", "w") as file:
        for _ in range(100):
            file.write(b"x" * MIB)
    return path / "list.zip"


def workbook_in_zip(path: Path) -> Path:
    far_out(path)
    with zipfile.ZipFile(path / "list.zip", "w") as archive:
        archive.write(path / "list.xlsx", "list.xlsx")
    return path / "list.zip"


def bomb_in_zip(path: Path) -> Path:
    with packing(path) as archive, archive.open("list.parquet", "w", force_zip64=True) as file:
        file.write(b"PAR1")
        for _ in range(1030):
            file.write(bytes(MIB))
    return path / "list.zip"


def far_out(path: Path) -> Path:
    book = xlsxwriter.Workbook(path / "list.xlsx")
    sheet = book.add_worksheet()
    sheet.write(0, 0, "phone")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    return path / "list.xlsx"


def text(content: str, name: str) -> Make:
    def make(path: Path) -> Path:
        (path / name).write_text(content)
        return path / name

    return make


def deep(depth: int, opening: str, closing: str) -> Make:
    return text('{"id":"1","phone":' + opening * depth + '"x"' + closing * depth + "}\n", "list.ndjson")


LINE = "the line is longer than 67,108,864 characters"
DEEP = "list.ndjson, line 1: arrays and objects are nested more than 100 deep"
MANY = "the list has 20,000 columns, and may have 16,384"
MADE: dict[str, tuple[Make, str]] = {
    "zst with an endless line": (zst, LINE),
    "gz with an endless line": (gz, LINE),
    "zip with an endless line": (zipped, LINE),
    "zip with zeros": (bomb_in_zip, "unpacked"),
    "cells far out": (far_out, "its cells reach from A1 to XFD1048576"),
    "cells far out in a zip": (workbook_in_zip, "its cells reach from A1 to XFD1048576"),
    "arrays in arrays": (deep(5_000, "[", "]"), DEEP),
    "objects in objects": (deep(5_000, '{"a":', "}"), DEEP),
    "arrays in arrays without end": (deep(2_000_000, "[", ""), DEEP),
    "columns without end": (text("x," * 19_999 + "x\n1\n", "list.csv"), MANY),
    "members without end": (
        text("{" + ",".join(f'"m{n}":1' for n in range(20_000)) + "}\n", "list.ndjson"),
        "there are 20,000 members, and there may be 16,384",
    ),
}


# A new process counts the memory of the one that started it as its own until it is another program. So a small
# process starts the program, and tells what that needed at most.
MEASURED = """
import os, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_DATA, ({room},) * 2)
code = subprocess.call({words}, stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def checked(folder: Path, path: Path) -> tuple[int, str, int]:
    """Check a campaign with this list where there is no more memory than a process may have: exit code, words, peak."""
    campaign(folder)
    words = [sys.executable, "-m", "bulk", "check", "campaign.toml", "--contacts", str(path)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(room=ROOM, words=words)],
        cwd=folder,
        env=environment(TMPDIR=str(folder)),
        capture_output=True,
        text=True,
        check=True,
    )
    code, peak = map(int, done.stdout.split())
    return code, done.stderr, peak


@pytest.mark.timeout(100)
@pytest.mark.parametrize("name", MADE)
def test_a_list_without_bounds_is_a_sentence(name: str, tmp_path: Path) -> None:
    make, message = MADE[name]
    (tmp_path / "lists").mkdir()
    code, said, peak = checked(tmp_path, make(tmp_path / "lists"))
    assert "Traceback" not in said
    assert (code, message in said) == (2, True), said[-2000:]
    assert peak < ROOM
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("bulk-")]


@pytest.mark.timeout(20)
def test_thousands_of_columns_of_one_name_are_read_in_time(tmp_path: Path) -> None:
    rows = ["phone," + ",".join(["x"] * 5_000), "+14155550123," + ",".join(["1"] * 5_000)]
    path = text("\n".join(rows) + "\n", "list.csv")(tmp_path)
    from bulk.loader import ContactList  # noqa: PLC0415 - the others run it in a process of its own

    contacts = ContactList.open(path)
    assert contacts.columns[-1] == "x_5000"
    assert contacts.notes[-1] == "4,996 more columns have no name, or that of another column, and were given one"
