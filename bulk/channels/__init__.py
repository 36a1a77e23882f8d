"""The channels: how a recipient is reached. A channel is one file here and one line in `CHANNELS`.

A channel is a module of some constants (`channel`) and one pure generator. The generator yields `Call`s, is sent their
`Reply`s, and returns the contact id; it never sees a client, a clock or a task. A call that met a final no is thrown
into it as `CallRejected`, one that nobody can judge as `CallUnsettled`. Because it is pure, going on after a crash is
replaying: fed the replies that the ledger recorded, it yields the first call that has no answer yet.
"""

from typing import Final

from bulk.channels import email, inbound_email, sms, whatsapp
from bulk.channels.channel import Channel, Lifetime, Starter

__all__ = ["CHANNELS", "Channel", "Lifetime", "Starter"]

CHANNELS: Final[dict[str, Channel]] = {channel.NAME: channel for channel in (sms, whatsapp, email, inbound_email)}
