"""Refusals: what the imitated API says no with."""

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "validation_failed",
    429: "rate_limited",
    500: "internal_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
}
"""The word for a status, unless a refusal has one of its own."""


class Refusal(Exception):
    """The API refuses. Becomes `{"error": {"code", "message", "request_id", "field"}}` with this HTTP status.

    Attributes:
        status: the HTTP status.
        message: a sentence for people.
        field: the body field, path or query parameter at fault; None when it is none of them.
        code: a word for programs, such as `conflict`.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        field: str | None = None,
        *,
        code: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.code = code or _CODES.get(status, "error")
        self.headers = headers or {}

    def envelope(self, request_id: str) -> dict[str, dict[str, str | None]]:
        """Give the body of the answer."""
        return {"error": {"code": self.code, "message": self.message, "request_id": request_id, "field": self.field}}


class NotThere(Refusal, LookupError):
    """404: there is no such dealer, station or site.

    Attributes:
        gone: whether it existed and was deleted.
    """

    def __init__(self, message: str, field: str, *, gone: bool = False) -> None:
        super().__init__(404, message, field)
        self.gone = gone
