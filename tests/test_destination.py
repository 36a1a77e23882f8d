"""Phone numbers and email addresses brought to form."""

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from bulk.loader.addresses import email
from bulk.loader.cell_text import cleaned
from bulk.loader.countries import alpha_2, is_dial_code
from bulk.loader.e164 import mobile_region
from bulk.loader.phones import phone, readings
from bulk.model import Refusal

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
NO_SMS = {
    phonenumbers.PhoneNumberType.FIXED_LINE: "fixed_line",
    phonenumbers.PhoneNumberType.PREMIUM_RATE: "premium_rate",
    phonenumbers.PhoneNumberType.SHARED_COST: "premium_rate",
}


def refused(found: str | Refusal) -> str:
    assert isinstance(found, Refusal), f"{found} was taken"
    return found.code


def by_phonenumbers(text: str) -> tuple[str, str | None]:
    """What the library itself makes of a number: E.164 and its region, or our code for why not."""
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return "invalid_phone", None
    if not phonenumbers.is_valid_number(number):
        return "invalid_phone", None
    code = NO_SMS.get(phonenumbers.number_type(number))
    if code is not None:
        return code, None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164, phonenumbers.region_code_for_number(number)


@st.composite
def nearly_numbers(draw: st.DrawFn) -> str:
    """An example number of some country and kind, with some of its last digits changed, added or lost."""
    kind = draw(st.sampled_from(sorted(phonenumbers.PhoneNumberType.values())))
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    assert example is not None
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    kept = draw(st.integers(min_value=1, max_value=len(text)))
    return text[:kept] + draw(st.text("0123456789", max_size=len(text) - kept + 1))


@given(nearly_numbers())
def test_it_judges_every_e164_number_as_phonenumbers_does(text: str) -> None:
    found = phone(text)
    expected, region = by_phonenumbers(text)
    assert (found.code if isinstance(found, Refusal) else found) == expected
    assert mobile_region(text) in {None, region}


@given(st.text("0123456789", min_size=1, max_size=16))
@example("0905000000000")  # 90 is Turkey, 090 is nowhere
def test_it_judges_any_digits_as_phonenumbers_does(digits: str) -> None:
    found = phone(f"+{digits}")
    assert (found.code if isinstance(found, Refusal) else found) == by_phonenumbers(f"+{digits}")[0]


@pytest.mark.parametrize("region", REGIONS)
def test_it_takes_the_mobile_numbers_of_every_country(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        assert region == "TA"  # Tristan da Cunha has no mobile network
        return
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert phone(e164) == e164
    assert phone(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL), region) == e164


@pytest.mark.parametrize(
    "text, country, expected",
    [
        (" (415) 555-0123 ", "US", "+14155550123"),
        ("4155550123", "US", "+14155550123"),
        ("447911123456", "GB", "+447911123456"),  # only the + is missing
        ("7911123456", "GB", "+447911123456"),  # a spreadsheet took the 0 away
        ("+4915123456789", "DE", "+4915123456789"),
        ("015123456789", "DE", "+4915123456789"),
        ("1 415 555 0123", "US", "+14155550123"),
        ("07911 123456", "GB", "+447911123456"),
        ("00 44 7911 123456", "DE", "+447911123456"),
        ("+44 (0)7911 123456", "US", "+447911123456"),
        ("\u202a+14155550123\u202c", None, "+14155550123"),
        ("4155550123.0", "US", "+14155550123"),  # a column that some program took for floats
        ("+39 347 123 4567", None, "+393471234567"),
    ],
)
def test_it_brings_numbers_to_e164(text: str, country: str | None, expected: str) -> None:
    assert phone(text, country) == expected


