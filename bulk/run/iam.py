"""The least policy of a campaign: what its credentials must be allowed, and nothing else. Nobody is asked."""

from typing import Any, Unpack

from bulk.account import policy, to_check, to_send
from bulk.run.context import Source, choose
from bulk.run.options import Options
from bulk.run.preflight import contacts_of, references
from bulk.run.send_options import SendOptions, public
from bulk.threads import in_thread


@public
async def iam(campaign: Source, *, account: bool = False, **options: Unpack[SendOptions]) -> dict[str, Any]:
    """Return the least IAM policy with which a campaign can be sent; with `account`, also with `check --account`.

    Of each operation that the campaign uses there is one statement, bound to what the campaign names. The same campaign
    and options give the same policy. Raises `CampaignError`.
    """
    ref = await in_thread(choose, campaign, Options.of(options))
    named = references(ref)
    permissions = to_send(named, contacts_of(ref))
    return policy([*permissions, *(to_check(named) if account else [])])
