"""The errors of the service: a code that AWS clients know, and a sentence."""

from collections.abc import Mapping
from typing import Any, NoReturn


class ServiceError(Exception):
    """A no that is answered to the client.

    `code` is the name of an error shape, or "" for an answer without a body. `status` is HTTP's, None where
    the model tells it. `members` are the shape's members besides `Message`.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


def refuse(member: str, reason: str, **members: Any) -> NoReturn:
    """Raise the error of a request of which a member is not as documented."""
    raise ServiceError("InvalidRequestException", f"{member}: {reason}", members=members)
