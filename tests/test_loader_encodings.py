"""Lists that are no UTF-8: what they are taken for, what is said of that, and how a person says it."""

import gzip
from pathlib import Path

import pytest

from bulk.errors import ListError
from bulk.loader import ContactList, Layout, ReadSpec

NUMBER = "+14155550123"

POLISH = ["Łukasz", "Żaneta Łoś", "Świętosława", "Małgorzata Dąbrowska", "Józef"]
CZECH = ["Jiří", "Tomáš Dvořák", "Žaneta", "Lukáš Kříž", "Zdeněk"]
WESTERN = ["Zoë", "José Núñez", "François", "Hélène", "Jürgen Groß"]
NORDIC = ["Bjørn", "Åse", "Kjærstad", "Östen", "Ærø"]
JAPANESE = ["山田太郎", "佐藤 花子", "スズキ", "たかはし", "東京都"]
RUSSIAN = ["Иван", "Ольга", "Дмитрий Петров", "Санкт-Петербург"]
GREEK = ["Γιώργος", "Ελένη", "Αθήνα"]
CHINESE = ["王小明", "李华", "张伟", "北京"]
KOREAN = ["김민수", "이영희", "서울", "부산"]

FOUND = [
    *((names, "cp1250") for names in (POLISH, CZECH)),
    *((names, "iso8859-2") for names in (POLISH,)),
    *((names, encoding) for names in (WESTERN, NORDIC) for encoding in ("cp1252", "latin-1", "mac_roman")),
    *((JAPANESE, encoding) for encoding in ("shift_jis", "cp932", "euc_jp")),
    *((RUSSIAN, encoding) for encoding in ("cp1251", "koi8_r", "cp866")),
    (GREEK, "cp1253"),
    (CHINESE, "gb18030"),
    (KOREAN, "euc_kr"),
    (POLISH, "cp852"),
    (WESTERN, "cp850"),
    *((names, encoding) for names in (POLISH, JAPANESE, RUSSIAN) for encoding in ("utf-16", "utf-16-le", "utf-16-be")),
    (["Łukasz"], "cp1250"),
    (["Zoë"], "cp1252"),
    (["Иван"], "cp1251"),
]


def made(folder: Path, names: list[str], encoding: str, *, before: int = 0) -> Path:
    rows = "".join(f"{NUMBER},{name},x\n" for name in [*["Ann"] * before, *names])
    (folder / "list.csv").write_bytes(f"phone,name,note\n{rows}".encode(encoding))
    return folder / "list.csv"


def names_of(contacts: ContactList) -> list[str]:
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"name"}))
    return [str(one.cells["name"]) for batch in contacts.batches(wanted) for one in batch.recipients]


@pytest.mark.parametrize("names, encoding", FOUND, ids=[f"{encoding} {names[0]}" for names, encoding in FOUND])
def test_names_are_read_whatever_the_encoding(names: list[str], encoding: str, tmp_path: Path) -> None:
    contacts = ContactList.open(made(tmp_path, names, encoding))
    assert names_of(contacts) == names
    if not encoding.startswith("utf"):
        assert contacts.notes[0].startswith("the list is not UTF-8: read as ")


def test_the_encoding_is_found_out_from_names_that_come_late_and_said_before_anything_is_read(tmp_path: Path) -> None:
    contacts = ContactList.open(made(tmp_path, POLISH, "cp1250", before=100_000))
    assert contacts.notes == ["the list is not UTF-8: read as cp1250 ('Łukasz')"]
    assert names_of(contacts)[-5:] == POLISH


def test_a_guess_that_is_not_certain_is_said_with_what_else_it_may_be(tmp_path: Path) -> None:
    (note,) = ContactList.open(made(tmp_path, ["Gyõzõ"], "cp1252")).notes
    assert note == (
        "the list is not UTF-8: read as cp1252 ('Gyõzõ'), which is a guess: as cp1250 it would be 'Győző'; "
        "if that is right, set `encoding = 'cp1250'` under [list], or save the list as 'CSV UTF-8'"
    )


def test_an_encoding_that_is_said_is_taken(tmp_path: Path) -> None:
    path = made(tmp_path, ["Győző"], "cp1250")
    contacts = ContactList.open(path, layout=Layout(encoding="Windows-1250"))
    assert (names_of(contacts), contacts.notes) == (["Győző"], [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "shift-jis", "Mac Roman", "latin1", "UTF8"])
@pytest.mark.parametrize("marked", [True, False])
def test_a_said_encoding_is_read_with_a_mark_and_without(encoding: str, marked: bool, tmp_path: Path) -> None:
    by_mark = {"utf-8": "utf-8-sig", "UTF8": "utf-8-sig", "utf-16-be": "utf-16"} if marked else {"utf-16": "utf-16-le"}
    path = made(tmp_path, ["Ann"], by_mark.get(encoding, encoding))
    assert names_of(ContactList.open(path, layout=Layout(encoding=encoding))) == ["Ann"]


def test_a_said_encoding_that_does_not_fit_is_told_with_the_line(tmp_path: Path) -> None:
    contacts = ContactList.open(made(tmp_path, ["Ann", "Zoë"], "cp1252"), layout=Layout(encoding="utf-8"))
    with pytest.raises(ListError, match=r"^list.csv, line 3: the byte 0xeb is not utf-8: save the list as UTF-8"):
        names_of(contacts)


@pytest.mark.parametrize("name", ["cp125", "ansi", "rot13", "hex", "no such thing", "", "\0", "idna", "undefined"])
def test_an_encoding_that_is_none_is_told_with_the_remedy(name: str, tmp_path: Path) -> None:
    with pytest.raises(ListError) as raised:
        ContactList.open(made(tmp_path, ["Ann"], "utf-8"), layout=Layout(encoding=name))
    assert str(raised.value).startswith("[list] encoding: there is no encoding ")
    assert '"cp1252" (Windows, western Europe)' in str(raised.value)


def test_a_text_that_is_utf_8_but_for_a_byte_is_damaged_and_not_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(f"phone,name\n{NUMBER},Zoë\n{NUMBER},".encode() + b"Zo\xeb\n")
    with pytest.raises(ListError, match=r"^list.csv, line 3: the byte 0xeb is not utf-8"):
        names_of(ContactList.open(tmp_path / "list.csv"))


def test_a_packed_list_in_another_encoding_is_read(tmp_path: Path) -> None:
    path = made(tmp_path, POLISH, "cp1250")
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert names_of(ContactList.open(tmp_path / "list.csv.gz")) == POLISH


@pytest.mark.timeout(20)
@pytest.mark.parametrize("content", [b"\xe9" * (1 << 22), b"a" * (1 << 22) + b"\xe9", b"\xe9 " * (1 << 21)])
def test_a_text_of_one_endless_word_is_soon_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"phone,name\n+14155550123," + content + b"\n")
    try:
        names_of(ContactList.open(tmp_path / "list.csv"))
    except ListError as error:
        assert "encoding" in str(error)  # noqa: PT017 - either end is a right one
