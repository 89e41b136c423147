"""The part of GitHub's API that the workflows use, on the loopback interface."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "owner/geo-federation"
TOKEN = "token-of-the-job"


class GitHub:
    """Comments and issues of one repository; what comes with the job's token is a bot's."""

    def __init__(self, url: str) -> None:
        self.environment = {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.calls: list[str] = []

    def add_comment(self, body: str, by: str) -> dict[str, Any]:
        self.comments.append({"id": len(self.comments) + 100, "body": body, "user": {"type": by}})
        return self.comments[-1]

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """The status and the answer to a request below the repository."""
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.calls.append(f"{method} {parts.path}")
        path = parts.path.removeprefix(f"/repos/{REPOSITORY}/")
        match method, re.sub(r"\d+", "N", path):
            case "GET", "issues/N/comments":
                return 200, _page(self.comments, query)
            case "POST", "issues/N/comments":
                return 201, self.add_comment(body["body"], "Bot")
            case "PATCH", "issues/comments/N":
                (found,) = (each for each in self.comments if each["id"] == int(path.rpartition("/")[2]))
                return 200, found | {"updated": found.update(body)}
            case "GET", "issues":
                return 200, _page([each for each in self.issues if each["state"] == query["state"]], query)
            case "POST", "issues":
                number = len(self.issues) + 1
                self.issues.append({"number": number, "state": "open", "user": {"type": "Bot"}, **body})
                return 201, self.issues[-1]
            case "PATCH", "issues/N":
                (found,) = (each for each in self.issues if each["number"] == int(path.rpartition("/")[2]))
                return 200, found | {"updated": found.update(body)}
            case _:
                return 404, {"message": "Not Found"}


@contextmanager
def github() -> Generator[GitHub, None, None]:
    """GitHub, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or "{}")
            if self.headers["Authorization"] == f"Bearer {TOKEN}":
                status, answer = here.answer(self.command, self.path, body)
            else:
                status, answer = 403, {"message": "Resource not accessible by integration"}
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = GitHub(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def _page(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, number = int(query["per_page"]), int(query["page"])
    return items[size * (number - 1) : size * number]
