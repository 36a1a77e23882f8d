"""What the names of columns say of consent, in any spelling and seven languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.loader.roles import Role, role_of

OPT_OUT = {
    "": [
        *(
            "opt_out",
            "Opted Out",
            "optedOut",
            "OPTOUT",
            "Opt-Outs",
            "has_opted_out",
            "is opted out?",
            "hasOptedOut",
            "opt_out_1",
        ),
        *(
            "Unsubscribed",
            "unsubscribed_at",
            "Unsubscribe Date",
            "isUnsubscribed",
            "unsubscribe_reason",
            "user.opted_out",
        ),
        *(
            "Do Not Contact",
            "do_not_contact",
            "doNotContact",
            "Don't contact",
            "DNC",
            "National DNC",
            "DND",
            "Blacklisted",
        ),
        *(
            "blocklisted",
            "Suppressed",
            "Deceased",
            "Verstorben am",
            "suppression_reason",
            "Excluded",
            "consent_withdrawn",
            "Marketing consent revoked",
        ),
        *("not subscribed", "no consent", "No Contact", "opt out (metadata)", "unsubscribed (yes/no)", "complained"),
        *("Désinscrit", "désabonnée", "désabonné le", "ne pas contacter", "Opposition", "liste noire"),
        *(
            "Abgemeldet",
            "abgemeldet am",
            "Werbesperre",
            "Widerspruch",
            "Widerruf",
            "keine Werbung",
            "nicht kontaktieren",
        ),
        *("baja", "Dado de baja", "fecha de baja", "no contactar", "No molestar", "desuscrito", "sin publicidad"),
        *("descadastrado", "não contactar", "Não perturbe", "sem publicidade"),
        *("disiscritto", "non contattare", "revoca consenso", "opposizione", "senza pubblicità"),
        *("afgemeld", "Uitgeschreven", "niet storen", "bezwaar", "geen reclame"),
    ],
    "email": [
        *(
            "HasOptedOutOfEmail",
            "email_opt_out",
            "emailOptOut",
            "Opted out of e-mails",
            "Do Not Email",
            "Unsubscribed from all email",
        ),
        *(
            "EmailOptOutDate",
            "email_blacklisted",
            "Newsletter unsubscribed",
            "No Email",
            "désinscrit newsletter",
            "niet mailen",
        ),
    ],
    "phone": [
        *(
            "DoNotCall",
            "Do Not Text",
            "sms_opt_out",
            "SMS_OPTOUT",
            "Text Message Opt Out",
            "Texting Opt-Out",
            "phone opt out",
        ),
        *("Stop SMS", "no_sms", "mobile opt-out", "optOutSms", "Bloctel", "pas de sms", "keine SMS", "Nicht anrufen"),
        *("No llamar", "não ligar", "non chiamare", "niet bellen", "geen sms", "do_not_call_me"),
    ],
    "whatsapp": ["whatsapp_opt_out", "Opted out of WhatsApp"],
}
CONSENT = {
    "": [
        *(
            "consent",
            "has_consent",
            "Marketing Consent",
            "marketingConsent",
            "consented",
            "opt_in",
            "Opt-In",
            "optedIn",
            "GDPR",
        ),
        *(
            "Opt-in status",
            "DOUBLE_OPT-IN",
            "accepts_marketing",
            "Accepts Marketing",
            "acceptsMarketing",
            "agreed to marketing",
        ),
        *(
            "subscribed",
            "is_subscribed",
            "OK to contact",
            "Permission to contact",
            "wants promotions",
            "Opt In/Opt Out",
        ),
        *(
            "Consentement",
            "Einwilligung",
            "Zustimmung",
            "Einverständnis",
            "DSGVO-Einwilligung",
            "Darf kontaktiert werden",
        ),
        *(
            "consentimiento",
            "acepta publicidad",
            "consentimento",
            "aceita publicidade",
            "consenso marketing",
            "toestemming",
        ),
    ],
    "email": [
        *(
            "Email Marketing Consent",
            "email_opt_in",
            "Accepts Email Marketing",
            "can email",
            "ok to email",
            "newsletter_optin",
        ),
        *("receive emails", "Einwilligung E-Mail", "consentement courriel"),
    ],
    "phone": [
        *(
            "Accepts SMS Marketing",
            "SMS Marketing Consent",
            "sms_consent",
            "smsOptIn",
            "can text",
            "OK to text",
            "TCPA Consent",
        ),
        *("receive_sms", "Permission to text", "Mobile Opt In", "Consentement SMS", "accepte les sms"),
    ],
    "whatsapp": ["Accepts WhatsApp Marketing", "whatsapp_opt_in"],
}
ALIKE = [
    *(
        "consent_id",
        "consent_date",
        "consented_at",
        "subscribed_at",
        "OPTIN_TIME",
        "OPTIN_IP",
        "opt_in_source",
        "consent_text",
    ),
    *(
        "consent_version",
        "unsubscribe_link",
        "unsubscribe_url",
        "UNSUB_CAMPAIGN_TITLE",
        "Email Marketing Consent Timestamp",
    ),
    *(
        "Fax Opt Out",
        "HasOptedOutOfFax",
        "push_opt_in",
        "postal opt out",
        "cookie_consent",
        "xyz_optout_zzz",
        "Subscribe Date",
    ),
    *("not unsubscribed", "revoked", "GDPR deleted"),
]
NEITHER = [
    *(
        "phone",
        "Phone Number",
        "Mobile No",
        "No. Teléfono",
        "No Telefon",
        "SMS",
        "email",
        "e-mail",
        "mail",
        "Text",
        "message",
    ),
    *(
        "first_name",
        "Contact",
        "Contact ID",
        "Customer",
        "id",
        "date",
        "order date",
        "Country",
        "state",
        "State / Region",
    ),
    *(
        "No. of calls",
        "No of emails",
        "sms_text",
        "reminder_sms",
        "subscription_id",
        "Subscriber ID",
        "Active",
        "notes",
        "plan",
    ),
    *(
        "accepted_terms",
        "accept",
        "May",
        "stop_bus",
        "Kundennr",
        "Download",
        "Optional",
        "Option",
        "Inscription date",
        "",
    ),
]


@pytest.mark.parametrize("name, channel", [(name, channel) for channel, names in OPT_OUT.items() for name in names])
def test_it_knows_columns_of_opt_outs(name: str, channel: str) -> None:
    assert role_of(name) == Role("opt_out", frozenset({channel} - {""}))


@pytest.mark.parametrize("name, channel", [(name, channel) for channel, names in CONSENT.items() for name in names])
def test_it_knows_columns_of_consents(name: str, channel: str) -> None:
    assert role_of(name) == Role("consent", frozenset({channel} - {""}))


@pytest.mark.parametrize("name", ALIKE)
def test_what_only_looks_like_them_is_told_apart(name: str) -> None:
    found = role_of(name)
    assert found is not None
    assert found.says == "alike"


@pytest.mark.parametrize("name", NEITHER)
def test_other_columns_say_nothing_of_consent(name: str) -> None:
    assert role_of(name) is None


@pytest.mark.parametrize(
    "name, says",
    [
        *(
            (name, "weak")
            for name in ("Newsletter", "email_marketing", "sms_enabled", "Subscription", "subscription_status")
        ),
        *(
            (name, "weak")
            for name in ("Abonnement", "marketing_text", "email notifications", "Iscritto alla newsletter")
        ),
        *((name, "status") for name in ("status", "Status", "email_status", "Member Status", "Statut")),
        *((name, "bounce") for name in ("bounced", "hard_bounce", "Email hard bounce reason")),
    ],
)
def test_some_names_want_their_cells_looked_at(name: str, says: str) -> None:
    found = role_of(name)
    assert found is not None
    assert found.says == says


@given(
    st.sampled_from([name for names in OPT_OUT.values() for name in names]), st.sampled_from(["_", " ", "-", ".", "  "])
)
def test_case_and_separators_do_not_matter(name: str, separator: str) -> None:
    spelled = separator.join(name.replace("-", " ").replace("_", " ").split())
    assert role_of(spelled) == role_of(spelled.upper()) == role_of(spelled.lower()) == role_of(name)


@given(st.text(max_size=100))
def test_any_name_is_judged(name: str) -> None:
    assert role_of(name) is None or isinstance(role_of(name), Role)