@pytest.mark.parametrize(
    "text, country, code",
    [
        ("", "US", "missing_destination"),
        ("  ", "US", "missing_destination"),
        ("4.47911E+11", "GB", "excel_number"),
        ("4,47911E+11", "GB", "excel_number"),
        ("4E11", "GB", "excel_number"),
        ("14155550123", None, "invalid_phone"),
        ("call reception", "US", "invalid_phone"),
        ("1-800-FLOWERS", "US", "invalid_phone"),
        ("+14155550123#5", None, "invalid_phone"),
        ("+1415555", None, "invalid_phone"),
        ("+19995550123", None, "invalid_phone"),
        ("+44 20 7946 0000", None, "fixed_line"),
        ("+19005551234", None, "premium_rate"),
        ("911", "US", "short_number"),
        ("#NAME?", "US", "excel_error"),
        ("#####", "US", "excel_error"),
        ("4915123456789", "DE", "ambiguous_phone"),  # +49 151 23456789, or 04915 123456789
        ("278317159", "ZA", "ambiguous_phone"),
        ("6598234567", "US", "ambiguous_phone"),  # +65 9823 4567, or a number of Alabama
        ("6598 234 567", "US", "ambiguous_phone"),  # in the groups of neither
        ("+442079460000 ::: +19005551234", None, "several_destinations"),
        ("+1 415 555 0123 x5", None, "invalid_phone"),
        ("(415) 555-0123 ext. 12", "US", "invalid_phone"),
        ("tel:+1-415-555-0123;ext=5", None, "invalid_phone"),
        ("030 1234567 Durchwahl 12", "DE", "invalid_phone"),
    ],
)
def test_it_refuses_what_cannot_be_texted(text: str, country: str | None, code: str) -> None:
    assert refused(phone(text, country)) == code


def test_it_says_how_to_give_a_number_its_country() -> None:
    found = phone("2065550182")
    assert isinstance(found, Refusal)
    assert found.message == "2065…82 has no + and no country: write it as +…, or set `country` under [list]"


def test_it_reads_a_slash_inside_one_number_as_part_of_it() -> None:
    assert phone("0151/23456789", "DE") == "+4915123456789"


@pytest.mark.parametrize("text", ["+14155550123", "+1 415 555 0123"])
def test_it_refuses_countries_that_are_not_allowed(text: str) -> None:
    assert phone(text, allowed={"US"}) == "+14155550123"
    assert refused(phone(text, allowed={"GB"})) == "country_not_allowed"


@given(st.one_of(nearly_numbers(), st.text("0123456789 +-/()", min_size=9)), st.sampled_from([None, "US", "GB"]))
def test_a_refusal_never_carries_the_number(text: str, country: str | None) -> None:
    found = phone(text, country)
    if isinstance(found, Refusal) and len(text.strip()) > 7:
        assert text.strip() not in found.message


@given(st.text(max_size=40))
def test_it_judges_any_text_without_failing(text: str) -> None:
    assert isinstance(phone(text, "US"), str | Refusal)
    assert isinstance(email(text), str | Refusal)


@given(st.one_of(nearly_numbers(), st.text(max_size=30)), st.sampled_from(["US", "DE", "JP"]))
def test_a_number_in_form_stays_as_it_is(text: str, country: str) -> None:
    once = phone(text, country)
    if isinstance(once, str):
        assert phone(once, country) == once


