"""Service accounts, and roles in the project and on an account."""

import re
from collections.abc import Iterator

from local.gcp.iam import ACCOUNTS, Member
from local.gcp.resource import Cloud, Kind, Wrong, project_of
from local.wire import UNKNOWN, Properties

_IAM = "iam.googleapis.com"
_ACCOUNT = re.compile(r"projects/([^/]+)/serviceAccounts/([^/@\s]+@[^/@\s]+)")


class Account(Kind):
    """A Google service account."""

    token = "gcp:serviceaccount/account:Account"
    fixed = frozenset({"accountId", "project"})
    needed = ("accountId",)
    named = False

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/serviceAccounts/{_email(cloud, inputs)}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (_IAM,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        account = inputs["accountId"]
        if account != UNKNOWN and not re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", account):
            why = f"Error 400: The account ID {account!r} does not have a length between 6 and 30, or is not of"
            yield Wrong("accountId", f"{why} lower-case letters, digits and dashes with a letter first")
        if len(str(inputs.get("displayName", ""))) > 100:
            yield Wrong("displayName", "Error 400: the display name is longer than 100 characters")

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        email = _email(cloud, inputs)
        known = {"email": email, "member": f"serviceAccount:{email}", "name": identifier}
        return {"project": project_of(cloud, inputs), **known}


class ProjectMember(Member):
    """One role of one member in the project."""

    token = "gcp:projects/iAMMember:IAMMember"
    on = "project"
    public = False

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return ("cloudresourcemanager.googleapis.com",)


class AccountMember(Member):
    """One role of one member on a service account, such as that of acting as it."""

    token = "gcp:serviceaccount/iAMMember:IAMMember"
    on = "serviceAccountId"
    roles_of = frozenset({"iam"})

    @property
    def slug(self) -> str:
        # The project's has the same name in its own service.
        return "accountiammember"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (_IAM,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().wrong(cloud, identifier, inputs)
        account = inputs["serviceAccountId"]
        if account != UNKNOWN and not _ACCOUNT.fullmatch(account):
            why = "it must be an account's name, projects/PROJECT/serviceAccounts/ADDRESS"
            yield Wrong("serviceAccountId", f"Error 400: {account!r} is no service account: {why}")

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().hindered(cloud, identifier, inputs)
        account = inputs["serviceAccountId"]
        if cloud.registry.get(ACCOUNTS, account) is None:
            yield Wrong("serviceAccountId", f"Error 404: Unknown service account {account}")


def _email(cloud: Cloud, inputs: Properties) -> str:
    return f"{inputs.get('accountId', '')}@{project_of(cloud, inputs)}.iam.gserviceaccount.com"
