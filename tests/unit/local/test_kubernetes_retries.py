"""Which refusals of an API server are worth another try."""

import pytest

from local.api import ApiError
from local.kubernetes.objects import Objects
from local.plugin import Properties


def outcome(status: int, message: str) -> str:
    """What comes of a request that is refused once."""
    answers: list[Properties | ApiError] = [ApiError(status, message), {"made": True}]

    def request() -> Properties:
        answer = answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer

    try:
        Objects.settled(Objects.__new__(Objects), request)
    except ApiError:
        return "refused"
    return "made"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, 'namespaces "new" not found'),
        (409, "the object has been modified"),
        (429, "too many requests"),
        (500, "failed calling webhook: connection refused"),
        (503, "the server is starting"),
    ],
)
def test_what_passes_is_tried_again(status: int, message: str) -> None:
    assert outcome(status, message) == "made"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "forbidden"),
        (409, 'Apply failed with 1 conflict: conflict with "kubectl"'),
        (422, "invalid"),
        (500, "failed to create typed patch object"),
    ],
)
def test_what_stays_is_told_at_once(status: int, message: str) -> None:
    assert outcome(status, message) == "refused"