@pytest.mark.parametrize(
    "text, expected",
    [
        (" Ann.Lee@EXAMPLE.com ", "Ann.Lee@example.com"),
        ("o'neil+x@mail.example.co.uk", "o'neil+x@mail.example.co.uk"),
        ("Info@MÜNCHEN.de", "info@xn--mnchen-3ya.de"),
        ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
        ("a@1and1.com", "a@1and1.com"),
    ],
)
def test_it_brings_addresses_to_one_spelling(text: str, expected: str) -> None:
    assert email(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "'ann@club-mail.com",
        "\u2019ann@club-mail.com",
        '"ann@club-mail.com"',
        '="ann@club-mail.com"',
        "mailto:ann@club-mail.com",
        "MAILTO: ann@club-mail.com?subject=Hello",
        "E-Mail: ann@club-mail.com",
        "Ann Lee <ann@club-mail.com>",
        '"Lee, Ann" <ann@club-mail.com>',
        "<ann@club-mail.com>",
        "< ann@club-mail.com >;",
        "ann@club-mail.com (Ann Lee)",
        "\ufeffann@club-mail.com",
        "ann\u200b@club-mail.com",
        "\u200eann@club-mail.com\u200f",
        "\u00a0ann@club-mail.com\u00a0",
        "\u3000ann@club-mail.com",
        "ann@club-mail.com;",
        "ann@club-mail.com.",
        "ann@club-mail.com,",
        "ann@club-mail.com ::: bob@club-mail.com",
        "ann@club-mail.com, bob@club-mail.com",
        "ann@club-mail.com;bob@club-mail.com",
        "ann@club-mail.com bob@club-mail.com",
        "ann@club-mail.com / bob@club-mail.com",
        "ann@example ::: ann@club-mail.com",  # the first that can be written to
        "Ann <ann@club-mail.com>, Bob <bob@club-mail.com>",
    ],
)
def test_it_leaves_out_what_stands_around_an_address(text: str) -> None:
    assert email(text) == "ann@club-mail.com"


@pytest.mark.parametrize(
    "text, country",
    [
        ("'+14155550123", None),
        ("\u2018+14155550123", None),
        ('="+14155550123"', None),
        ("tel:+1-415-555-0123", None),
        ("sms:+14155550123?body=Hello", None),
        ("whatsapp:+14155550123", None),
        ("Tel.: (415) 555-0123", "US"),
        ("\ufeff+14155550123", None),
        ("+1\u200b4155550123", None),
        ("\u200e+14155550123", None),
        ("\u00a0+1\u00a0415\u00a0555\u00a00123\u00a0", None),
        ("+14155550123;", None),
        ("+14155550123.", None),
        ("+14155550123 ::: +14155550124", None),
        ("+14155550123, +14155550124", None),
        ("+14155550123 +14155550124", None),
        ("415-555-0123 / 415-555-0124", "US"),
        ("4155550123 or 4155550124", "US"),
        ("+442079460000 ::: +14155550123", None),  # a fixed line first
        ("+14155550123 x5; +14155550123", None),
    ],
)
def test_it_leaves_out_what_stands_around_a_number(text: str, country: str | None) -> None:
    assert phone(text, country) == "+14155550123"


@pytest.mark.parametrize("text", ["+1 415 555 0123 x5", "+14155550123#5", "415-555-0123, ext 5"])
def test_an_extension_is_called_one(text: str) -> None:
    found = phone(text, "US")
    assert isinstance(found, Refusal)
    assert "has an extension, which no message reaches: give a number that can be reached without one" in found.message


@pytest.mark.parametrize(
    "text, country",
    [
        ("(659) 823-4567", "US"),  # as nobody in Singapore writes
        ("659-823-4567", "US"),
        ("16598234567", "US"),
        ("4795550123", "US"),  # Arkansas
        ("6785550123", "US"),  # Atlanta, though +678 is Vanuatu
        ("7911123456", "GB"),
        ("15123456789", "DE"),  # +1 512… may be anything, not certainly a mobile's
    ],
)
def test_ordinary_numbers_are_not_ambiguous(text: str, country: str) -> None:
    assert isinstance(phone(text, country), str)


@pytest.mark.parametrize(
    "text, country, found",
    [
        ("6598234567", "US", {"+16598234567", "+6598234567"}),
        ("+14155550123 x5", None, {"+14155550123"}),
        ("14155550123", None, {"+14155550123"}),
        ("14155550123", "GB", {"+14155550123"}),
        ("020 7946 0018 ::: 07400 123456", "GB", {"+442079460018", "+447400123456"}),
        ("nobody", "US", set()),
        ("", None, set()),
    ],
)
def test_who_may_be_meant_by_a_cell_is_read_in_every_way(text: str, country: str | None, found: set[str]) -> None:
    assert set(readings(text, country)) == found


