"""Which rows of an export are left out, written down a second time."""

from typing import Any

RULES: dict[str, dict[str, Any]] = {
    "Amazon Pinpoint segment": {
        "channel": {"column": "ChannelType", "phone": ["SMS"], "email": ["EMAIL"]},
        "flat": True,
        "leave_out": [
            {"column": "OptOut"},
            {"column": "EndpointStatus", "asks": "values", "values": ["INACTIVE"], "code": "inactive"},
        ],
    },
    "Mailchimp export of unsubscribed contacts": {"leave_out": [{"column": "Email Address", "asks": "filled"}]},
    "Mailchimp export of cleaned contacts": {
        "leave_out": [{"column": "Email Address", "asks": "filled", "code": "bounced"}]
    },
    "HubSpot export of contacts": {
        "leave_out": [
            {"column": "Unsubscribed from all email", "kinds": ["email"]},
            {"column": "Email hard bounce reason", "kinds": ["email"], "code": "bounced"},
        ]
    },
    "Salesforce export of contacts or leads": {
        "leave_out": [
            {"column": "HasOptedOutOfEmail", "kinds": ["email"]},
            {"column": "PersonHasOptedOutOfEmail", "kinds": ["email"]},
            {"column": "IsEmailBounced", "kinds": ["email"], "code": "bounced"},
            {"column": "EmailBouncedDate", "kinds": ["email"], "code": "bounced"},
            {"column": "DoNotCall", "kinds": ["phone"]},
            {"column": "PersonDoNotCall", "kinds": ["phone"]},
        ]
    },
    "Salesforce report of contacts or leads": {
        "leave_out": [
            {"column": "Email Opt Out", "kinds": ["email"]},
            {"column": "Email Bounced Date", "kinds": ["email"], "code": "bounced"},
            {"column": "Email Bounced Reason", "kinds": ["email"], "code": "bounced"},
            {"column": "Do Not Call", "kinds": ["phone"]},
        ]
    },
    "Shopify export of customers": {
        "leave_out": [
            {"column": "Accepts Email Marketing", "asks": "consent", "kinds": ["email"]},
            {"column": "Accepts Marketing", "asks": "consent", "kinds": ["email"]},
            {"column": "Accepts SMS Marketing", "asks": "consent", "kinds": ["phone"]},
            {"column": "Accepts WhatsApp Marketing", "asks": "consent", "kinds": ["whatsapp"]},
        ]
    },
    "Klaviyo export of profiles": {
        "leave_out": [
            {"column": "Email Marketing Consent", "asks": "consent", "kinds": ["email"]},
            {"column": "Email Suppressions", "kinds": ["email"]},
            {"column": "SMS Marketing Consent", "asks": "consent", "kinds": ["phone"]},
        ]
    },
    "Brevo export of contacts": {
        "leave_out": [
            {"column": "email_blacklisted", "kinds": ["email"]},
            {"column": "sms_blacklisted", "kinds": ["phone"]},
            {"column": "email_marketing", "asks": "consent", "kinds": ["email"]},
            {"column": "sms_marketing", "asks": "consent", "kinds": ["phone"]},
            {"column": "DOUBLE_OPT-IN", "asks": "values", "values": ["2", "no"], "kinds": ["email"]},
        ]
    },
    "ActiveCampaign export of contacts": {
        "leave_out": [
            {
                "column": "Status",
                "asks": "values",
                "values": ["unsubscribed", "unconfirmed", "bounced", "0", "2", "3"],
                "kinds": ["email"],
            },
            {"column": "Unsubscribe Date", "kinds": ["email"]},
            {"column": "Unsubscribed Date", "kinds": ["email"]},
            {"column": "Unsubscribe Reason", "kinds": ["email"]},
        ]
    },
    "listmonk export of subscribers": {"leave_out": [{"column": "status", "asks": "consent"}]},
    "Zendesk export of users": {"leave_out": [{"column": "Suspended", "code": "inactive"}]},
}
"""By the name of an export: whom it leaves out, the column that says what a destination is, and its structs."""
