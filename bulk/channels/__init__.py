"""The channels: how a recipient is reached. A channel is one file here and its line in `CHANNELS`.

A channel is a module of a few constants and one pure generator. The generator yields `Call`s, is sent their `Reply`s,
and returns the contact id; it never sees a client, a clock or a task. A call that met a final no is thrown into it as
`CallRejected`, one that nobody can judge as `CallUnsettled`. Because it is pure, going on after a crash is replaying:
fed the replies that the ledger recorded, it yields the first call that has no answer yet.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal, Protocol

from bulk.channels import email, inbound_email, sms
from bulk.model import Exchange, Parameters


class Channel(Protocol):
    """What a channel offers."""

    @property
    def NAME(self) -> str:
        """Its name in campaigns, on the command line and among the examples."""

    @property
    def KIND(self) -> Literal["phone", "email"]:
        """What its destinations are."""

    @property
    def OPERATIONS(self) -> Mapping[str, str]:
        """Table of the campaign file → operation, in the order of the calls."""

    @property
    def OPTIONAL(self) -> Collection[str]:
        """The tables that a campaign may leave out."""

    @property
    def DEFAULTS(self) -> Mapping[str, Parameters]:
        """Table → parameters merged under what the campaign says."""

    @property
    def SUPPLIED(self) -> Mapping[str, Collection[str]]:
        """Table → members that the channel fills in from earlier replies."""

    @property
    def DESTINATION(self) -> tuple[str, str]:
        """Table and dotted path of the member that holds the destination."""

    @property
    def TEXTS(self) -> tuple[str, ...]:
        """Dotted paths in [request] of what the person will read, where the campaign itself holds it."""

    def exchange(self, parameters: Mapping[str, Parameters]) -> Exchange:
        """Reach one recipient: the parameters of each table, rendered and checked."""


CHANNELS: Final[Mapping[str, Channel]] = {channel.NAME: channel for channel in (sms, email, inbound_email)}
