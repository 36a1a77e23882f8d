"""`bulk.ledger.redaction`: what the ledger keeps of the text of an error."""

import pytest

from bulk.ledger.redaction import redact


@pytest.mark.parametrize(
    "text, destination, kept",
    [
        (None, "a.b@c", None),
        ("no such id ann-lee", "ann-lee", "no such id …"),
        ("no such id ann-lee", None, "no such id ann-lee"),
        ("no such id", "", "no such id"),
        ("write to ann.lee@example.com", None, "write to a…@example.com"),
    ],
)
def test_a_destination_is_masked_however_it_reads(text: str | None, destination: str | None, kept: str | None) -> None:
    assert redact(text, destination) == kept
