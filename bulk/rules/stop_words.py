"""Whether a reply asks for no more messages.

The words are the opt-out keywords that carriers and AWS require ("AWS End User Messaging SMS User Guide", Required
opt-out keywords), and those that the FCC takes for a revocation (47 CFR 64.1200(a)(10)). AWS acts on its own keywords
by itself, and a person may use others. In doubt somebody is not written to: polite words around a keyword do not hide
it, while a sentence about something else (`cancel my appointment`) is none.
"""

import re
from collections.abc import Iterable

from bulk.text.identity import visible

KEYWORDS = frozenset(
    {
        *("stop", "stopp", "stopall", "end", "quit", "cancel", "unsubscribe", "remove", "revoke", "arret", "td"),
        *("optout", "opt out", "unsub", "baja", "alto", "parar"),
    }
)
_AROUND = frozenset(
    {
        *("a", "all", "already", "and", "any", "at", "contacting", "do", "for", "from", "i", "immediately", "it"),
        *("just", "kindly", "list", "me", "message", "messages", "messaging", "more", "my", "no", "now", "number"),
        *("of", "off", "please", "pls", "plz", "sending", "sms", "spam", "text", "texting", "texts", "thank"),
        *("thanks", "the", "these", "this", "to", "u", "us", "want", "with", "writing", "you", "your"),
    }
)
_WORD = re.compile(r"[^\W_]+")
_ACCENTS = str.maketrans("êéèáíóú", "eeeaiou")
_LONG = 200  # characters: who writes more than that does not only say stop


def says_stop(text: str, others: Iterable[str] = ()) -> bool:
    """Whether a message asks for no more of them. `others` are keywords besides the usual ones."""
    if len(text) > _LONG:
        return False
    said = _words(text)
    known = KEYWORDS | {" ".join(_words(word)) for word in others}
    return " ".join(said) in known or " ".join(word for word in said if word not in _AROUND) in known


def _words(text: str) -> list[str]:
    plain = visible(text).casefold().translate(_ACCENTS).replace("'", "").replace("\u2019", "")
    return _WORD.findall(plain)
