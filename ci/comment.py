"""Posts a page of Markdown as the one comment on a pull request; a later page replaces an earlier one.

    python -m ci.comment PULL_REQUEST FILE

Ends with 1, and GitHub's reason, where it refuses.
"""

import sys
from pathlib import Path

from ci.github import GitHubError, comment

MARK = "geo-federation: preview"


def main() -> int:
    """Creates the comment, or replaces its text."""
    pull_request, file = sys.argv[1:]
    try:
        comment(int(pull_request), MARK, Path(file).read_text(encoding="utf-8"))
    except GitHubError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
