"""From campaign and recipient to parameters."""

import html
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
import yaml
from compiled_requests import ARN, DRAFT, RAW, SMS, built, mail, recipient, refused, sms
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.errors import CampaignError
from bulk.model import Parameters, Refusal
from bulk.operations import operation


def rendered(template: Any, cells: Mapping[str, Any]) -> Any:
    """Return what a template makes of a row, as the value of an attribute."""
    request = sms({**SMS, "Attributes": {"x": template}}, [*cells, "phone", "first_name"])
    return built(request, {"phone": "1", "first_name": "A", **cells})["request"].get("Attributes", {}).get("x")


def faults(**changed: Any) -> str:
    with pytest.raises(CampaignError) as error:
        sms({**SMS, **changed}, ["phone", "first_name", "last_name"])
    return str(error.value)


# What a row makes


def test_a_row_becomes_the_parameters_of_its_call() -> None:
    request = sms(SMS, ["phone", "first_name", "unused"])
    assert built(request, {"phone": "415 555 0123", "first_name": "Ann"}) == {
        "request": {
            **SMS,
            "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+14155550123"},
            "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi Ann"},
        }
    }


def test_the_destination_is_read_as_the_list_has_it() -> None:
    request = sms(SMS, ["Phone", "first_name"])
    assert request.destination({"Phone": " 415 555 0123", "first_name": "Ann"}) == " 415 555 0123"
    assert request.destination({"Phone": None, "first_name": "Ann"}) == ""
    assert request.destination_column == "Phone"


def test_a_destination_put_together_from_columns_has_no_column_of_its_own() -> None:
    address = {"Type": "TELEPHONE_NUMBER", "Address": "+{{ code }}{{ number }}"}
    request = sms({**SMS, "DestinationEndpoint": address}, ["code", "number", "first_name"])
    assert request.destination({"code": 1, "number": "4155550123", "first_name": "A"}) == "+14155550123"
    assert request.destination_column is None


def test_a_destination_whose_template_fails_on_a_row_is_empty() -> None:
    address = {"Type": "TELEPHONE_NUMBER", "Address": "{{ phones[0] }}"}
    assert sms({**SMS, "DestinationEndpoint": address}, ["phones", "first_name"]).destination({"phones": []}) == ""


def test_only_the_columns_that_templates_name_are_read() -> None:
    request = sms(
        {**SMS, "Attributes": {"a": "{% for x in Tags %}{{ x }}{% endfor %}"}}, ["Phone", "First Name", "tags", "z"]
    )
    assert request.columns == {"Phone", "First Name", "tags"}


def test_the_whole_row_reads_every_column() -> None:
    request = sms({**SMS, "Attributes": "{{ row }}"}, ["phone", "first_name", "z"])
    assert request.columns == {"phone", "first_name", "z"}
    cells = {"phone": "1", "first_name": "A", "z": None}
    assert built(request, cells)["request"]["Attributes"] == {"phone": "1", "first_name": "A"}


# Names


@pytest.mark.parametrize("header", ["First Name", "first_name", " FIRST-NAME ", "FirstName", "first/name"])
def test_a_header_is_matched_without_regard_to_case_space_or_separators(header: str) -> None:
    assert (
        built(sms(SMS, ["phone", header]), {"phone": "1", header: "Ann"})["request"]["InitialSystemMessage"]["Content"]
        == "Hi Ann"
    )


def test_an_exact_header_wins_over_those_that_are_alike() -> None:
    cells = {"phone": "1", "First Name": "no", "first_name": "Ann"}
    assert built(sms(SMS, list(cells)), cells)["request"]["InitialSystemMessage"]["Content"] == "Hi Ann"


def test_headers_that_are_alike_are_an_error_that_tells_how_to_name_one() -> None:
    with pytest.raises(CampaignError, match=r'row\["First Name"\] or row\["first-name"\]'):
        sms(SMS, ["phone", "First Name", "first-name"])


