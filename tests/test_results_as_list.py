"""Results as a list again, for the next campaign: nested columns too, whatever the results were written as."""

from pathlib import Path

import polars as pl
import pytest

import bulk
from bulk.loader import ContactList, ReadSpec

ARN = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
REQUEST = {
    "InstanceId": "11111111-1111-4111-8111-111111111111",
    "ContactFlowId": "22222222-2222-4222-8222-222222222222",
    "SourceEndpoint": {"Address": ARN},
    "InitialSystemMessage": {"Content": "{{ user.name }}, {{ user.visits }} visits: {{ tags | join('/') }}"},
}
FRAME = pl.DataFrame(
    {
        "phone": ["+14155550123", "+14155550124"],
        "user": [{"name": "Ann", "visits": 2.0}, {"name": 'Bob, "x"\nLee', "visits": None}],
        "tags": [["a", "b"], ["c"]],
        "note": ["[1]", "x"],
    }
)
TEXTS = ["Ann, 2 visits: a/b", 'Bob, "x"\nLee,  visits: c']


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson"])
async def test_results_of_a_nested_list_are_a_list_again(suffix: str, tmp_path: Path) -> None:
    first, second = (bulk.Campaign(name=name, channel="sms", request=REQUEST, folder=tmp_path) for name in "ab")
    path = tmp_path / f"results.{suffix}"
    run = await bulk.send(first, contacts=FRAME, sandbox=True, results=path)
    assert run.summary.sent == 2
    plan = await bulk.check(second, contacts=path)
    assert [preview.texts["InitialSystemMessage.Content"] for preview in plan.previews] == TEXTS


async def test_text_that_looks_nested_now_and_then_stays_text(tmp_path: Path) -> None:
    campaign = bulk.Campaign(name="a", channel="sms", request=REQUEST, folder=tmp_path)
    await bulk.send(campaign, contacts=FRAME, sandbox=True, results=tmp_path / "results.csv")
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"note"}))
    contacts = ContactList.open(tmp_path / "results.csv")
    found = [one.cells["note"] for batch in contacts.batches(wanted) for one in batch.recipients]
    assert found == ["[1]", "x"]


def test_json_in_a_list_that_is_no_result_stays_text(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('phone,user\n+14155550123,"{""name"": 1}"\n')
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"user"}))
    contacts = ContactList.open(tmp_path / "list.csv")
    assert [one.cells["user"] for batch in contacts.batches(wanted) for one in batch.recipients] == ['{"name": 1}']


@pytest.mark.parametrize("join", [False, True])
async def test_the_status_of_a_result_is_nobodys_opt_out(tmp_path: Path, *, join: bool) -> None:
    """What the service rejected is corrected and sent again from the results: `rejected` is no word of the person's."""
    request = REQUEST | {"InitialSystemMessage": {"Content": "hi"}}
    campaign = bulk.Campaign(name="a", channel="sms", request=request, folder=tmp_path)
    people = pl.DataFrame({"phone": ["+14155550123", "+19075550190"]})  # the second is one that the sandbox rejects
    await bulk.send(campaign, contacts=people, sandbox=True, state_dir=tmp_path / "s")
    path = await bulk.results(
        campaign, tmp_path / "rejected.csv", contacts=people, state_dir=tmp_path / "s", only="rejected", join=join
    )
    plan = await bulk.check(campaign, contacts=path, run_id="again")
    assert (plan.rows, plan.sendable) == (1, 1)
