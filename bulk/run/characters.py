"""Which characters turned SMS into UCS-2, and what plain ones would save: a fold over texts."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field

from bulk.text.segments import parts, plain_form, unusual, written_plainly

SHOWN = 5  # characters that a note names


@dataclass(slots=True)
class Characters:
    """The texts seen so far that GSM 03.38 cannot hold: `texts` of them, `saved` parts if they were written plainly."""

    texts: int = 0
    saved: int = 0
    _rows: Counter[str] = field(default_factory=Counter)

    def note(self, text: str, took: int) -> None:
        """Note a text that holds such characters and takes so many parts."""
        self.texts += 1
        self._rows.update(sorted(unusual(text)))  # so that equal lists have equal notes
        if took > 1:
            self.saved += max(0, took - parts(written_plainly(text)))

    def sentences(self) -> list[str]:
        """Return what a person should know; nothing where there are no such characters."""
        if not self.texts:
            return []
        found = self._rows.most_common()
        named = ", ".join(f"{shown(one)} (in {rows:,})" for one, rows in found[:SHOWN])
        more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        one = self.texts == 1
        said = f"{self.texts:,} message{' holds' if one else 's hold'} characters that plain SMS lack: {named}{more}"
        coded = f"{'it goes' if one else 'they go'} out as UCS-2, 70 characters in a part instead of 160"
        return [f"{said}; {coded}; {self._saving([letter for letter, _ in found[:SHOWN]])}"]

    def _saving(self, named: list[str]) -> str:
        if not self.saved:
            return "plain characters would save no parts"
        plain = {shown(one): plain_form(one) or "nothing" for one in named if plain_form(one) != one}
        forms = ", ".join(f"{one} as {form}" for one, form in plain.items())
        return f"written plainly ({forms}) they would take {self.saved:,} part{'' if self.saved == 1 else 's'} less"


def shown(character: str) -> str:
    """Return a character as a person can see it: one without a shape, or that is a mark on others, by its name."""
    if character.isprintable() and not character.isspace() and not unicodedata.combining(character):
        return character
    return unicodedata.name(character, f"U+{ord(character):04X}").lower()