@pytest.mark.parametrize(
    "template, cells",
    [
        ("{{ User.UserAttributes.FirstName }}", {"User.UserAttributes.FirstName": "Ann"}),
        ("{{ user.user_attributes.first_name }}", {"User.UserAttributes.FirstName": "Ann"}),
        ("{{ User.UserAttributes.FirstName }}", {"User": {"UserAttributes": {"FirstName": "Ann"}}}),
        ("{{ user.user_attributes.first_name }}", {"User": {"User Attributes": {"First Name": "Ann"}}}),
        ("{{ user['UserAttributes'].FirstName }}!", {"User.UserAttributes.FirstName": "Ann"}),
        ("{{ row.User.UserAttributes.FirstName }}", {"User.UserAttributes.FirstName": "Ann"}),
        ("{{ row['User.UserAttributes.FirstName'] }}", {"User.UserAttributes.FirstName": "Ann"}),
        ("{{ row['E-mail (work)'] }}", {"E-mail (work)": "Ann"}),
        ("{{ No }}", {"No.": "Ann"}),
        ("{{ names[0] }}", {"names": ["Ann", "Lee"]}),
        ("{{ names.0 }}", {"names": ["Ann", "Lee"]}),
        ("{{ user.names[0].first }}", {"user.names": [{"first": "Ann"}]}),
        ("{{ 姓名 }}", {"姓名": "Ann"}),
        ("{{ user.items }}", {"user": {"items": "Ann"}}),
    ],
)
def test_a_name_or_path_finds_its_column(template: str, cells: dict[str, Any]) -> None:
    assert rendered(template, cells).rstrip("!") == "Ann"


def test_the_columns_below_a_dotted_name_are_a_map() -> None:
    cells = {"User.Attr.First": "Ann", "User.Attr.City": "Bern", "User.Id": "7", "phone": "1", "first_name": "A"}
    request = sms({**SMS, "Attributes": "{{ User.Attr }}"}, list(cells))
    assert built(request, cells)["request"]["Attributes"] == {"First": "Ann", "City": "Bern"}
    assert "User.Id" not in request.columns


def test_a_column_called_row_does_not_hide_the_row() -> None:
    assert rendered("{{ row.row }}", {"row": "7"}) == "7"


