"""Lists that cannot be read: what is said of them."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.errors import ListError
from bulk.loader import ContactList, ReadSpec

ANN, BOB = "+14155550123", "+14155550124"
PHONE = ReadSpec(kind="phone", destination="phone")
HEAD = f"phone,name\n{ANN},Zoë\n"

Trouble = Callable[[str, str | bytes], str]


@pytest.fixture
def trouble(tmp_path: Path) -> Trouble:
    """Return what is wrong with a list of this name and content."""

    def found(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(ListError) as raised:
            list(ContactList.open(path).batches(PHONE))
        return str(raised.value)

    return found


def parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"phone": [f"+1415555{n:04}" for n in range(9000)]}).write_parquet(file)
    return file.getvalue()


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, HEAD)
    return file.getvalue()


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("list.csv", b"", "list.csv is empty: a list has a header and rows"),
        ("list.csv", "\n \n", "list.csv is empty: a list has a header and rows"),
        ("list.csv", "phone,name\n", "list.csv has no rows: below the header there is nothing to send to"),
        ("list.csv", "phone,name\n\n\n", "list.csv has no rows: below the header there is nothing to send to"),
        ("list.csv", b"\x89PNG\r\n\x1a\n\0\0", "list.csv is not a text file: give CSV, NDJSON, Parquet or a workbook"),
        ("list.csv", "<!doctype html><p>", "list.csv is HTML or XML: export the list as CSV"),
        ("list.json", '[{"phone": 1}]', "list.json is JSON, but not NDJSON: write one object on each line"),
        ("list.json", '{\n  "phone": 1\n}', "list.json is JSON, but not NDJSON: write one object on each line"),
        ("list.xlsx", zipped("[Content_Types].xml", "xl/workbook.xml"), "list.xlsx cannot be read as a workbook ("),
        ("list.xlsx", HEAD, "list.xlsx is not a workbook: set `format` under [list]"),
        ("list.xlsx", zipped("a.csv")[:40], "list.xlsx cannot be read as a workbook ("),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "list.xls cannot be read as a workbook ("),
        (
            "list.zip",
            zipped("a.csv", "b.csv"),
            "list.zip holds 2 files (a.csv, b.csv): unpack it and give one list of it",
        ),
        ("list.csv", bytes(100), "list.csv is not a text file"),
        ("list.zip", zipped("a.csv")[:-30], "list.zip is a zip archive cut short or damaged: fetch it again"),
        ("list.gz", gzip.compress(HEAD.encode())[:-9], "list.gz, header: list.gz is cut short or damaged"),
        ("list.parquet", HEAD, "list.parquet is not a Parquet file: set `format` under [list]"),
        ("list.parquet", parquet()[:-100], "list.parquet: the Parquet file is cut short or damaged"),
        ("list.parquet", parquet()[:200], "list.parquet: the Parquet file is cut short or damaged"),
    ],
    ids=lambda value: "bytes" if isinstance(value, bytes) else None,  # some hold the time they were made at
)
def test_what_is_no_list_is_told_with_the_remedy(
    trouble: Trouble, name: str, content: str | bytes, message: str
) -> None:
    assert trouble(name, content).startswith(message)


def test_a_parquet_file_damaged_inside_is_told_with_the_rows(trouble: Trouble) -> None:
    content = bytearray(parquet())
    content[100:400] = bytes(300)
    assert trouble("list.parquet", bytes(content)).startswith("list.parquet, rows 0 to ")


def test_undecodable_bytes_are_told_with_the_line(trouble: Trouble) -> None:
    said = trouble("list.csv", f"{HEAD}{BOB},Bob\n{BOB},".encode() + b"\xff\n")
    assert said == (
        "list.csv, line 4: the byte 0xff is not utf-8: save the list as UTF-8 ('CSV UTF-8'), "
        "or name its `encoding` under [list]"
    )


def test_undecodable_bytes_among_quoted_rows_are_told_with_the_line(trouble: Trouble) -> None:
    said = trouble("list.csv", f'{HEAD}{BOB},"B\nob"\n{BOB},'.encode() + b"\xff\n")
    assert said.startswith("list.csv, line 5: the byte 0xff is not utf-8")


def test_undecodable_bytes_far_down_are_told_with_the_line(trouble: Trouble) -> None:
    said = trouble("list.csv", HEAD.encode() + f"{BOB},Bob\n".encode() * 99_999 + f"{BOB},".encode() + b"\xc3\n")
    assert said.startswith("list.csv, line 100002: the byte 0xc3 is not utf-8")


def test_bytes_that_no_encoding_makes_names_of_are_told_with_the_remedy(trouble: Trouble) -> None:
    said = trouble("list.csv", f"phone,name\n{ANN},".encode() + b"Zo\xeb\n" + BOB.encode() + b",\x81\n")
    assert said.startswith(
        "list.csv is not UTF-8, and its encoding cannot be told: save it as UTF-8 ('CSV UTF-8'), or set"
    )


def test_bytes_that_a_guessed_encoding_lacks_are_told_with_the_line(trouble: Trouble) -> None:
    names = "".join(f"{ANN},Zoë Müller\n" for _ in range(10_000)).encode("cp1252")
    said = trouble("list.csv", b"phone,name\n" + names + BOB.encode() + b",\x81\n")
    assert said.startswith("list.csv, line 10002: the byte 0x81 is not cp1252")


def test_a_quote_that_is_never_closed_is_told_with_the_line(trouble: Trouble) -> None:
    said = trouble("list.csv", f'{HEAD}{BOB},"Bob\n{BOB},Bob\n')
    assert said == "list.csv, line 3: a quote is opened here and never closed: close it, or double it"


@pytest.mark.parametrize(
    "line, message",
    [
        ("{", "the line is no JSON (Expecting property name enclosed in double quotes"),
        ("[1]", "the line is no JSON object: write one object on each line"),
        (
            '{"phone": "' + BOB + '", "visits": "many"}',
            "'visits' is not Int64, as in the first rows: write it with one",
        ),
    ],
)
def test_a_line_of_ndjson_that_does_not_fit_is_told_with_the_line(trouble: Trouble, line: str, message: str) -> None:
    rows = f'{{"phone": "{ANN}", "visits": 1}}\n' * 20_000
    said = trouble("list.ndjson", f"{rows}\n{line}\n")
    assert said.startswith(f"list.ndjson, line 20002: {message}")
    assert BOB not in said


def test_ndjson_that_contradicts_itself_from_the_start_is_told_with_the_line(trouble: Trouble) -> None:
    assert "has another type here than before" in trouble("list.ndjson", '{"phone": {"a": 1}}\n{"phone": [1]}\n')


def test_a_missing_file_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text(HEAD)
    with pytest.raises(ListError, match=r"^there is no list .*contcts.csv: did you mean 'contacts.csv'\?$"):
        ContactList.open(tmp_path / "contcts.csv")
    with pytest.raises(ListError, match=r"^there is no list .*: check the path$"):
        ContactList.open(tmp_path / "nowhere" / "contacts.csv")


def test_a_folder_without_lists_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(ListError, match=r"^there is no list in .*: check the path$"):
        ContactList.open(tmp_path)
    with pytest.raises(ListError, match=r"^there is no list in .*\*\.csv: check the path$"):
        ContactList.open(tmp_path / "*.csv")


def test_a_file_that_goes_away_is_an_error_of_the_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEAD)
    contacts = ContactList.open(path)
    path.unlink()
    with pytest.raises(ListError, match=r"^list.csv cannot be read"):
        list(contacts.batches(PHONE))


def test_an_unknown_format_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(HEAD)
    with pytest.raises(ListError, match=r"no list format 'parket': did you mean 'parquet'\?"):
        ContactList.open(tmp_path / "list.csv", format="parket")


def test_a_given_format_is_not_second_guessed(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text('{"phone": 1},name\nx,y\n')
    assert ContactList.open(tmp_path / "list.txt", format="csv").columns[-1] == "name"


@pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame({"phone": []}), pl.LazyFrame({"phone": []})])
def test_a_frame_without_rows_is_an_error(frame: pl.DataFrame | pl.LazyFrame) -> None:
    with pytest.raises(ListError, match=r"^frame has no rows"):
        ContactList.open(frame)


def test_a_lazy_frame_that_fails_is_an_error_of_the_list() -> None:
    with pytest.raises(ListError, match=r"^frame: the lazy frame cannot be run"):
        ContactList.open(pl.LazyFrame({"phone": [ANN]}).select("fone"))


BITS = st.lists(
    st.sampled_from(['"', ",", ";", "\n", "\r", "\r\n", "\n\n", "a", "é", "\ufeff", "{}", '{"phone": 1}', "\0"])
)
MAGIC = st.sampled_from([b"", b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1", b"\xff\xfe", b"\xfe\xff"])


@given(
    st.one_of(
        st.tuples(MAGIC, st.binary(max_size=200)).map(b"".join),
        st.tuples(BITS, st.sampled_from(["utf-8", "cp1252", "utf-16"])).map(
            lambda made: ("phone,name\n" + "".join(made[0])).encode(made[1], "ignore")
        ),
    )
)
def test_it_reads_any_bytes_to_the_end_or_says_why_not(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    try:
        contacts = ContactList.open(path)
        wanted = ReadSpec(kind="phone", destination=contacts.columns[0], columns=frozenset(contacts.columns))
        found = [recipient.row for batch in contacts.batches(wanted, size=2) for recipient in batch.recipients]
        assert found == list(range(contacts.count()))
    except ListError as error:
        assert str(error).startswith("any")  # noqa: PT017 - either end is a right one
