"""A file of faults: what is wrong in it is said with its line; and bad days that need none."""

from pathlib import Path

import pytest
from sandbox_requests import CHAT, account, send

from bulk.sandbox import Sandbox
from bulk.sandbox.effects import Effect
from bulk.sandbox.fault_file import read_file
from bulk.sandbox.fault_presets import PRESETS

TOML = """seed = 7

[[rules]]
fault = "throttle"
first = 3

[[rules]]   # the second
fault = "error"
{key} = {value}
"""
INLINE = """rules = [
  {{ fault = "throttle", message = "a }} and ]" }},
  {{ fault = "error", {key} = {value} }},
]
"""
JSON = """{{
  "seed": 7,
  "rules": [
    {{"fault": "throttle", "message": "{{"}},
    {{"fault": "error",
     "{key}": {value}}}
  ]
}}
"""


@pytest.mark.parametrize("name, text, line", [("a.toml", TOML, 9), ("b.toml", INLINE, 3), ("c.json", JSON, 6)])
@pytest.mark.parametrize(
    "wrong, said",
    [
        ("frist: 3", r"rules\[1\].frist: there is no such key; did you mean first\?"),
        ("first: 0", r"rules\[1\].first: must be a whole number, 1 or more, is 0"),
        ('code: "Nonsense"', r"rules\[1\].code: 'Nonsense' is not known"),
        ("between: [5, 1]", r"rules\[1\].between: must be \[from, to\]"),
    ],
)
def test_a_wrong_key_is_named_with_file_line_and_place(
    tmp_path: Path, name: str, text: str, line: int, *, wrong: str, said: str
) -> None:
    key, value = wrong.split(": ")
    (tmp_path / name).write_text(text.format(key=key, value=value))
    with pytest.raises(ValueError, match=f"{name}: line {line}: {said}"):
        Sandbox(faults=tmp_path / name)


@pytest.mark.parametrize(
    "text, said",
    [
        ('\nseeed = 7\n[[rules]]\nfault = "throttle"\n', r"a.toml: line 2: faults.seeed: there is no such key"),
        ("seed = 7\n\n[[rules]]\nfirst = 3\n", r"a.toml: line 3: rules\[0\]: needs fault, one of"),
        ("[[rules]]\nfault = 'throttle'\nfirst = 1\nevery = 2\n", r"a.toml: line 1: rules\[0\]: first and every"),
        ("rules = 5\n", r"a.toml: line 1: rules: must be a list"),
        ("[[rules]]\nfault = \n", r"a.toml: is not TOML: .*line 2"),
    ],
)
def test_what_is_wrong_elsewhere_is_named_with_its_line_too(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ValueError, match=said):
        Sandbox(faults=tmp_path / "a.toml")


def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"a\.toml: is not TOML"):
        read_file(tmp_path / "a.toml")


def test_a_name_that_is_neither_a_file_nor_a_preset_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match="'bad-dya' is neither a file nor one of bad-day, throttled, lossy"):
        Sandbox(faults="bad-dya")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_same_day_every_time(name: str) -> None:
    days = []
    for _ in range(2):
        here = account()
        here.set_faults(PRESETS[name], 0.0)
        days.append([_seen(send(here, "StartOutboundChatContact", CHAT)) for _ in range(300)])
    assert days[0] == days[1]
    kinds = {kind for kind, _ in days[0]}
    expected = {
        "bad-day": {200, 429, 500, 503, "drop_before", "drop_after"},
        "throttled": {200, 429},
        "lossy": {200, "drop_before", "drop_after"},
    }
    assert kinds == expected[name]
    assert Sandbox(faults=name)._account.settings.faults.given == PRESETS[name]


def _seen(answer: object) -> tuple[object, bool]:
    fate, status, delay = (getattr(answer, name) for name in ("fate", "status", "delay"))
    return (status if fate is Effect.SERVED else fate.value), delay > 0