@pytest.mark.parametrize(
    "template, text",
    [
        ("{% for n in names %}{{ loop.index }}{{ n }}{% if not loop.last %}, {% endif %}{% endfor %}", "1Ann, 2Lee"),
        ("{% set first_name = first_name | upper %}{{ first_name }}", "A"),
        ("{% set n = names | length %}{{ n + 1 }}", "3"),
        ("{{ names | join('+') }}", "Ann+Lee"),
        ("{{ names | map('upper') | list | last }}", "LEE"),
        ("{% for i in range(2) %}{{ names[i] }}{% endfor %}", "AnnLee"),
        ("{{ 'none' if nothing is none else 'some' }}", "none"),
        ("{{ nothing }}|{{ nothing or 'friend' }}", "|friend"),
        ("{{ date.strftime('%d.%m.%Y') }}", "20.11.2026"),
        ("{{ row.first_name.lower() }}", "a"),
        ("{% for name in row %}{{ name[0] }}{% endfor %}", "pfnnd"),
        ("{% macro hi(n) %}Hi {{ n }}{% endmacro %}{{ hi(first_name) }}", "Hi A"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{# nothing #}", None),
        ("line\n{{ first_name }}\n", "line\nA\n"),
    ],
)
def test_a_template_may_use_the_whole_language(template: str, text: str | None) -> None:
    assert rendered(template, {"names": ["Ann", "Lee"], "nothing": None, "date": date(2026, 11, 20)}) == text


# Types


def test_an_expression_alone_keeps_its_type() -> None:
    inner = {"connect:ContactExpiry": {"ValueMap": {"ExpiryDuration": {"ValueInteger": "{{ expiry }}"}}}}
    changed = {"SegmentAttributes": {**SMS["SegmentAttributes"], **inner}, "ChatDurationInMinutes": "{{ hours * 60 }}"}
    request = sms(
        {**SMS, **changed, "SupportedMessagingContentTypes": "{{ types }}"},
        ["phone", "first_name", "expiry", "hours", "types"],
    )
    cells = {"phone": "1", "first_name": "A", "expiry": "135", "hours": 2, "types": ["text/plain"]}
    found = built(request, cells)["request"]
    assert found["SegmentAttributes"]["connect:ContactExpiry"] == {
        "ValueMap": {"ExpiryDuration": {"ValueInteger": 135}}
    }
    assert found["ChatDurationInMinutes"] == 120
    assert found["SupportedMessagingContentTypes"] == ["text/plain"]


@pytest.mark.parametrize("cell", [{"a": 1, "b": None}, '{"a": 1, "b": ""}'])
def test_a_map_member_takes_a_struct_or_json(cell: Any) -> None:
    request = sms({**SMS, "Attributes": "{{ extra }}"}, ["phone", "first_name", "extra"])
    assert built(request, {"phone": "1", "first_name": "A", "extra": cell})["request"]["Attributes"] == {"a": "1"}


def test_a_value_that_renders_empty_is_left_out_where_it_is_optional() -> None:
    changed = {"Attributes": {"a": "{{ x }}", "b": "{{ y }}"}, "ParticipantDetails": {"DisplayName": "{{ x }}"}}
    request = sms({**SMS, **changed}, ["phone", "first_name", "x", "y"])
    found = built(request, {"phone": "1", "first_name": "A", "x": None, "y": ""})["request"]
    assert "Attributes" not in found
    assert "ParticipantDetails" not in found


def test_a_row_is_refused_where_a_required_value_renders_empty() -> None:
    request = sms({**SMS, "ContactFlowId": "{{ flow }}"}, ["phone", "first_name", "flow"])
    found = refused(request, {"phone": "1", "first_name": "A", "flow": ""})
    assert found.code == "missing_parameter"
    assert found.message == "[request] ContactFlowId: is required, and missing or empty: give it a value."


# Mail


def test_a_mail_is_built_for_each_of_its_calls() -> None:
    found = built(mail(["email", "body"], stop_contact={}), {"email": "A@x.org", "body": "b"}, destination="A@x.org")
    assert found["create_contact"] == {**DRAFT, "InstanceId": "8f3c"}
    assert found["request"]["DestinationEmailAddress"] == {"EmailAddress": "A@x.org"}
    assert found["stop_contact"] == {"InstanceId": "8f3c"}


def test_what_the_channel_supplies_is_not_missing_and_not_sent() -> None:
    assert (
        "ContactId"
        not in built(mail(["email", "body"]), {"email": "a@x.org", "body": "b"}, destination="a@x.org")["request"]
    )


CONFIG = {
    "KnowledgeBaseId": "k",
    "MessageTemplateId": "{{ template }}",
    "TemplateAttributes": {"CustomAttributes": {"a": "{{ body }}"}},
}


def test_the_source_of_a_message_follows_from_what_is_present() -> None:
    columns = ["email", "body", "template"]
    cells = {"email": "a@x.org", "body": "b", "template": "t"}
    templated = mail(columns, request={**RAW, "EmailMessage": {"TemplatedMessageConfig": CONFIG}})
    assert built(templated, cells, destination="a@x.org")["request"]["EmailMessage"]["MessageSourceType"] == "TEMPLATE"
    assert built(mail(columns), cells, destination="a@x.org")["request"]["EmailMessage"]["MessageSourceType"] == "RAW"


def test_each_row_may_choose_between_raw_and_template() -> None:
    raw = {"Subject": "{{ subject }}", "Body": "{{ body }}", "ContentType": "{{ kind }}"}
    config = {"KnowledgeBaseId": "{{ base }}", "MessageTemplateId": "{{ template }}", "TemplateAttributes": {}}
    message = {"RawMessage": raw, "TemplatedMessageConfig": config}
    columns = ["email", "body", "subject", "kind", "base", "template"]
    request = mail(columns, request={**RAW, "EmailMessage": message})
    blank = dict.fromkeys(columns, "")
    first = built(request, {**blank, "subject": "s", "body": "b", "kind": "text/plain"}, destination="a@x.org")
    second = built(request, {**blank, "base": "k", "template": "t"}, destination="a@x.org")
    assert first["request"]["EmailMessage"]["MessageSourceType"] == "RAW"
    assert set(second["request"]["EmailMessage"]) == {"MessageSourceType", "TemplatedMessageConfig"}


def test_an_empty_attribute_of_a_template_is_sent_empty() -> None:
    request = mail(["email", "body", "template"], request={**RAW, "EmailMessage": {"TemplatedMessageConfig": CONFIG}})
    found = built(request, {"email": "a@x.org", "body": None, "template": "t"}, destination="a@x.org")["request"]
    assert found["EmailMessage"]["TemplatedMessageConfig"]["TemplateAttributes"] == {"CustomAttributes": {"a": ""}}


def raw_message(**changed: str) -> dict[str, Any]:
    return {**RAW, "EmailMessage": {"RawMessage": {"Subject": "{{ body }}", "Body": "<p>{{ body }}</p>", **changed}}}


@pytest.mark.parametrize(
    "kind, text",
    [
        ("text/html", "<p>&lt;b&gt; &amp; c</p>"),
        ("text/plain", "<p><b> & c</p>"),
        ("{{ kind }}", "<p>&lt;b&gt; &amp; c</p>"),
    ],
)
def test_a_body_is_escaped_where_it_is_html_and_a_subject_never(kind: str, text: str) -> None:
    request = mail(["email", "body", "kind"], request=raw_message(ContentType=kind))
    cells = {"email": "a@x.org", "body": "<b> & c", "kind": "text/html"}
    message = built(request, cells, destination="a@x.org")["request"]["EmailMessage"]["RawMessage"]
    assert (message["Subject"], message["Body"]) == ("<b> & c", text)


def test_html_of_the_list_itself_can_be_marked_safe() -> None:
    request = mail(["email", "body"], request=raw_message(ContentType="text/html", Body="{{ body | safe }}"))
    found = built(request, {"email": "a@x.org", "body": "<b>"}, destination="a@x.org")["request"]
    assert found["EmailMessage"]["RawMessage"]["Body"] == "<b>"
    assert type(found["EmailMessage"]["RawMessage"]["Body"]) is str


def test_users_are_taken_in_turn_by_row() -> None:
    request = mail(["email", "body"], create_contact={**DRAFT, "UserInfo": {"UserId": ["u1", "u2", "", "u3"]}})
    cells = {"email": "a@x.org", "body": "b"}
    taken = [
        built(request, cells, row=row, destination="a@x.org")["create_contact"]["UserInfo"]["UserId"]
        for row in range(4)
    ]
    assert taken == ["u1", "u2", "u3", "u1"]
    assert request.varies["CreateContact"]


def test_a_row_that_has_a_turn_of_its_own_keeps_its_user_wherever_it_stands() -> None:
    request = mail(["email", "body"], create_contact={**DRAFT, "UserInfo": {"UserId": ["u1", "u2", "u3"]}})
    cells = {"email": "a@x.org", "body": "{{ row }}"}
    taken = [request.build(recipient(cells, row=row, destination="a@x.org"), turn=4) for row in range(3)]
    assert [one["create_contact"]["UserInfo"]["UserId"] for one in taken if not isinstance(one, Refusal)] == ["u2"] * 3


def test_a_user_id_that_cannot_be_one_is_found_in_its_list() -> None:
    with pytest.raises(CampaignError, match=r"\[create_contact\] UserInfo.UserId\[1\]: is 257 characters long"):
        mail(["email", "body"], create_contact={**DRAFT, "UserInfo": {"UserId": ["u1", "u" * 257]}})


def test_no_user_at_all_is_an_error_of_the_campaign() -> None:
    with pytest.raises(CampaignError, match=r"\[create_contact\] UserInfo.UserId: is missing"):
        mail(["email", "body"], create_contact={**DRAFT, "UserInfo": {"UserId": []}})


# What is wrong with a campaign


def test_everything_that_is_wrong_is_told_at_once() -> None:
    said = faults(
        ContactFlowID="x",
        ChatDurationInMinutes=5,
        Attributes={"a": "{{ frst_name }}", "b": "{{ lastname2 }} {{ User.City }}", "c": "{{ "},
        SourceEndpoint={"Type": "TELEPHONE_NUMBER", "Address": ARN},
    ).splitlines()
    assert said == [
        "[request] Attributes.a: the list has no column 'frst_name'. Did you mean 'first_name'?",
        "[request] Attributes.b: the list has no column 'lastname2'. Did you mean 'last_name'?",
        "[request] Attributes.b: the list has no column 'User.City'. It has: phone, first_name, last_name.",
        "[request] Attributes.c: line 1 of the template: unexpected 'end of template'",
        "[request] SourceEndpoint.Type: is 'TELEPHONE_NUMBER'; it must be CONNECT_PHONENUMBER_ARN.",
        "[request] ContactFlowID: is no parameter that is known here. Did you mean 'ContactFlowId'?",
        "[request] ChatDurationInMinutes: is '5'; it must be 60 to 10,080.",
    ]


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"ContactFlowId": ""}, "[request] ContactFlowId: is required"),
        ({"Attributes": {"a b": "{{ phone }}"}}, "[request] Attributes.a b: as a key"),
        ({"Attributes": "all"}, "[request] Attributes: is text where a map"),
        ({"SourceEndpoint": ARN}, "[request] SourceEndpoint: is text where a map"),
        ({"Attributes": {"a": "one\ntwo {% if %}"}}, "[request] Attributes.a: line 2 of the template:"),
        ({"Attributes": {"a": "{{ phone | uper }}"}}, "No filter named 'uper'"),
        ({"Attributes": {"a": "{{ [1, 2] | random }}"}}, "No filter named 'random'"),
        ({"Attributes": {"a": "{% include 'other' %}"}}, "stands alone"),
        ({"Attributes": {"a": "{{ 1 / 0 }}"}}, "the template fails: division by zero"),
        ({"Attributes": {"a": "{{ ''.__class__ }}"}}, "unsafe"),
        ({"InitialSystemMessage": {"ContentType": "text/plain", "Content": "x" * 1_025}}, "1,025 characters"),
        (
            {"InitialSystemMessage": {"ContentType": "text/html", "Content": "{{ phone }}"}},
            "must be one of: text/plain",
        ),
        ({"ClientToken": "token"}, "[request] ClientToken: is the same for all rows"),
        ({"InstanceId": "{{ phone }}"}, "[request] InstanceId: is a template"),
        ({"DestinationEndpoint": {"Type": "TELEPHONE_NUMBER"}}, "[request] DestinationEndpoint.Address: is required"),
    ],
)
def test_what_no_row_can_mend_is_an_error_of_the_campaign(changed: dict[str, Any], said: str) -> None:
    assert said in faults(**changed)


