"""The examples at the end of each command's help. A test runs those that need no AWS account."""

# Click keeps the lines of a paragraph that begins with a backspace.
HELP = """Send a contact list through Amazon Connect: SMS, WhatsApp, email, inbound email.

\b
Exit codes:
  0   every row was sent, or skipped on purpose
  1   finished; some rows were refused, rejected or are unknown
  2   could not start: campaign, list, options or credentials are wrong; nothing was sent
  3   halted on a cause that would fail every row; resumable
  4   stopped by --max-duration or the end of sending hours with rows left; resumable
  75  another process is sending this run
  130, 143  interrupted by SIGINT, SIGTERM after finishing what was in flight; resumable
"""

EXAMPLES = {
    "bulk": """\b
Examples:
  bulk init sms reminders                               a campaign and a list to start from
  bulk check reminders/campaign.toml                    what would be sent, and what not and why
  bulk send reminders/campaign.toml --sandbox           a rehearsal on this machine
  bulk send reminders/campaign.toml                     the real thing; run it again to go on
""",
    "init": """\b
Examples:
  bulk init sms
  bulk init email newsletter
  bulk init --from people.xlsx                          for a list of yours
  bulk init sms winter --from segment.csv.gz            into the folder winter
  bulk init sms --from people.xlsx --column "Phone 2"   to the numbers of that column
""",
    "check": """\b
Examples:
  bulk check campaign.toml
  bulk check campaign.toml --contacts other.parquet --json
  bulk check campaign.toml --account                    the AWS account too, before you send
""",
    "iam": """\b
Examples:
  bulk iam campaign.toml > policy.json                  what a run must be allowed
  bulk iam campaign.toml --account                      and what `bulk check --account` reads
""",
    "test": """\b
Examples:
  bulk test campaign.toml --line 2 --to +12065550100    see the message, say yes, send
  bulk test campaign.toml --line 19 --to me@example.com --yes --json
  bulk test campaign.toml --line 2 --to +12065550100 --sandbox
""",
    "send": """\b
Examples:
  bulk send campaign.toml --sandbox                     rehearse
  bulk send campaign.toml --dry-run --results plan.csv  see each row's fate without a call
  bulk send campaign.toml                               see the plan, say yes, send
  bulk send campaign.toml --yes --max-duration 2h       from cron
  bulk send campaign.toml --yes --only rejected         again, after a cause was fixed
  bulk send us.toml eu.toml jp.toml                     several together, each a run of its own
""",
    "status": """\b
Examples:
  bulk status campaign.toml
  bulk status campaign.toml --run 2026-11-20 --json
""",
    "resolve": """\b
Examples:
  bulk resolve campaign.toml                            list the unknown rows
  bulk resolve campaign.toml --mark-sent --line 19      that one arrived
  bulk resolve campaign.toml --resend                   send all of them again
  bulk resolve campaign.toml --ask                      look them up in Amazon Connect
""",
    "track": """\b
Examples:
  bulk track campaign.toml                              ask about each; again, about the rest
  bulk track campaign.toml --events events.ndjson       read contact events instead
  bulk results campaign.toml -o ends.csv --with-track   how each row's contact ended
""",
    "results": """\b
Examples:
  bulk results campaign.toml -o today.parquet
  bulk results campaign.toml -o outcomes.csv --outcomes-only
""",
    "report": """\b
Examples:
  bulk report campaign.toml -o report.html
  bulk report campaign.toml --run 2026-11-20 -o friday.html
  bulk report campaign.toml -o report.html --by branch --by plan  to whom, by columns of the list
  bulk report campaign.toml --json                                its numbers
""",
    "suppress": """\b
Examples:
  bulk suppress add +12065550100 ann@example.com
  bulk suppress import stop.csv --state-dir .bulk
  bulk suppress list
""",
    "suppress add": """\b
Examples:
  bulk suppress add +12065550100 --reason "said STOP"
  bulk suppress add "206 555 0100" --country US --state-dir /var/lib/bulk
""",
    "suppress remove": """\b
Examples:
  bulk suppress remove +12065550100
""",
    "suppress list": """\b
Examples:
  bulk suppress list
  bulk suppress list --show --json
""",
    "suppress import": """\b
Examples:
  bulk suppress import stop.csv --reason "list of the regulator"
""",
    "suppress export": """\b
Examples:
  bulk suppress export -o stop.csv
""",
    "consent": """\b
Examples:
  bulk consent export campaign.toml -o consent.csv
""",
    "consent export": """\b
Examples:
  bulk consent export campaign.toml -o consent.csv
  bulk consent export campaign.toml --run 2026-11-20 -o friday.csv
""",
    "schema": """\b
Examples:
  bulk schema -o campaign.schema.json
""",
    "help": """\b
Examples:
  bulk help dedupe
  bulk help list.country
  bulk help expired
""",
    "docs": """\b
Examples:
  bulk docs
  bulk docs campaign
  bulk docs codes | less
""",
    "sandbox": """\b
Examples:
  bulk sandbox
  bulk sandbox --port 9000 --rate 2 --burst 5 --faults bad-day.toml
  bulk sandbox --faults lossy --open-contacts chat=50 --ends-after 1m
  bulk sandbox --templates templates --require-signature --secret-key sandbox
  bulk sandbox --state-dir kept                         and go on with what is there
  AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x \\
    bulk send campaign.toml --yes --region us-east-1 --endpoint-url http://127.0.0.1:8788
""",
    "sandbox verify": """\b
Examples:
  bulk send campaign.toml --sandbox --state-dir rehearsal
  bulk sandbox verify --state-dir rehearsal             the sandbox's record against the ledger
  bulk sandbox verify --state-dir .bulk --url http://127.0.0.1:8788 --json
""",
}
