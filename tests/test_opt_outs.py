"""Who said no at AWS is found and left out: the opt-out list of the sending number, and Amazon SES's suppressions."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from aiohttp import web
from aiohttp.web import BaseRequest, Response
from aws_services import pretending
from sandbox_runs import EMAIL, Runs, reasons, rows, statuses

import bulk

NUMBER = {"id": "phone-3333", "opt_out_list": "Mine"}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


DENY_SES = [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Effect": "Deny", "Action": "ses:ListSuppressedDestinations", "Resource": "*"},
]


def listed(*who: str) -> dict[str, Any]:
    numbers = [row["phone"] for row in rows("".join(who))]
    return {"sms_numbers": [NUMBER], "opt_out_lists": [{"name": "Mine", "numbers": numbers}]}


@pytest.fixture
def auto(runs: Runs) -> Runs:
    runs.settings["list"] = {"key": "key", "opt_out_list": "auto"}
    return runs


async def test_who_opted_out_of_the_sending_number_is_left_out(auto: Runs) -> None:
    auto.sandbox.set_account(listed("b"))
    run = await auto.send(rows("abc"))
    assert (statuses(run), reasons(run)) == ({"a": "sent", "b": "skipped", "c": "sent"}, {"b": "suppressed"})


async def test_who_opts_out_during_a_run_is_found_when_the_list_is_read_again(
    auto: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.run.opt_outs.AGAIN", 0.1)
    auto.sandbox.set_account(listed())
    auto.settings["pacing"] = {"rate": 2, "burst": 1}
    auto.settings["request"]["Attributes"]["key"] = "{{ key }}"
    seen: list[int] = []

    def watch(_: bulk.Progress) -> None:
        if not seen:
            auto.sandbox.set_account(listed("f"))
        seen.append(1)

    run = await auto.send(rows("abcdef"), watch=watch, every=0.1)
    assert (statuses(run)["a"], statuses(run)["f"], reasons(run)) == ("sent", "skipped", {"f": "suppressed"})


@pytest.mark.parametrize("action", ["connect:DescribePhoneNumber", "sms-voice:DescribeOptedOutNumbers"])
async def test_a_permission_that_is_missing_is_a_warning_that_names_it(auto: Runs, action: str) -> None:
    deny = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": action, "Resource": "*"}]
    auto.sandbox.set_account({**listed("b"), "keys": {"*": {"policy": {"Statement": deny}}}})
    plan = await bulk.check(auto.campaign, contacts=pl.DataFrame(rows("ab")), **auto.options)
    assert [note for note in plan.notes if action in note]


async def test_a_rehearsal_asks_nobody(auto: Runs) -> None:
    auto.sandbox.set_account(listed("b"))
    options = {name: auto.options[name] for name in ("state_dir", "results")}
    run = await bulk.send(auto.campaign, contacts=pl.DataFrame(rows("ab")), sandbox=True, **options)
    assert run.summary.sent == 2


def ses(people: list[str]) -> Any:
    """Return an Amazon SES that names one person on each page."""

    def answer(request: BaseRequest, _body: str) -> Response:
        url = urlsplit(request.path_qs)
        if url.path != "/v2/email/suppression/addresses":
            return web.json_response({"message": "no"}, status=404)
        page = int(parse_qs(url.query).get("NextToken", ["0"])[0])
        one = {"EmailAddress": people[page], "Reason": "COMPLAINT", "LastUpdateTime": 0}
        more = {"NextToken": str(page + 1)} if page + 1 < len(people) else {}
        return Response(text=json.dumps({"SuppressedDestinationSummaries": [one], **more}))

    return answer


@pytest.fixture
def mails(runs: Runs) -> dict[str, Any]:
    runs.email()
    return {**runs.settings, "list": {"key": "key", "ses_suppression": True}, "request": EMAIL}


@pytest.mark.usefixtures("keys")
async def test_whom_ses_suppresses_is_left_out_whatever_the_page(mails: dict[str, Any], runs: Runs) -> None:
    people = [rows("a")[0]["email"].upper(), "x@example.com", rows("c")[0]["email"]]
    async with pretending(ses(people)) as service:
        options = runs.options | {"endpoint_url": service.url}
        plan = await bulk.check(bulk.Campaign(**mails), contacts=pl.DataFrame(rows("abc")), **options)
    assert (plan.rows, plan.sendable) == (3, 1)


@pytest.mark.usefixtures("keys")
async def test_where_ses_does_not_answer_the_run_goes_on_with_a_warning(mails: dict[str, Any], runs: Runs) -> None:
    runs.sandbox.set_account({"keys": {"*": {"policy": {"Statement": DENY_SES}}}})
    run = await bulk.send(bulk.Campaign(**mails), contacts=pl.DataFrame(rows("a")), **runs.options)
    assert statuses(run) == {"a": "sent"}
    plan = await bulk.check(bulk.Campaign(**mails), contacts=pl.DataFrame(rows("a")), **runs.options)
    assert [note for note in plan.notes if "ses:ListSuppressedDestinations" in note]