def test_a_client_token_may_be_left_empty_or_made_by_the_row() -> None:
    cells = {"phone": "1", "first_name": "A"}
    assert "ClientToken" not in built(sms({**SMS, "ClientToken": ""}, list(cells)), cells)["request"]
    own = sms({**SMS, "ClientToken": "t-{{ phone }}"}, list(cells))
    assert built(own, cells)["request"]["ClientToken"] == "t-1"


def test_an_initial_message_without_content_is_left_to_the_flow() -> None:
    cells = {"phone": "1"}
    for message in ({"ContentType": "text/plain"}, {"ContentType": "", "Content": ""}):
        assert (
            "InitialSystemMessage"
            not in built(sms({**SMS, "InitialSystemMessage": message}, ["phone"]), cells)["request"]
        )


def test_a_row_without_content_is_refused_and_not_sent_empty() -> None:
    request = sms(
        {**SMS, "InitialSystemMessage": {"ContentType": "text/plain", "Content": "{{ text }}"}}, ["phone", "text"]
    )
    assert refused(request, {"phone": "1", "text": None}).code == "missing_parameter"


# What is wrong with a row


def test_a_refusal_names_every_trouble_of_the_row() -> None:
    changed = {"ChatDurationInMinutes": "{{ minutes }}", "ContactFlowId": "{{ flow }}"}
    request = sms({**SMS, **changed}, ["phone", "first_name", "minutes", "flow"])
    found = refused(request, {"phone": "1", "first_name": "A", "minutes": "soon", "flow": "x" * 501})
    assert found.code == "invalid_parameter"
    said = "[request] ChatDurationInMinutes: is text of 4 characters, which is not a whole number."
    assert said in found.message
    assert "[request] ContactFlowId: is 501 characters long; at most 500 are allowed." in found.message


