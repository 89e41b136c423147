"""Looks for drift, changes made outside of Pulumi, in a stack, and keeps one open issue while there is any.

    python -m ci.drift prod

Ends with 1 where there is drift, or where the stack cannot be refreshed: then no issue is changed.
"""

import sys

from ci.engine import NOTHING_EXPECTED, fold, pulumi, summary
from ci.github import LONGEST, GitHubError, close_issue, open_issue


def main() -> int:
    """Checks one stack; all that Pulumi prints is on standard error."""
    (stack,) = sys.argv[1:]
    # A refresh does not run the program, so what is merged and not yet released is no drift.
    run = pulumi("refresh", stack, "--preview-only", "--expect-no-changes")
    mark = f"geo-federation: drift of {stack}"
    try:
        if run.code == 0:
            close_issue(mark)
        elif run.code == NOTHING_EXPECTED:
            text = (
                f"What exists differs from the state of the stack `{stack}`: {summary(run.output)}.\n\n"
                f"`pulumi up --refresh --stack {stack}` puts back what the program declares. The next check that finds "
                "no difference closes this issue.\n\n"
            )
            open_issue(mark, f"Drift in the stack {stack}", text + fold("What differs", run.output, LONGEST - 2000))
    except GitHubError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if run.code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
