"""The options of the sandbox as a server, and of its comparison with the ledger."""

import click

from bulk.cli.option_types import FOLDER, Account, Count, Duration, Lasting, Part, Quota, Rate
from bulk.cli.options import FILE, all_of, faults, option, templates

serving = all_of(
    option("--port", type=click.IntRange(0, 65535), default=8788, show_default=True, help="0 picks a free one."),
    option("--bind", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="In a container: 0.0.0.0."),
    option("--control-token", metavar="TOKEN", help="Who looks inside, or changes something there, must give it."),
    option("--rate", type=Rate(), help="Calls a second and operation; AWS's defaults if not given, or auto."),
    option("--burst", type=click.IntRange(1), help="Calls at once and operation."),
    faults,
    option("--quota", "quotas", multiple=True, type=Quota(), help="Of one operation: CreateContact=10/15; repeatable."),
    option("--open-contacts", multiple=True, type=Count(), help="Open at once per instance: chat=500; repeatable."),
    option("--ends-after", type=Duration(), help="When a flow ends each contact (30s, 5m); else its own expiry does."),
    option("--expires-after", multiple=True, type=Lasting(), help="Else: email=14d, chat=25h; repeatable."),
    option("--instance", "instances", multiple=True, metavar="ID", help="An instance there is; any, if not given."),
    option("--answers", type=Part(), default="0", show_default=True, help="The part of the people who answer a chat."),
    option("--search-delay", type=Duration(), default=0.0, help="How long until SearchContacts finds a contact."),
    templates,
    option("--require-signature", is_flag=True, help="Refuse what is not rightly signed by a secret key it knows."),
    option("--secret-key", "secret_keys", multiple=True, help="Such a secret key; repeatable."),
    option("--account", "accounts", multiple=True, type=Account(), help="Of an access key: AKID=123456789012."),
    option("--lenient", is_flag=True, help="Take members that the API's model does not know."),
    option("--virtual-time", is_flag=True, help="A clock to be moved ahead: POST /_sandbox/clock, advance 1h."),
    option("--state-dir", type=FOLDER, help="Keep what is accepted there, and go on with what is there."),
    option("--account-file", "account", type=FILE, help="What the account has and who may do what, as JSON or TOML."),
    option(
        "--allow-host",
        "allow_hosts",
        multiple=True,
        metavar="HOST[:PORT]",
        help="A name by which it may be called, beside 127.0.0.1 and localhost; repeatable.",
    ),
)

verifying = all_of(
    option("--state-dir", type=FOLDER, required=True, help="Where the ledger is, and the record of the sandbox."),
    option("--url", metavar="URL", help="A sandbox that runs and keeps no record there: it is asked."),
    option("--control-token", metavar="TOKEN", help="What its control API wants."),
)