@pytest.mark.parametrize(
    "template, said",
    [
        ("{{ x.city }}", "has no attribute 'city'"),
        ("{{ x + 1 }}", "unsupported operand"),
        ("{{ x.__class__ }} ", "unsafe"),
        ("{{ (x or 0) / 0 }}", "division by zero"),
    ],
)
def test_a_template_that_fails_on_a_row_refuses_it(template: str, said: str) -> None:
    found = refused(
        sms({**SMS, "Attributes": {"a": template}}, ["phone", "first_name", "x"]),
        {"phone": "1", "first_name": "A", "x": None},
    )
    assert found.code == "template_error"
    assert found.message.startswith("[request] Attributes.a: the template failed: ")
    assert said in found.message


def test_no_message_shows_the_destination() -> None:
    request = sms(
        {**SMS, "ChatDurationInMinutes": "{{ phone }}", "Attributes": {"a": "{{ {}[phone] }}"}}, ["phone", "first_name"]
    )
    other = sms({**SMS, "ChatDurationInMinutes": "{{ phone }}"}, ["phone", "first_name"])
    for compiled in (request, other):
        message = refused(compiled, {"phone": "(415) 555-0123", "first_name": "A"}).message
        assert "555-0123" not in message
        assert "+14155550123" not in message


def test_a_row_cannot_reach_out_of_the_sandbox_or_change_itself() -> None:
    cells = {"phone": "1", "first_name": "A", "x": {"k": "v"}}
    request = sms({**SMS, "Attributes": {"a": "{{ x.update({'k': 'w'}) }}"}}, list(cells))
    assert refused(request, cells).code == "template_error"
    assert cells["x"] == {"k": "v"}


