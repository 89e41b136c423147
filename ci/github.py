"""Comments and issues on GitHub: each is found again by its mark, so that there is only one."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

_PER_PAGE = 100
# GitHub takes 65,536 characters.
LONGEST = 60_000


class GitHubError(Exception):
    """GitHub refused a request; the message says which, and why."""


def comment(pull_request: int, mark: str, text: str) -> None:
    """Creates the one comment with this mark on a pull request, or replaces its text."""
    body = {"body": f"{_hidden(mark)}\n{text}"}
    for each in _all(f"issues/{pull_request}/comments"):
        if _is_ours(each, mark):
            _call("PATCH", f"issues/comments/{each['id']}", body)
            return
    _call("POST", f"issues/{pull_request}/comments", body)


def open_issue(mark: str, title: str, text: str) -> None:
    """Opens the one issue with this mark, or replaces the text of the open one."""
    body = {"title": title, "body": f"{_hidden(mark)}\n{text}"}
    number = _issue(mark)
    if number is None:
        _call("POST", "issues", body)
    else:
        _call("PATCH", f"issues/{number}", body)


def close_issue(mark: str) -> None:
    """Closes the issue with this mark, if one is open."""
    number = _issue(mark)
    if number is not None:
        _call("PATCH", f"issues/{number}", {"state": "closed"})


def _issue(mark: str) -> int | None:
    return next((each["number"] for each in _all("issues", "state=open&") if _is_ours(each, mark)), None)


def _hidden(mark: str) -> str:
    return f"<!-- {mark} -->"


def _is_ours(each: dict[str, Any], mark: str) -> bool:
    # A person may quote the mark.
    return each["user"]["type"] == "Bot" and str(each["body"] or "").startswith(_hidden(mark))


def _all(path: str, query: str = "") -> Iterator[dict[str, Any]]:
    number = 1
    while True:
        page: list[dict[str, Any]] = _call("GET", f"{path}?{query}per_page={_PER_PAGE}&page={number}")
        yield from page
        if len(page) < _PER_PAGE:
            return
        number += 1


def _call(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        raise GitHubError(f"GitHub refused {method} {url}: {error.code} {said}") from None
    except OSError as error:
        raise GitHubError(f"GitHub cannot be reached for {method} {url}: {error}") from None
