"""What AWS keeps that a run reads first, from real servers on loopback."""

import asyncio
import errno
import gc
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from buckets import client

from bulk.aws.connect import Endpoint
from bulk.aws.lookups import applied_rate, fetch, opted_out
from bulk.errors import CampaignError, Halted, ListError
from bulk.loader import ContactList

LIST = "phone,name\n+14155550123,Ann\n"
ENDPOINT = Endpoint(region="us-west-2", credentials=("key", "secret"))


@pytest.fixture(scope="module")
def bucket(s3_server: str) -> str:
    """Keep some lists in the bucket `lists`."""
    s3 = client(s3_server)
    s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    for key in ("one.csv", "day=1/a.csv", "day=2/b.csv", "day=2/deep/c.csv", "day=2/b.txt", "odd #%41 +.csv"):
        s3.put_object(Bucket="lists", Key=f"2026/{key}", Body=LIST.encode())
    s3.put_object(Bucket="lists", Key="2026/day=2/", Body=b"")
    s3.put_object(Bucket="lists", Key="long.csv", Body=LIST.encode() * 200_000)
    return s3_server


@pytest.fixture
def s3(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the SDK to that server, as a person would."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket)


def fetched(url: str, folder: Path, endpoint: Endpoint = ENDPOINT) -> Path:
    return asyncio.run(fetch(url, endpoint, folder))


@pytest.mark.parametrize("key", ["2026/one.csv", "2026/odd #%41 +.csv"])
@pytest.mark.usefixtures("s3")
def test_a_list_is_fetched_for_its_reader_alone(key: str, tmp_path: Path) -> None:
    path = fetched(f"s3://lists/{key}", tmp_path)
    assert path.name == key.rpartition("/")[2]
    assert path.read_text() == LIST
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("s3")
def test_a_long_list_arrives_whole(tmp_path: Path) -> None:
    assert fetched("s3://lists/long.csv", tmp_path).stat().st_size == len(LIST) * 200_000


@pytest.mark.parametrize(
    "pattern, files",
    [
        ("2026/day=2/", ["b.csv", "b.txt", "deep/c.csv"]),
        ("2026/day=2/*.csv", ["b.csv"]),
        ("2026/", ["day=1/a.csv", "day=2/b.csv", "day=2/b.txt", "day=2/deep/c.csv", "odd #%41 +.csv", "one.csv"]),
    ],
)
@pytest.mark.usefixtures("s3")
def test_a_folder_or_pattern_names_several_files(pattern: str, files: list[str], tmp_path: Path) -> None:
    folder = fetched(f"s3://lists/{pattern}", tmp_path)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == files


@pytest.mark.usefixtures("s3")
def test_a_folder_that_is_fetched_is_a_list(tmp_path: Path) -> None:
    assert ContactList.open(fetched("s3://lists/2026/day=2/*.csv", tmp_path)).count() == 1


@pytest.mark.parametrize(
    "url, message",
    [
        ("s3://lists/none.csv", r"^s3://lists/none.csv cannot be fetched \(NoSuchKey: .*\): check its name"),
        ("s3://nowhere/none.csv", r"^s3://nowhere/none.csv cannot be fetched \(NoSuchBucket: "),
        ("s3://lists/none/", r"^there is no list in s3://lists/none/: check the name$"),
        ("s3://lists", r"^s3://lists is no list in S3: write it as s3://BUCKET/KEY$"),
        ("s3:///key", r"^s3:///key is no list in S3"),
        ("https://lists/key", r"^https://lists/key is no list in S3"),
    ],
)
@pytest.mark.usefixtures("s3")
def test_a_list_that_is_not_there_is_an_error(url: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ListError, match=message):
        fetched(url, tmp_path)


@pytest.mark.usefixtures("s3")
def test_a_list_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"^s3://lists/long.csv cannot be kept in .*nowhere \(No such file"):
        fetched("s3://lists/long.csv", tmp_path / "nowhere")


@pytest.mark.usefixtures("s3")
def test_without_credentials_nothing_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Halted, match="no usable AWS credentials"):
        fetched("s3://lists/2026/one.csv", tmp_path, Endpoint(region="us-west-2"))


def test_without_a_region_nothing_is_asked() -> None:
    with pytest.raises(CampaignError, match="no AWS Region is set"):
        asyncio.run(opted_out("Default", Endpoint(credentials=("key", "secret"))))


class Answers(BaseHTTPRequestHandler):
    """What a server says: of S3 half a list, of End User Messaging two pages of an opt-out list."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(LIST.encode())
        self.close_connection = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked.get("QuotaCode") == "L-408DD6C6":
            self.answer(200, {"Quota": {"QuotaCode": "L-408DD6C6", "Value": 20.0}})
            return
        if "QuotaCode" in asked:
            self.answer(400, {"__type": "AccessDeniedException", "Message": "no"})
            return
        if asked["OptOutListName"] != "Default":
            self.answer(400, {"__type": "ResourceNotFoundException", "Message": "no such list"})
            return
        page = int(asked.get("NextToken", 0))
        numbers = [{"OptedOutNumber": f"+1415555012{page}", "OptedOutTimestamp": 0, "EndUserOptedOut": True}]
        self.answer(200, {"OptedOutNumbers": numbers, **({"NextToken": "1"} if page == 0 else {})})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base spells it
        """Write nothing on the test's output."""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as http:
        for service in ("S3", "PINPOINT_SMS_VOICE_V2", "SERVICE_QUOTAS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{http.server_port}")
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield
        http.shutdown()


@pytest.mark.usefixtures("answers")
def test_a_line_that_breaks_on_the_way_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"^s3://lists/half.csv cannot be fetched"):
        fetched("s3://lists/half.csv", tmp_path)
    gc.collect()  # a connection that is left open says so now, and pytest makes it an error


@pytest.mark.usefixtures("s3")
def test_a_folder_that_is_full_gives_the_connection_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("bulk.aws.lookups._private", full)
    with pytest.raises(ListError, match="No space left on device"):
        fetched("s3://lists/long.csv", tmp_path)
    gc.collect()


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    "operation, rate", [("StartOutboundChatContact", 20.0), ("StopContact", None), ("CreateContact", None)]
)
def test_the_accounts_own_rate_is_read_where_it_is_told(operation: str, rate: float | None) -> None:
    assert asyncio.run(applied_rate(operation, ENDPOINT)) == rate


@pytest.mark.usefixtures("answers")
def test_all_pages_of_an_opt_out_list_are_read() -> None:
    assert asyncio.run(opted_out("Default", ENDPOINT)) == ["+14155550120", "+14155550121"]


@pytest.mark.usefixtures("answers")
def test_an_opt_out_list_that_is_not_there_is_an_error_of_the_campaign() -> None:
    with pytest.raises(CampaignError, match=r"^the opt-out list 'Defualt' cannot be read \(ResourceNotFoundException"):
        asyncio.run(opted_out("Defualt", ENDPOINT))
