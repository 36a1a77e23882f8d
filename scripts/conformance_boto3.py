"""One client of `scripts/conformance`: boto3. Reads a case a line, answers with what came of it."""

import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
CONFIG = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
CLIENTS = {name: boto3.client(name, endpoint_url=URL, config=CONFIG) for name in ("connect", "qconnect")}

for line in sys.stdin:
    case = json.loads(line)
    try:
        found = getattr(CLIENTS[case["service"]], xform_name(case["operation"]))(**case["parameters"])
        answer = {"code": "", "id": found.get("ContactId", ""), "keys": sorted(set(found) - {"ResponseMetadata"})}
    except ClientError as error:
        answer = {"code": error.response["Error"]["Code"], "id": "", "keys": []}
    print(json.dumps(answer), flush=True)
