"""What messages cost: the plan and the report say it, and a budget is kept, whatever becomes of the run."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_runs import CAMPAIGN, campaign
from cli_runs import bulk as cli
from sandbox_runs import CHAT, Runs, rows, statuses

import bulk
from bulk.account.prices import Cost, Price, PriceTable, load
from bulk.errors import CampaignError
from bulk.run.budget import Purse

TABLE = """
date = 2027-02-01
source = "our contract"
currency = "EUR"
excluded = ["carriers"]

[[prices]]
channel = "sms"
regions = ["us-west-2"]
message = 1.0
segment = 0.5

[[prices]]
channel = "sms"
regions = ["*"]
message = 9.0
"""


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    file = tmp_path / "ours.toml"
    file.write_text(TABLE)
    return file


# The table


def test_the_shipped_table_is_dated_names_its_source_and_says_what_is_not_in_it() -> None:
    table = load()
    assert table.date.year >= 2026
    assert "Amazon Connect pricing" in table.source
    assert not table.certain
    assert any("carriers" in one for one in table.excluded)
    assert {one.channel for one in table.prices} == {"sms", "whatsapp", "email", "inbound-email"}


def test_a_price_is_that_of_the_region_else_of_all_others_else_none(prices: Path) -> None:
    table = load(prices)
    own, other = table.price("sms", "us-west-2"), table.price("sms", "eu-west-2")
    assert own is not None
    assert own.of(2, 3) == 3.5
    assert other is not None
    assert other.of(2, 3) == 18.0
    assert table.price("email", "us-west-2") is None


@pytest.mark.parametrize(
    "text, said",
    [
        ("date = ", "not TOML"),
        ('source = "x"', "date: is missing"),
        ('date = 2027-01-01\nsource = "x"\npricse = 1', "pricse: no such key"),
        (
            'date = 2027-01-01\nsource = "x"\n[[prices]]\nchannel = "sms"\nregions = ["*"]\nmessage = -1',
            "prices.0.message",
        ),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(text)
    with pytest.raises(CampaignError, match=said) as error:
        load(file)
    assert str(file) in str(error.value)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="prices cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_a_cost_says_price_date_source_and_what_is_not_in_it(prices: Path) -> None:
    table = load(prices)
    cost = Cost(table, table.price("sms", "us-west-2"), "sms", "us-west-2", 1000, 1200)
    assert cost.sentences() == [
        "about 1,600.00 EUR: 1,000 at 1 EUR a message and 1,200 at 0.5 EUR a segment, sms in us-west-2",
        "prices of 2027-02-01: our contract",
        "not in it: carriers",
    ]


def test_a_cost_without_a_price_says_what_to_do() -> None:
    table = PriceTable(date="2027-01-01", source="x")  # type: ignore[arg-type]  # text
    assert Cost(table, None, "sms", "eu-west-2", 5).amount is None
    assert "--prices FILE" in Cost(table, None, "sms", "eu-west-2", 5).sentences()[0]


# The plan and the report


async def test_the_plan_and_the_report_say_what_it_comes_to(runs: Runs, tmp_path: Path) -> None:
    plan = await bulk.check(runs.campaign, contacts=pl.DataFrame(rows("abc")), **runs.options)
    assert plan.cost is not None
    assert plan.as_dict()["cost"] | {"excluded": []} == {
        "amount": 0.042,
        "currency": "USD",
        "messages": 3,
        "segments": 3,
        "per_message": 0.014,
        "per_segment": 0.0,
        "channel": "sms",
        "region": "us-west-2",
        "date": "2026-10-07",
        "source": load().source,
        "certain": False,
        "excluded": [],
    }
    await runs.send(rows("abc"))
    page = await bulk.report(
        runs.campaign, tmp_path / "r.html", contacts=pl.DataFrame(rows("abc")), state_dir=tmp_path / "state"
    )
    text = page.read_text()
    assert "about 0.04 USD: 3 at 0.014 USD a message, sms in us-west-2" in text
    assert "Prices of 2026-10-07" in text


# The budget


def budgeted(runs: Runs, at_most: float, prices: Path, **changed: Any) -> None:
    runs.settings |= {"budget": {"at_most": at_most, "prices": str(prices)}, **changed}


async def test_a_run_stops_before_the_budget_is_exceeded_and_goes_on_when_it_is_raised(
    runs: Runs, prices: Path
) -> None:
    budgeted(runs, 4.6, prices)  # 1.5 each
    first = await runs.send(rows("abcdef"))
    assert (first.summary.sent, first.summary.pending, first.exit_code) == (3, 3, 4)
    again = await runs.send(rows("abcdef"))
    assert (again.summary.sent, again.summary.calls, again.exit_code) == (3, 0, 4)
    budgeted(runs, 9.0, prices)
    last = await runs.send(rows("abcdef"))
    assert (last.summary.sent, last.exit_code) == (6, 0)


async def test_a_row_that_is_rejected_costs_nothing(runs: Runs, prices: Path) -> None:
    budgeted(runs, 3.0, prices)
    runs.faults({"fault": "error", "code": "InvalidRequestException", "first": 2})
    run = await runs.send(rows("abcd"))
    assert sorted(statuses(run).values()) == ["rejected", "rejected", "sent", "sent"]
    assert run.exit_code == 1


async def test_what_may_have_been_accepted_counts_once_over_passes(runs: Runs, prices: Path) -> None:
    budgeted(runs, 3.0, prices, retry={"attempts": 1})
    runs.faults({"fault": "hang"})
    await runs.cut_short(rows("a"), CHAT, 1)
    runs.faults()
    run = await runs.send(rows("abc"))
    assert sorted(statuses(run).values()) == ["pending", "sent", "sent"]
    assert runs.contacts().total() == 2


async def test_the_segments_of_earlier_passes_are_kept(runs: Runs, prices: Path) -> None:
    runs.sms(InitialSystemMessage={"Content": "Hi {{ name }}. " + "x" * 200})
    budgeted(runs, 6.0, prices)  # 2 segments: 2.0 each
    run = await runs.send(rows("abcde"), limit=2)
    assert run.summary.sent == 2
    run = await runs.send(rows("abcde"))
    assert (run.summary.sent, run.exit_code) == (3, 4)


async def test_a_budget_without_a_price_is_no_budget(runs: Runs, prices: Path) -> None:
    budgeted(runs, 100.0, prices)
    runs.email()
    with pytest.raises(CampaignError, match=r"\[budget\] at_most: no price is known for email in us-west-2"):
        await runs.send(rows("ab"))
    assert runs.received("CreateContact") == 0


async def test_a_plan_over_the_budget_says_so_and_counts_what_was_sent_before(runs: Runs, prices: Path) -> None:
    frame = pl.DataFrame(rows("abcd"))
    budgeted(runs, 6.0, prices)
    assert (await bulk.check(runs.campaign, contacts=frame, **runs.options)).over_budget is None
    await runs.send(rows("ab"))
    budgeted(runs, 5.9, prices)
    plan = await bulk.check(runs.campaign, contacts=frame, **runs.options)
    assert plan.over_budget is not None
    assert "it comes to 6.00 EUR, 3.00 of it spent before, and at most 5.90 is allowed" in plan.over_budget


async def test_a_share_waits_for_those_that_may_come_back() -> None:
    purse = Purse(2.0)
    assert await purse.take(2.0)
    purse.settle(2.0)
    assert await purse.take(1.0)
    assert await purse.take(1.0)
    purse.settle(0.0)
    purse.settle(0.0)
    assert not await purse.take(0.1)


def test_the_command_ends_with_2_where_the_budget_does_not_suffice(tmp_path: Path) -> None:
    file = campaign(tmp_path, rows=5, text=f"{CAMPAIGN}\n[budget]\nat_most = 0.05\n")
    ended = cli("check", file, cwd=tmp_path)
    assert ended.code == 2
    assert "it comes to 0.07 USD, and at most 0.05 is allowed" in " ".join(ended.out.split())
    (tmp_path / "cheap.toml").write_text(TABLE.replace("1.0", "0.001").replace("0.5", "0.0"))
    assert cli("check", file, "--prices", tmp_path / "cheap.toml", cwd=tmp_path).code == 0


def test_a_price_has_no_fraction_of_nothing() -> None:
    assert Price(channel="sms", regions=("*",)).of(10, 10) == 0.0


async def test_results_do_not_take_the_place_of_the_prices(runs: Runs, prices: Path) -> None:
    budgeted(runs, 3.0, prices)
    options = {**runs.options, "results": prices}
    with pytest.raises(CampaignError, match=r"ours\.toml"):
        await bulk.send(runs.campaign, contacts=pl.DataFrame(rows("a")), **options)
    assert load(prices).currency == "EUR"
