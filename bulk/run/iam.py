"""The minimal IAM policy for the credentials of a campaign. It makes no calls."""

from collections.abc import Collection, Sequence
from typing import Any, Unpack

from bulk.account import Permission, policy, to_ask, to_check, to_keep, to_send, to_track
from bulk.errors import CampaignError
from bulk.run.context import RunRef, Source, choose
from bulk.run.options import Options
from bulk.run.preflight import contacts_of, references
from bulk.run.send_options import SendOptions, public
from bulk.threads import in_thread

USES = "send", "track", "resolve", "suppress"


@public
async def iam(
    campaign: Source,
    *,
    account: bool = False,
    uses: str | Collection[str] = ("send",),
    events: str | None = None,
    **options: Unpack[SendOptions],
) -> dict[str, Any]:
    """Return the least IAM policy with which a campaign can be sent; with `account`, also with `check --account`.

    `uses` names the commands that it is for: `send`, `track` (with the `events` that it reads, as `bulk.track` takes
    them), `resolve` with `--ask`, `suppress`. Each of them needs a state directory that is in S3. Of each operation
    that is used there is one statement, bound to what the campaign names. The same campaign and options give the same
    policy. Raises `CampaignError`.
    """
    ref = await in_thread(choose, campaign, Options.of(options))
    wanted = [uses] if isinstance(uses, str) else list(uses)
    if unknown := [use for use in wanted if use not in USES]:
        raise CampaignError(f"a policy is for {', '.join(USES)}, not {unknown[0]!r}")
    named = references(ref)
    permissions = [one for use in wanted for one in _permissions(ref, use, events)]
    permissions += to_keep(ref.options.state_url)
    permissions += to_check(named) if account else []
    return policy({one.name: one for one in permissions}.values())


def _permissions(ref: RunRef, use: str, events: str | None) -> Sequence[Permission]:
    named, contacts = references(ref), contacts_of(ref)
    if use == "send":
        return to_send(named, contacts)
    if use == "track":
        return to_track(named, events or ref.campaign.track.events, contacts)
    return to_ask(named, contacts) if use == "resolve" else ()