# What the campaign tells of itself


@pytest.mark.parametrize(
    "changed, varies",
    [
        ({}, False),
        ({"Attributes": {"customerId": "{{ phone }}"}}, False),
        ({"ContactFlowId": "{{ phone }}"}, True),
        ({"RelatedContactId": "{{ phone }}"}, True),
        ({"SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": "{{ phone }}"}}, True),
        ({"InitialSystemMessage": {}, "InitialTemplatedSystemMessage": CONFIG}, True),
    ],
)
def test_a_campaign_knows_whether_a_row_names_a_resource(changed: dict[str, Any], *, varies: bool) -> None:
    request = sms({**SMS, **changed}, ["phone", "first_name", "template", "body"])
    assert request.varies == {"StartOutboundChatContact": varies}


def test_digests_tell_which_text_changed_and_hold_none_of_it() -> None:
    columns = ["phone", "first_name"]
    before = sms({**SMS, "ContactFlowId": "secret-flow"}, columns).digests
    after = sms({**SMS, "ContactFlowId": "other-flow"}, columns).digests
    assert {path for path in before if before[path] != after[path]} == {"request.ContactFlowId"}
    assert "secret" not in str(before)


# The AWS CLI's skeletons, as it writes them


SKELETON_SMS = """
SourceEndpoint: # [REQUIRED] Information about the endpoint.
  Type: CONNECT_PHONENUMBER_ARN
  Address: 'arn:aws:connect:us-west-2:123456789012:phone-number/3f0b'
DestinationEndpoint:
  Type: TELEPHONE_NUMBER
  Address: '{{ phone }}'
InstanceId: '8f3c'
SegmentAttributes:
  'connect:Subtype':
    ValueString: connect:SMS
    ValueMap:
      KeyName:
        ValueString: ''
        ValueArn: ''
    ValueArn: ''
Attributes:
  KeyName: ''
ContactFlowId: '846ec553'
ChatDurationInMinutes: 60
ParticipantDetails:
  DisplayName: ''
InitialSystemMessage:
  ContentType: text/plain
  Content: 'Hi {{ first_name }}'
RelatedContactId: ''
SupportedMessagingContentTypes:
- ''
ClientToken: ''
"""

SKELETON_MAIL = """{
    "InstanceId": "8f3c", "ContactId": "",
    "FromEmailAddress": {"EmailAddress": "", "DisplayName": ""},
    "DestinationEmailAddress": {"EmailAddress": "{{ email }}", "DisplayName": ""},
    "AdditionalRecipients": {"CcEmailAddresses": [{"EmailAddress": "", "DisplayName": ""}]},
    "EmailMessage": {
        "MessageSourceType": "RAW",
        "TemplatedMessageConfig": {
            "KnowledgeBaseId": "", "MessageTemplateId": "",
            "TemplateAttributes": {"CustomAttributes": {"KeyName": ""}, "CustomerProfileAttributes": ""}
        },
        "RawMessage": {"Subject": "S", "Body": "{{ body }}", "ContentType": "text/plain"}
    },
    "ClientToken": ""
}"""


