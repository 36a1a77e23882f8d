#!/bin/sh
# The AWS CLI under xargs, four at once: aws_cli.sh URL CALLS FOLDER
set -eu
export BENCH_URL="$1" AWS_PAGER=
cat > "$3/request.json" <<'JSON'
{
  "InstanceId": "8f3c2b1a-5d4e-4f60-9a7b-1c2d3e4f5a6b",
  "ContactFlowId": "846ec553-a005-41c0-8341-0f5a6b7c8d9e",
  "SourceEndpoint": {
    "Type": "CONNECT_PHONENUMBER_ARN",
    "Address": "arn:aws:connect:us-west-2:123456789012:phone-number/0d1e2f3a-4b5c-4d6e-8f70-8192a3b4c5d6"
  },
  "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+14152200000"},
  "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
  "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi Ann, see you on 2026-11-20."}
}
JSON
seq "$2" | xargs -P 4 -I{} aws connect start-outbound-chat-contact --endpoint-url "$BENCH_URL" \
    --cli-input-json "file://$3/request.json" --output json >/dev/null
echo '{"sent": '"$2"'}'
