"""Where a run goes: to Amazon Connect, to a sandbox of its own, or nowhere."""

import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bulk.aws.connect import Connect, Endpoint, is_aws
from bulk.aws.lookups import applied_rate, fetch
from bulk.errors import CampaignError
from bulk.ledger import Ledger
from bulk.loader import Scratch
from bulk.pacing import virtual_time
from bulk.run.context import RunContext, RunRef, Source, choose, open_campaign
from bulk.run.options import Options
from bulk.run.rates import Rates
from bulk.run.rehearsal import Sandboxes
from bulk.sandbox import OPEN_CONTACTS
from bulk.threads import in_thread

SANDBOX = "sandbox"  # the endpoint of a rehearsal, whatever port it got
ACCEPTED = "accepted"  # the folder of a state directory in which rehearsals keep what was accepted
DUMMY = "sandbox", "sandbox"  # credentials
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


@asynccontextmanager
async def destination(
    ref: RunRef, sandboxes: Sandboxes | None = None
) -> AsyncIterator[tuple[Connect | None, tuple[str, str]]]:
    """Open the client, and the sandbox before it where that was asked for; give the endpoint and Region as well."""
    options = ref.options
    if options.dry_run:
        yield None, _place_of(ref)
    elif options.sandbox:
        async with (sandboxes or Sandboxes()).open(**_rehearsed(ref)) as sandbox:
            region = options.region or ref.campaign.at.region or "us-east-1"
            endpoint = Endpoint(sandbox.url, region, credentials=DUMMY)
            async with Connect(endpoint, at_once=ref.rates.at_once()) as connect:
                yield connect, (SANDBOX, connect.region)
    else:
        async with Connect(endpoint_of(ref), at_once=ref.rates.at_once()) as connect:
            yield connect, (connect.url, connect.region)


async def rate_owner(connect: Connect, place: tuple[str, str]) -> tuple[str, ...]:
    """Return whose rate it is that a run keeps: the account's, at one of AWS's endpoints or elsewhere, in a Region."""
    url, region = place
    return place if url == SANDBOX else (await connect.account(), "" if is_aws(url) else url, region)


async def applied_rates(ref: RunRef) -> dict[str, float | None]:
    """Ask for the account's own quotas where a rate is to be learned, and the account is the real one."""
    if ref.options.sandbox or endpoint_of(ref).url:
        return {}
    operations = [name for name in ref.rates.operations if ref.rates.is_auto(name)]
    return {name: await applied_rate(name, endpoint_of(ref)) for name in operations}


async def open_from(source: Source, options: Options, *, to_send: bool = True) -> RunContext:
    """Open a campaign and its list, fetched first where it is in S3.

    `to_send`: ask who opted out, where that is kept at AWS. Who only looks at a run has no need of that.
    Raises `CampaignError`, `ListError`, and `Halted` without credentials.
    """
    ref = await in_thread(choose, source, options)
    contacts = options.contacts if options.contacts is not None else ref.campaign.contacts
    if not (isinstance(contacts, str) and contacts.startswith("s3://")):
        context = await in_thread(open_campaign, source, options)
    else:
        scratch = Scratch()
        try:
            path = await fetch(contacts, endpoint_of(ref), scratch.path)
            context = await in_thread(open_campaign, source, replace(options, contacts=path))
        except BaseException:
            scratch.close()
            raise
        context.contacts.holds.append(scratch)
    if to_send:
        from bulk.run.opt_outs import put_in  # noqa: PLC0415 - which asks at the endpoint that this module names

        context.eligibility.suppression.warnings += await put_in(ref, context.eligibility.suppression)
    return context


def in_scratch(context: RunContext) -> RunContext:
    """Return the campaign with a copy of its ledger to play with: what is tried leaves no trace.

    The copy goes when the list does.
    """
    scratch = Scratch()
    ledger = None if context.options.sandbox else Ledger.read(context.state_dir)
    if ledger is not None:
        with ledger:
            ledger.copy(scratch.path)
    context.contacts.holds.append(scratch)
    return replace(context, options=replace(context.options, state_dir=scratch.path))


def _place_of(ref: RunRef) -> tuple[str, str]:
    """Return where the run went so far: a dry run goes wherever that was."""
    ledger = Ledger.read(ref.state_dir)
    if ledger is None:
        return "", ""
    with ledger:
        known = ledger.find(ref.campaign.name, ref.options.run_id)
        return (known.facts.identity.endpoint, known.facts.identity.region) if known else ("", "")


def start_afresh(ref: RunRef) -> None:
    """Forget the last rehearsal: a sandbox remembers nothing either. A state directory of the user's own is kept."""
    if ref.options.sandbox and ref.options.state_dir is None:
        for file in (*ref.state_dir.glob("ledger.db*"), *ref.state_dir.glob("pace/*")):
            file.unlink()


def _rehearsed(ref: RunRef) -> dict[str, Any]:
    """Return the settings of a rehearsal's sandbox; it keeps what it accepts where a state directory was named.

    In virtual time contacts are open for as long as with AWS, and so no more of them may be than there.
    """
    run = f"{ref.campaign.name}.{ref.options.run_id}"
    kept = None if ref.options.state_dir is None else ref.state_dir / ACCEPTED / quote(run)
    return {
        "quotas": _granted(ref.rates),
        "open_contacts": OPEN_CONTACTS if ref.options.virtual_time else {},
        "faults": ref.options.faults,
        "templates": ref.options.templates,
        "control_token": secrets.token_urlsafe(32),
        "state_dir": kept,
        "clock": virtual_time.clock() if ref.options.virtual_time else None,
    }


def endpoint_of(ref: RunRef) -> Endpoint:
    """Return where a campaign goes: as the options say, else its `[at]`, else the environment.

    Raises `CampaignError` where the Region can be none: a run would be bound to it before the first call fails.
    """
    options, at = ref.options, ref.campaign.at
    url = options.endpoint_url or at.endpoint_url
    region = options.region or at.region or os.environ.get("AWS_REGION")  # boto3 itself reads AWS_DEFAULT_REGION only
    if region and not (url or os.environ.get("AWS_ENDPOINT_URL") or _REGION.fullmatch(region)):
        raise CampaignError(
            f"{region[:40]!r} is no AWS Region: give one such as us-west-2 (--region, AWS_REGION, [at])"
        )
    return Endpoint(
        url,
        region,
        options.profile or at.profile,
        Path(options.ca_bundle) if options.ca_bundle else None,
        options.connect_timeout,
        options.read_timeout,
        allow_http=options.allow_http,
        role_arn=at.role_arn,
    )


def _granted(rates: Rates) -> dict[str, tuple[float, int]]:
    """Grant what the campaign takes the service to grant."""
    return {name: rates.quota(name) for name in rates.operations}
