"""Puts a page of Markdown on a pull request as its one comment: a later page takes the place of an earlier one.

    python -m ci.comment PULL_REQUEST FILE

Ends with 1, and GitHub's reason, where it refuses.
"""

import sys
from pathlib import Path

from ci.github import GitHubError, comment

MARK = "geo-federation: preview"


def main() -> int:
    """Writes the comment, or writes it anew."""
    pull_request, file = sys.argv[1:]
    try:
        comment(int(pull_request), MARK, Path(file).read_text(encoding="utf-8"))
    except GitHubError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