def test_the_empty_members_of_a_skeleton_are_left_out() -> None:
    found = built(sms(yaml.safe_load(SKELETON_SMS), ["phone", "first_name"]), {"phone": "1", "first_name": "Ann"})
    expected = {
        **SMS,
        "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+14155550123"},
        "ChatDurationInMinutes": 60,
    }
    assert found["request"] == {**expected, "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi Ann"}}
    mailed = mail(["email", "body"], request=json.loads(SKELETON_MAIL))
    assert built(mailed, {"email": "a@x.org", "body": "b"}, destination="a@x.org")["request"] == {
        "InstanceId": "8f3c",
        "DestinationEmailAddress": {"EmailAddress": "a@x.org"},
        "EmailMessage": {
            "MessageSourceType": "RAW",
            "RawMessage": {"Subject": "S", "Body": "b", "ContentType": "text/plain"},
        },
    }


# Every parameter as a template


COMPLETE: dict[str, Any] = {
    **SMS,
    "Attributes": {"a": "b"},
    "RelatedContactId": "r",
    "ChatDurationInMinutes": 90,
    "ParticipantDetails": {"DisplayName": "Ann"},
    "SupportedMessagingContentTypes": ["text/plain"],
    "SegmentAttributes": {
        "connect:Subtype": {"ValueString": "connect:SMS"},
        "map": {"ValueMap": {"a": {"ValueMap": {"b": {"ValueInteger": 5}}}}},
        "list": {"ValueList": [{"ValueString": "x"}, {"ValueArn": ARN}]},
    },
}


def templated(value: Any, path: str, cells: dict[str, Any]) -> Any:
    """Put a column in place of every scalar, and note its cell."""
    if isinstance(value, dict):
        return {name: templated(item, f"{path}_{len(cells)}", cells) for name, item in value.items()}
    if isinstance(value, list):
        return [templated(item, f"{path}_{at}", cells) for at, item in enumerate(value)]
    cells[path] = str(value)
    return f"{{{{ {path} }}}}"


def test_every_member_can_come_from_a_column_however_deep() -> None:
    cells: dict[str, Any] = {}
    instance = COMPLETE["InstanceId"]
    request = {
        "InstanceId": instance,
        **templated({k: v for k, v in COMPLETE.items() if k != "InstanceId"}, "c", cells),
    }
    found = built(sms(request, list(cells)), cells)["request"]
    endpoint = {"Type": "TELEPHONE_NUMBER", "Address": "+14155550123"}
    message = {"ContentType": "text/plain", "Content": "Hi {{ first_name }}"}
    assert found == {**COMPLETE, "DestinationEndpoint": endpoint, "InitialSystemMessage": message}


# Invariants


BARE = sms({**SMS, "InitialSystemMessage": {}, "Attributes": {"a": "{{ x }}", "b": "<{{ x }}>"}}, ["phone", "x"])
ESCAPED = mail(["email", "body"], request=raw_message(ContentType="text/html", Subject="s"))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_in_any_cell_comes_out_the_same(text: str) -> None:
    attributes = built(BARE, {"phone": "1", "x": text})["request"]["Attributes"]
    assert attributes.get("a", "") == text
    assert attributes["b"] == f"<{text}>"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    found = built(ESCAPED, {"email": "a@x.org", "body": text}, destination="a@x.org")["request"]
    body = found["EmailMessage"]["RawMessage"]["Body"]
    assert not set(body.removeprefix("<p>").removesuffix("</p>")) & set("<>\"'")
    assert html.unescape(body) == f"<p>{text}</p>"


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["phone", "x"]),
        st.none() | st.integers() | st.text(max_size=20) | st.lists(st.integers()),
        min_size=2,
    )
)
def test_a_row_is_either_built_or_refused(cells: dict[str, Any]) -> None:
    found = BARE.build(recipient(cells))
    if not isinstance(found, Refusal):
        parameters: Parameters = found["request"]
        assert not operation("StartOutboundChatContact").check(parameters)
