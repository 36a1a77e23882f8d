"""The encoding of a text file that is not UTF-8: guessed from a sample, with its certainty.

charset-normalizer leaves out the encodings in which the sample is a mess. Of the others, many read a handful of names
without a mess (`Łukasz` in cp1250 is `£ukasz` in cp1252 and `úukasz` in cp850), so what is left is weighed by its
letters. A reading costs more where they are not those of one language, where capitals follow small letters, where signs
stand inside words, where a word mixes scripts, and where the encoding itself is rare.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from charset_normalizer import from_bytes

# From the most to the least frequent in lists of contacts, and what each costs before it has read a letter.
_CANDIDATES = {
    **dict.fromkeys(("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "cp949", "big5", "euc_jp"), 0.0),
    **dict.fromkeys(("cp1254", "cp1253", "cp1255", "cp1256", "cp1257", "mac_roman"), 0.1),
    **dict.fromkeys(("iso8859_15", "iso8859_2", "koi8_r", "iso8859_7", "iso8859_5"), 0.2),
    **dict.fromkeys(("cp850", "cp437", "cp852", "cp866", "mac_latin2"), 0.3),
}
# The letters beside a–z of languages, or of neighbours that share an alphabet.
_ALPHABETS = [
    frozenset(letters + letters.upper())
    for letters in (
        "àâæçéèêëîïôœùûüÿ",  # French
        "äöüßéèà",  # German
        "áéíñóúüç",  # Spanish, Catalan
        "áàâãçéêíóôõúü",  # Portuguese
        "àèéìíòóù",  # Italian
        "éèëïóöüáê",  # Dutch
        "åäöæøéüá",  # Scandinavian
        "áðéíóúýþæö",  # Icelandic
        "ąćęłńóśźż",  # Polish
        "áäčďéěíĺľňóôŕřšťúůýž",  # Czech, Slovak
        "áéíóöőúüű",  # Hungarian
        "čćđšž",  # Croatian, Serbian, Slovene
        "ăâîșțşţ",  # Romanian
        "çğıöşüâî",  # Turkish
        "ąčęėįšųūž",  # Lithuanian
        "āčēģīķļņšūž",  # Latvian
        "äõöüšž",  # Estonian
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'",
        "абвгдђежзијклљмнњопрстћуфхцчџш",
        "αάβγδεέζηήθιίϊκλμνξοόπρσςτυύϋφχψωώ",
        "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءآأإؤئ",
    )
] + [frozenset("çğıöşüâîÇĞIİÖŞÜÂÎ")]
_WIDE = {"cp932": 0x98, "gb18030": 0xD8, "cp949": 0xCA, "big5": 0xC9, "euc_jp": 0xD0}  # where their rare signs begin
_WORD = re.compile(r"[^\s\d,;|\"()/@.+:_<>-]+")
_EVERYWHERE = frozenset("éèêëáàâäöüßñçíóúôîïåøæÉÈÁÄÖÜÇÍÓÚÅØÆ")  # in lists of many countries
_QUIET = "’‘“”„«»–—…·ー々"  # signs that stand beside letters in good texts
_WORDS = 500  # are enough
_LONGEST = 100  # letters of a word that are looked at
_WORST = 0.9  # what a reading may cost a word


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding, an example of what it makes of the text, and what another one that is about as likely does."""

    encoding: str
    example: str
    rival: str | None = None
    rival_example: str = ""


@dataclass(frozen=True, order=True, slots=True)
class _Reading:
    cost: float
    rank: int
    encoding: str
    words: tuple[str, ...]


def guess(sample: bytes) -> Guess | None:
    """Return the likeliest encoding of some lines that are no UTF-8, None where none fits."""
    readings = sorted(_readings(sample))
    if not readings or readings[0].cost > _WORST:
        return None
    best = readings[0]
    for other in readings[1:]:
        if other.words != best.words and other.cost < 2 * best.cost + 0.3:
            pairs = zip(best.words, other.words, strict=False)
            mine, its = next((pair for pair in pairs if pair[0] != pair[1]), (best.words[0], ""))
            return Guess(best.encoding, mine, other.encoding, its)
    return Guess(best.encoding, best.words[0])