LOCALS = st.text("aZ9.+-_'!#ü ", min_size=1, max_size=6) | st.sampled_from(["Info", "POSTMASTER", "a" * 64, "a" * 65])
LABELS = st.text("aZ9-_ü", min_size=1, max_size=5) | st.sampled_from(["xn--mnchen-3ya", "ab--c", "b" * 63, "b" * 64])
TOPS = st.sampled_from(["com", "COM", "test", "Local", "invalid", "arpa", "museum", "c", "c0m", "12", "xn--p1ai", "рф"])
DOMAINS = st.tuples(st.lists(LABELS, max_size=5), TOPS).map(lambda made: ".".join([*made[0], made[1]]))


@given(LOCALS, DOMAINS)
@example("a", ".".join(["b" * 63, "b" * 63, "b" * 63, "b" * 50, "com"]))
def test_it_judges_every_address_as_email_validator_does(local: str, domain: str) -> None:
    text = cleaned(f"{local}@{domain}")
    try:
        known = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        refused(email(text))
    else:
        assert email(text) == known.ascii_email


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "missing_destination"),
        ("ann at example.com", "invalid_email"),
        ("ann@example", "invalid_email"),
        ("ann@@example.com", "invalid_email"),
        ("ann@example..com", "invalid_email"),
        ("ann@-example.com", "invalid_email"),
        ("ann@192.0.2.1", "invalid_email"),
        (".ann@example.com", "invalid_email"),
        ("ann..lee@example.com", "invalid_email"),
        ("an n@example.com", "invalid_email"),
        ("josé@example.com", "invalid_email"),
        ("ann@example ::: bob", "invalid_email"),
        ("ann@example; bob@example", "several_destinations"),
        ("<>", "invalid_email"),
        ("Ann <ann>", "invalid_email"),
        (f"a@{'x' * 200_000}.", "invalid_email"),
        (f"{'a' * 65}@example.com", "invalid_email"),
        ("ann@example.test", "invalid_email"),
        ("ann@ex_ample.com", "invalid_email"),
        ("#NAME?", "excel_error"),
    ],
)
def test_it_refuses_what_is_no_address(text: str, code: str) -> None:
    assert refused(email(text)) == code


def test_a_refused_address_is_masked() -> None:
    found = email("ann.lee@example")
    assert isinstance(found, Refusal)
    assert found.message == "a…@example is no email address: what stands around the @ cannot be right"


@pytest.mark.parametrize(
    "text, code",
    [
        ("US", "US"),
        ("usa", "US"),
        ("U.S.", "US"),
        (" the Netherlands ", "NL"),
        ("Cote d’Ivoire", "CI"),
        ("Bosnia & Herzegovina", "BA"),
        ("Saint Lucia", "LC"),
        ("st. lucia", "LC"),
        ("GBR", "GB"),
        ("UK", "GB"),
        ("Korea", None),  # there are two
        ("Atlantis", None),
        ("", None),
    ],
)
def test_it_knows_countries_by_code_and_name(text: str, code: str | None) -> None:
    assert alpha_2(text) == code


@pytest.mark.parametrize("region", REGIONS)
def test_it_knows_every_country_that_gives_out_numbers(region: str) -> None:
    assert alpha_2(region.lower()) == region


@pytest.mark.parametrize("text", ["+49", "0049", "49", "(+1)", "1-868"])
def test_a_dial_code_is_no_country(text: str) -> None:
    assert is_dial_code(text)
    assert alpha_2(text) is None


@pytest.mark.parametrize("text", ["DE", "", "Germany (+49)", "00"])
def test_what_names_a_country_is_no_dial_code(text: str) -> None:
    assert not is_dial_code(text)
