"""Refusals: what the imitated API says no with."""


class Refusal(Exception):
    """The API refuses. Becomes `{"error": {"code", "message", "request_id", "field"}}` with this HTTP status.

    Attributes:
        status: the HTTP status, 400 to 599.
        code: a word for programs, such as `conflict`.
        message: a sentence for people.
        field: the body field, path or query parameter at fault; None when it is none of them.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers or {}

    def envelope(self, request_id: str) -> dict[str, dict[str, str | None]]:
        """Give the body of the answer."""
        return {
            "error": {"code": self.code, "message": self.message, "request_id": request_id, "field": self.field},
        }


class NotThere(Refusal, LookupError):
    """404: there is no such dealer, station or site.

    Attributes:
        gone: whether it existed and was deleted.
    """

    def __init__(self, message: str, field: str | None = None, *, gone: bool = False) -> None:
        super().__init__(404, "not_found", message, field)
        self.gone = gone