def _readings(sample: bytes) -> Iterator[_Reading]:
    ranks = {name: rank for rank, name in enumerate(_CANDIDATES)}
    found = from_bytes(sample, cp_isolation=[*ranks], threshold=0.5, preemptive_behaviour=False, enable_fallback=False)
    for match in found:
        for name in ranks.keys() & {match.encoding, *match.could_be_from_charset}:
            words = tuple(islice(_words(sample.decode(name, "ignore")), _WORDS))
            if words:
                rarity = _CANDIDATES[name] / math.sqrt(len(words))
                cost = _cost(words, name) + 2 * match.chaos - 0.3 * match.coherence + rarity
                yield _Reading(round(cost, 4), ranks[name], name, words)


def _words(text: str) -> Iterator[str]:
    """Yield the words that are not ASCII."""
    found = (word[0][:_LONGEST] for word in _WORD.finditer(text))
    return (word for word in found if not word.isascii())


def _cost(words: tuple[str, ...], encoding: str) -> float:
    """Weigh how unlikely some words are: about 0 a word where they are good, 1 and more where they are not."""
    letters = [sign for word in words for sign in word if not sign.isascii() and sign.isalpha()]
    best = min(_ALPHABETS, key=lambda alphabet: sum(sign not in alphabet for sign in letters))
    strange = sum(_strangeness(sign, encoding) if sign not in best else _rareness(sign) for sign in letters)
    return (strange + sum(map(_mess, words))) / len(words)


@lru_cache(4096)
def _strangeness(sign: str, encoding: str) -> float:
    """Weigh a letter that is not of the language."""
    first = _WIDE.get(encoding)
    if first is None or _script(sign) in ("LATIN", "GREEK", "CYRILLIC"):
        return 0.7
    written = sign.encode(encoding)
    if _script(sign) in ("HIRAGANA", "KATAKANA"):
        return 0.05
    if _script(sign) == "HANGUL":
        return 0.05 if written[0] >= 0xB0 and written[-1] >= 0xA1 else 0.9  # KS X 1001; the others are rare
    return 0.2 if written[0] < first else 0.9


def _rareness(sign: str) -> float:
    """Weigh a letter of the language: some are met in lists of other countries too."""
    return 0.0 if sign in _EVERYWHERE or _script(sign) != "LATIN" else 0.1


@lru_cache(4096)
def _mess(word: str) -> float:
    """Weigh the order of the letters and signs of a word."""
    mess = 0.0
    for before, sign, after in zip(" " + word, word, word[1:] + " ", strict=False):
        if sign.isupper() and (before.islower() or (before.isalpha() and after.islower())):
            mess += 1.5
        if before.isalpha() and sign.isalpha() and (_script(before) == "LATIN") != (_script(sign) == "LATIN"):
            mess += 1.5
        if not sign.isascii() and not sign.isalpha():
            mess += _sign(sign, before, after)
    first = word[0]
    return mess + (
        0 if first.isascii() or not first.isalpha() else 1 if len(word) == 1 else 0.5 if first.islower() else 0
    )


def _sign(sign: str, before: str, after: str) -> float:
    if sign in _QUIET or unicodedata.combining(sign):
        return 1.5 if sign not in "’·ー々" and before.isalpha() and after.isalpha() else 0.3 if sign in "’“”" else 0.6
    return 3 if unicodedata.category(sign) in ("Cc", "Cn", "Co") else 1.5 if (before + after).strip() else 0.4


@lru_cache(4096)
def _script(sign: str) -> str:
    return unicodedata.name(sign, "?").partition(" ")[0]
