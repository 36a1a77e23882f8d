"""Whether foreign clients and the sandbox agree on a table of cases; see `scripts/conformance`, which runs it."""

import asyncio
import json
import math
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from botocore import xform_name
from conformance_cases import BASE, CASES, TEMPLATE, Case

from bulk.sandbox import Sandbox

SECRET = "conformance"
HERE = Path(__file__).parent
TEXT = {"messageTemplateId": TEMPLATE, "knowledgeBaseId": BASE, "channelSubtype": "SMS"}
CONTENT = {"sms": {"body": {"plainText": {"content": "Hi {{name}}, {{where}}"}}}}

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which a client finds keys, a Region and nothing of the user's."""
    config = folder / "aws-config"
    config.write_text("[default]\nparameter_validation = false\nmax_attempts = 1\n")
    keys = {"AWS_ACCESS_KEY_ID": "CONFORMANCE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-west-2"}
    own = {"AWS_CONFIG_FILE": str(config), "AWS_DEFAULT_REGION": "us-west-2", "AWS_EC2_METADATA_DISABLED": "true"}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_PATH": str(folder / "node_modules")} | keys | own


@asynccontextmanager
async def lines(*command: str, env: dict[str, str]) -> AsyncIterator[Ask]:
    """Start a client that takes a case a line."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=env)
    into, out = process.stdin, process.stdout
    if into is None or out is None:
        raise RuntimeError("a client without pipes")

    async def ask(case: dict[str, Any]) -> dict[str, Any]:
        into.write(json.dumps(case).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await out.readline() or b'{"code": "the client ended", "id": ""}')
        return answer

    try:
        yield ask
    finally:
        into.close()
        await process.wait()


def by_cli(aws: Path, url: str, env: dict[str, str]) -> Ask:
    """Return what calls the AWS CLI, a process for each case."""

    async def ask(case: dict[str, Any]) -> dict[str, Any]:
        name = xform_name(case["operation"], "-")
        command = (str(aws), case["service"], name, "--endpoint-url", url, "--output", "json", "--no-paginate")
        pipe = asyncio.subprocess.PIPE
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:  # a mail is too long for a command line
            json.dump(case["parameters"], file)
            file.flush()
            given = ("--cli-input-json", f"file://{file.name}")
            process = await asyncio.create_subprocess_exec(*command, *given, stdout=pipe, stderr=pipe, env=env)
            out, err = await process.communicate()
        if process.returncode:
            said = re.search(r"\((\w+)\)", err.decode())
            return {"code": said[1] if said else err.decode().strip(), "id": "", "keys": []}
        found = json.loads(out or b"{}")
        return {"code": "", "id": found.get("ContactId", ""), "keys": sorted(found)}

    return ask


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Put contact ids in for `$NAME`."""
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    return ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def differs(case: Case, answer: dict[str, Any]) -> str:
    """Return what is wrong with an answer; "" where it is as it should be."""
    if answer["code"] != case.code:
        return f"{answer['code'] or 'accepted'} instead of {case.code or 'accepted'} {answer.get('said', '')}".strip()
    if case.keys is not None and tuple(answer["keys"]) != case.keys:
        return f"{answer['keys']} instead of {list(case.keys)}"
    return ""


async def go_through(client: str, ask: Ask) -> int:
    """Go through the table with one client; return how many cases differ."""
    ids: dict[str, str] = {}
    wrong = 0
    for case in CASES:
        called = {"service": case.service, "operation": case.operation, "parameters": filled(case.parameters, ids)}
        answer = await ask(called)
        ids[case.name] = answer["id"]
        if said := differs(case, answer):
            wrong += 1
            print(f"{client}: {case.name}: {said}")
    if ids["again"] != ids["chat"]:
        wrong += 1
        print(f"{client}: a token that came again has another contact")
    print(f"{client}: {len(CASES) - wrong} of {len(CASES)} cases agree")
    return wrong


async def main(folder: Path) -> int:
    wrong, env = 0, environment(folder)
    with tempfile.TemporaryDirectory() as templates:
        (Path(templates) / "reminder.json").write_text(json.dumps(TEXT | {"content": CONTENT}))
        settings: dict[str, Any] = {
            "rate": math.inf,
            "templates": templates,
            "require_signature": True,
            "secret_keys": [SECRET],
        }
        commands = {"boto3": (str(folder / "venv/bin/python"), str(HERE / "conformance_boto3.py"))}
        if (folder / "node_modules").is_dir():
            commands["JavaScript SDK"] = ("node", str(HERE / "conformance.cjs"))
        for name, command in commands.items():
            async with Sandbox(**settings) as sandbox, lines(*command, sandbox.url, env=env) as ask:
                wrong += await go_through(name, ask)
        async with Sandbox(**settings) as sandbox:
            aws = Path(os.environ.get("CONFORMANCE_AWS") or folder / "venv/bin/aws")
            wrong += await go_through("AWS CLI", by_cli(aws, sandbox.url, env))
    return wrong


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(Path(sys.argv[1]).resolve())) else 0)
