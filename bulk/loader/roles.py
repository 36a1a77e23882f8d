"""What the name of a column means: opt-outs, consent, or neither.

Its name is taken apart into the words of `consent.toml`, whatever stands between them. Only where nothing is left over
is it known what the column says; where it looks alike it is named to a person, and not used.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

Says = Literal["opt_out", "consent", "weak", "status", "bounce", "alike"]
"""What a column says: who opted out; who consented (`weak`: if its cells bear it out); a state that may be an opt-out;
whose mail came back; or something that only looks like these."""

_DATA = Path(__file__).with_name("consent.toml")
_LONGEST = 80  # characters of a name that are taken apart
_CHANNELS = ("email", "phone", "device", "whatsapp")
_CORES = {"out", "in", "revoked", "bounce"}


@dataclass(frozen=True, slots=True)
class Role:
    """What a column says, and of which channels; of all where it names none."""

    says: Says
    channels: frozenset[str] = frozenset()


@cache
def words(table: str) -> Mapping[str, frozenset[str]]:
    """Return the words of one table of `consent.toml`, folded, by what they say."""
    data: dict[str, Any] = tomllib.loads(_DATA.read_text("utf-8"))[table]
    folding = folded if table == "header" else spoken
    return {kind: frozenset(folding(word) or word for word in listed) for kind, listed in data.items()}


def folded(name: str) -> str:
    """Return the letters and digits of a name, without case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def spoken(text: str) -> str:
    """Return a cell as its words are compared: without case, accents, separators, and quotes around it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[\s_]+|(?<=\w)-(?=\w)", " ", plain).strip(" '\"!.")


@lru_cache(4096)
def role_of(name: str) -> Role | None:
    """Return what a column of this name says about consent, None where it says nothing of it."""
    text = folded(name)
    if _hint().search(text) is None:
        return None
    found = _taken_apart(text) if len(text) <= _LONGEST else None
    if found is not None:
        kinds = [_kinds()[word] for word in found]
        says = _says(kinds)
        return None if says is None else Role(says, _channels(kinds))
    return Role("alike") if any(stem in text for stem in words("header")["stems"]) else None


@cache
def _hint() -> re.Pattern[str]:
    """Return what every name holds that says anything of consent: most names hold none of it."""
    telling = {"out", "in", "verb", "weak", "subscription", "marketing", "revoked", "bounce", "status", "not", "stems"}
    return re.compile("|".join(sorted({word for kind in telling for word in words("header")[kind]})))


def _says(kinds: list[frozenset[str]]) -> Says | None:
    """Judge a name that is wholly understood, by what its words say."""
    every = frozenset[str]().union(*kinds)
    channel = every & {"email", "phone", "whatsapp", "device"}
    objects = channel or every & {"marketing"}
    denied = _denied(kinds)
    if "about" in every or ("other" in every and not channel):
        return "alike" if every & _CORES else None
    if "out" in every:
        return "alike" if denied else "opt_out"
    if "bounce" in every:
        return "bounce"
    if denied and (every & {"in", "verb", "marketing", "email", "phone", "whatsapp"}):
        return "opt_out"
    if "revoked" in every:
        return "opt_out" if "in" in every or objects else "alike"
    return _consents(every, named=bool(objects))


def _consents(every: frozenset[str], *, named: bool) -> Says | None:
    """Judge a name without a word of refusal. It is `named` what the consent would be to."""
    if "when" in every:  # when somebody consented: an empty cell says nothing of a no
        return "alike" if "in" in every or ("verb" in every and named) else None
    if "in" in every or ("verb" in every and named):
        return "consent"
    if "subscription" in every or ("weak" in every and named) or ("marketing" in every and "status" not in every):
        return "weak"
    return "status" if "status" in every else None


def _denied(kinds: list[frozenset[str]]) -> bool:
    """Whether the first word that says anything is a no."""
    first = next((kind for kind in kinds if kind != {"neutral"}), frozenset())
    return "not" in first


def _channels(kinds: list[frozenset[str]]) -> frozenset[str]:
    """Return the channels that a name names; a newsletter is one of email where no other is named."""
    named = [kind for kind in kinds if kind & {*_CHANNELS}]
    plain = [kind for kind in named if "marketing" not in kind]
    found = frozenset[str]().union(*(plain or named)) & {*_CHANNELS}
    return frozenset("phone" if channel == "device" else channel for channel in found)


@cache
def _kinds() -> Mapping[str, frozenset[str]]:
    """Return what each word says: some say two things, and most have a plural."""
    found: dict[str, set[str]] = {}
    for kind, listed in words("header").items():
        if kind != "stems":
            for word in listed:
                found.setdefault(word, set()).add(kind)
                if kind not in {"neutral", "when", "not"}:
                    found.setdefault(word + "s", set()).add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}


def _taken_apart(text: str) -> list[str] | None:
    """Return the fewest words that a name consists of, None where it does not. Digits are no words, and no matter."""
    text = re.sub(r"\d", "", text)
    known, longest = _kinds(), max(map(len, _kinds()))
    best: list[list[str] | None] = [[], *[None] * len(text)]
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - longest), end):
            before, word = best[start], text[start:end]
            shorter = before is not None and (best[end] is None or len(before) + 1 < len(best[end] or ()))
            if before is not None and shorter and word in known:
                best[end] = [*before, word]
    return best[-1] if text else None
