"""May a token have been seen? Answered without reading the disk: a Bloom filter (B. H. Bloom, 1970).

Nearly every token is new, and looking for it in vain would be a twelfth of a call's work. A token's digest is as good
as random, so two parts of it serve as the two hashes. With a million tokens one new token in seventy is looked for.
"""

from collections.abc import Iterable

_BITS = 1 << 24


class SeenTokens:
    """The tokens seen, by their digests: `may_have` errs only by a yes."""

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        self._bits = bytearray(_BITS // 8)
        for digest in digests:
            self.add(digest)

    def add(self, digest: bytes) -> None:
        """Take a token for seen."""
        one, two = _places(digest)
        self._bits[one >> 3] |= 1 << (one & 7)
        self._bits[two >> 3] |= 1 << (two & 7)

    def may_have(self, digest: bytes) -> bool:
        """Whether a token may have been seen; where not, it was not."""
        one, two = _places(digest)
        return bool(self._bits[one >> 3] >> (one & 7) & self._bits[two >> 3] >> (two & 7) & 1)


def _places(digest: bytes) -> tuple[int, int]:
    return int.from_bytes(digest[:4], "little") % _BITS, int.from_bytes(digest[4:8], "little") % _BITS
