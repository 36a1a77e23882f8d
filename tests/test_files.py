"""Files for their owner alone: no planted link is followed, no stranger's folder taken, nothing read overwritten."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Ended, bulk, campaign, program

from bulk.errors import CampaignError, LedgerError
from bulk.files import (
    beside,
    open_private,
    private_folder,
    refuse_overwriting,
    remote_kind,
    scratch,
    state_folder,
    write_new,
)
from bulk.files.replacement import taking_the_place_of
from bulk.files.temporary import _YOUNG
from bulk.ledger import Ledger
from bulk.ledger.lock import sender, sole_sender

WORDS = {"failed": "it cannot be written", "remedy": "Choose another place"}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.lstat().st_mode):o}"


def modes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): mode(path) for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_what_is_made_is_its_owners_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        private_folder(tmp_path / "a" / "b")
        os.close(open_private(tmp_path / "a" / "b" / "file"))
        write_new(tmp_path / "c" / "new", b"x")
        with taking_the_place_of(tmp_path / "d" / "whole", **WORDS) as file:
            assert mode(file) == "600"
            file.write_text("x")
    found = modes(tmp_path)
    assert found.keys() == {"a", "a/b", "a/b/file", "c", "c/new", "d", "d/whole"}
    assert {found[name] for name in ("a", "a/b", "c", "d")} == {"700"}
    assert {found[name] for name in ("a/b/file", "c/new", "d/whole")} == {"600"}


def rehearsed(folder: Path, *words: str) -> Ended:
    return bulk("send", "campaign.toml", "--sandbox", *words, cwd=folder)


def test_a_run_leaves_nothing_that_others_may_read(tmp_path: Path) -> None:
    campaign(tmp_path)
    with umask(0):
        ended = subprocess.run(
            program("send", "campaign.toml", "--sandbox"), cwd=tmp_path, check=False, capture_output=True, text=True
        )
    assert ended.returncode == 0, ended.stderr
    made = {name: bits for name, bits in modes(tmp_path).items() if name.startswith((".bulk", "results"))}
    assert len(made) > 5
    assert {name: bits for name, bits in made.items() if bits not in {"600", "700"}} == {}


def test_a_starter_is_its_owners_alone(tmp_path: Path) -> None:
    assert bulk("init", "sms", cwd=tmp_path).code == 0
    files = ("sms/campaign.schema.json", "sms/campaign.toml", "sms/contacts.csv")
    assert modes(tmp_path) == {"sms": "700", **dict.fromkeys(files, "600")}


# Planted links


def test_a_link_under_the_name_that_is_written_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "results.csv").symlink_to("victim")
    with taking_the_place_of(tmp_path / "results.csv", **WORDS) as file:
        file.write_text("ours")
    assert not (tmp_path / "results.csv").is_symlink()
    assert (tmp_path / "victim").read_text() == "precious"


def test_the_name_beside_cannot_be_foreseen_and_so_not_be_planted(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    for number in range(os.getpid() - 5, os.getpid() + 5):
        (tmp_path / f".results.csv.{number}").symlink_to("victim")
    names = set()
    for _ in range(3):
        with taking_the_place_of(tmp_path / "results.csv", **WORDS) as file:
            names.add(file.name)
            file.write_text("ours")
    assert len(names) == 3
    assert (tmp_path / "victim").read_text() == "precious"


def test_results_do_not_keep_a_strangers_mode(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("a stranger's")
    (tmp_path / "results.csv").chmod(0o666)
    with taking_the_place_of(tmp_path / "results.csv", **WORDS) as file:
        file.write_text("ours")
    assert mode(tmp_path / "results.csv") == "600"


def symlink(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("not there"))


def pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("plant", [symlink, hard_link, dangling, pipe])
def test_what_is_planted_at_the_locks_name_is_not_written_through(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "victim").write_text("precious")
    plant(tmp_path / "state" / "reminders.default.lock", tmp_path / "victim")
    assert sender(tmp_path / "state", "reminders", "default") is None
    with pytest.raises(LedgerError, match=r"reminders\.default\.lock: .*--state-dir"), _held(tmp_path / "state"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "not there").exists()


def _held(folder: Path) -> AbstractContextManager[None]:
    return sole_sender(folder, "reminders", "default")


def test_a_ledger_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "state" / "ledger.db").symlink_to(tmp_path / "victim")
    with pytest.raises(LedgerError, match=r"ledger\.db"):
        Ledger.open(tmp_path / "state")
    assert (tmp_path / "victim").read_text() == "precious"


# SampleRow state directory


@pytest.mark.parametrize("bits", [0o770, 0o775, 0o777, 0o722, 0o2770], ids=oct)
def test_a_state_directory_that_others_may_write_to_is_refused(tmp_path: Path, bits: int) -> None:
    campaign(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(bits)
    ended = rehearsed(tmp_path, "--state-dir", "state")
    assert (ended.code, ended.out) == (2, "")
    assert "state: others may write to it" in ended.err
    assert "chmod 700" in ended.err
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("bits", [0o700, 0o755, 0o750, 0o711], ids=oct)
def test_one_that_others_may_only_read_is_taken(tmp_path: Path, bits: int) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(bits)
    state_folder(tmp_path / "state")
    assert mode(tmp_path / "state") == f"{bits:o}"


@AS_ROOT
def test_a_sticky_one_is_taken_as_long_as_all_in_it_is_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "ledger.db").touch()
    state_folder(tmp_path)
    (tmp_path / "ledger.db-wal").touch()
    os.chown(tmp_path / "ledger.db-wal", 12345, 12345)
    with pytest.raises(LedgerError, match="others may write to it"):
        state_folder(tmp_path)


@AS_ROOT
def test_a_state_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    campaign(tmp_path)
    (tmp_path / "state").mkdir(mode=0o755)
    os.chown(tmp_path / "state", 12345, 12345)
    ended = rehearsed(tmp_path, "--state-dir", "state")
    assert (ended.code, ended.out) == (2, "")
    assert "belongs to another user (uid 12345)" in ended.err
    assert "--state-dir" in ended.err


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022], ids=oct)
def test_a_rehearsal_leaves_a_state_directory_that_a_real_run_takes(tmp_path: Path, mask: int) -> None:
    campaign(tmp_path)
    with umask(mask):
        subprocess.run(program("send", "campaign.toml", "--sandbox", "--quiet"), cwd=tmp_path, check=True)
    state_folder(tmp_path / ".bulk")
    assert stat.S_IMODE((tmp_path / ".bulk").stat().st_mode) == 0o700


# Locks


@pytest.mark.parametrize("number", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    code = getattr(errno, number)

    def flock(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(LedgerError, match=r"cannot be locked here.*--state-dir"), _held(tmp_path / "state"):
        pass
    with taking_the_place_of(tmp_path / "results.csv", **WORDS) as file:  # needs no lock
        file.write_text("x")
    assert (tmp_path / "results.csv").read_text() == "x"


MOUNTS = r"""21 1 254:0 / / rw - ext4 /dev/vda rw
30 21 0:40 / /home rw shared:1 - nfs4 server:/home rw
31 21 0:41 / /home/ann/local rw - xfs /dev/vdb rw
32 21 0:42 / /mnt/my\040share rw - cifs //server/share rw
33 21 0:43 / /mnt/ssh rw - fuse.sshfs ann@host: rw
34 21 0:44 / /mnt/ntfs rw - fuseblk /dev/sdc rw
35 21 0:45 / /mnt/bucket rw - fuse.mount-s3 bucket rw
36 21 0:46 / /mnt/plan9 rw - 9p share rw
37 21 0:47 / /mnt/new rw - fuse.newfs somewhere rw
38 21 0:48 / /mnt/layers rw - fuse.fuse-overlayfs fuse-overlayfs rw
broken line
"""


@pytest.mark.parametrize(
    "folder, kind",
    [
        ("/", None),
        ("/srv/state", None),
        ("/home/ann/state", "nfs4"),
        ("/home", "nfs4"),
        ("/homes/ann", None),
        ("/home/ann/local/state", None),
        ("/mnt/my share/state", "cifs"),
        ("/mnt/ssh/x", "fuse.sshfs"),
        ("/mnt/ntfs/x", None),
        ("/mnt/bucket/x", "fuse.mount-s3"),
        ("/mnt/plan9/x", "9p"),
        ("/mnt/new/x", "fuse.newfs"),
        ("/mnt/layers/x", None),
    ],
)
def test_a_network_file_system_is_known_by_where_it_is_mounted(folder: str, kind: str | None) -> None:
    assert remote_kind(Path(folder), MOUNTS) == kind


def test_no_mounts_tell_nothing(tmp_path: Path) -> None:
    assert remote_kind(tmp_path, "") is None
    assert remote_kind(tmp_path) is None


# What a killed process leaves

KILLED = """
import os, sys
from pathlib import Path
from bulk.files import beside, scratch
with beside(Path(sys.argv[1])) as new:
    new.write_text("half")
    scratch(Path(sys.argv[1]).parent)
    print("made", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_with_the_next_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    with beside(path):
        assert len(list(tmp_path.glob(".results.csv.*.new"))) == 2, "what a living process holds stays"
    process.kill()
    process.communicate()
    (tmp_path / ".results.csv.notes.new").write_text("mine")
    (tmp_path / ".other.csv.0123456789abcdef.new").write_text("of another name")
    with beside(path) as new:
        names = {entry.name for entry in tmp_path.glob(".*.new")}
    assert names == {new.name, ".results.csv.notes.new", ".other.csv.0123456789abcdef.new"}


def test_a_folder_that_a_killed_process_left_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".bulk-scratch-left"
    left.mkdir()
    (left / "ledger.db").touch()
    mine, remove = scratch(tmp_path)
    assert left.exists(), "it may be held in a moment"
    later = time.time() + _YOUNG + 1
    monkeypatch.setattr(time, "time", lambda: later)
    other, remove_other = scratch(tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == {mine.name, other.name}
    remove()
    remove_other()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_process_removes_first_leaves_the_others_to_be_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / f".bulk-scratch-{name}").mkdir()
    later = time.time() + _YOUNG + 1
    monkeypatch.setattr(time, "time", lambda: later)
    real, taken = os.open, list[Path]()

    def open_late(path: Path, flags: int, *, dir_fd: int | None = None) -> int:
        if not taken:
            taken.append(path)
            path.rmdir()
        return real(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_late)
    mine, remove = scratch(tmp_path)
    assert list(tmp_path.iterdir()) == [mine]
    assert len(taken) == 1
    remove()


# Nothing read is overwritten


def test_an_output_is_known_as_an_input_by_any_name(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("x")
    (tmp_path / "soft.csv").symlink_to("list.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "list.csv")
    (tmp_path / "folder").symlink_to(".")
    for name in ("list.csv", "./list.csv", "soft.csv", "hard.csv", "folder/list.csv"):
        with pytest.raises(CampaignError, match="would destroy it"):
            refuse_overwriting(tmp_path / name, [tmp_path / "list.csv"])
    refuse_overwriting(tmp_path / "other.csv", [tmp_path / "list.csv"])


def test_an_output_in_a_folder_of_lists_would_be_read(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    with pytest.raises(CampaignError, match="in a folder that is read"):
        refuse_overwriting(tmp_path / "lists" / "results.csv", [tmp_path / "lists"])


WITH_FILES = CAMPAIGN.replace('key = "id"', 'key = "id"\nsuppress = ["stop.csv"]')


@pytest.mark.parametrize("output", ["contacts.csv", "stop.csv", "soft.csv", "hard.csv"])
@pytest.mark.parametrize("words", [("send", "--sandbox", "--results"), ("send", "--dry-run", "--results")], ids=str)
def test_no_results_take_the_place_of_what_the_run_reads(tmp_path: Path, words: tuple[str, ...], output: str) -> None:
    campaign(tmp_path, text=WITH_FILES)
    (tmp_path / "stop.csv").write_text("phone\n+12065550199\n")
    (tmp_path / "soft.csv").symlink_to("contacts.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "stop.csv")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ended = bulk(words[0], "campaign.toml", *words[1:], output, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, ""), ended
    assert f"{output}: " in ended.err
    assert "name another place" in ended.err
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}


def test_later_results_and_reports_overwrite_nothing_either(tmp_path: Path) -> None:
    path = campaign(tmp_path, text=WITH_FILES)
    (tmp_path / "stop.csv").write_text("phone\n+12065550199\n")
    path.rename(tmp_path / "campaign.html")
    (tmp_path / "report.html").symlink_to("campaign.html")
    state = ("--state-dir", "state", "--sandbox")
    assert bulk("send", "campaign.html", *state, cwd=tmp_path).code == 0
    before = {name: (tmp_path / name).read_bytes() for name in ("contacts.csv", "stop.csv", "campaign.html")}
    for words in (
        ("results", "campaign.html", "-o", "contacts.csv"),
        ("results", "campaign.html", "-o", "stop.csv"),
        ("report", "campaign.html", "-o", "campaign.html"),
        ("report", "campaign.html", "-o", "report.html"),
    ):
        ended = bulk(*words, *state, cwd=tmp_path)
        assert (ended.code, ended.out) == (2, ""), ended
        assert "would destroy it" in ended.err
    assert before == {name: (tmp_path / name).read_bytes() for name in before}


def test_results_of_a_pattern_are_not_written_where_it_would_read_them(tmp_path: Path) -> None:
    path = campaign(tmp_path, text=CAMPAIGN.replace('"contacts.csv"', '"con*.csv"'))
    refused = bulk("send", path, "--sandbox", "--results", tmp_path / "con-results.csv", cwd=tmp_path)
    assert refused.code == 2
    assert "name another place" in refused.err
    assert rehearsed(tmp_path).code == 0
