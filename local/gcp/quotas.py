"""Quotas: on this machine there is enough of everything, but for what the variable GCP_QUOTAS says.

    GCP_QUOTAS="europe-west1/NVIDIA-L4-GPUS-per-project-region=2 global/GPUS-ALL-REGIONS-per-project=8"

Each is REGION/QUOTA=NUMBER, or REGION/QUOTA/FAMILY=NUMBER where a quota has limits by family, and global is in place of
the region for the whole project. GCP_QUOTAS=off is a project in which the Cloud Quotas API is off.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.regions import regions
from local.plugin import Refused
from local.wire import Properties

GET = "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo"
VARIABLE = "GCP_QUOTAS"
_OFF, _GLOBAL = "off", "global"
_SET = re.compile(r"(?P<region>[a-z0-9-]+)/(?P<quota>[A-Za-z0-9-]+)(?:/(?P<family>[A-Z0-9_]+))?=(?P<limit>[0-9]+)")


@dataclass(frozen=True)
class SetQuota:
    """A limit that the user of the local stack has set."""

    region: str
    quota: str
    dimensions: Mapping[str, str]
    limit: int


def get_quota(project: str, arguments: Properties) -> Properties:
    """Reads a quota. Raises Refused where the API is off."""
    if os.environ.get(VARIABLE, "").strip() == _OFF:
        api = "cloudquotas.googleapis.com"
        why = f"{api} has not been used in project {project} before or it is disabled (SERVICE_DISABLED)"
        raise Refused(f"Error 403: {why}")
    quota, service = str(arguments["quotaId"]), str(arguments["service"])
    rows = [
        _row([each.region], each.limit, {**each.dimensions, **_region(each)})
        for each in set_quotas()
        if each.quota == quota
    ]
    name = f"{arguments['parent']}/locations/global/services/{service}/quotaInfos/{quota}"
    known = {"parent": arguments["parent"], "service": service, "quotaId": quota, "name": name, "id": name}
    return known | {"dimensionsInfos": [*rows, _row([*regions(), _GLOBAL], -1, {})]}


def limit_of(quota: str, region: str, dimensions: Mapping[str, str]) -> int | None:
    """The limit of a quota in a region, or None where there is enough."""
    able = (each for each in set_quotas() if (each.quota, each.region) == (quota, region))
    return next((each.limit for each in able if each.dimensions == dimensions), None)


def set_quotas() -> list[SetQuota]:
    """The limits that GCP_QUOTAS sets. Raises Refused for a variable that has something else in it."""
    found: list[SetQuota] = []
    for text in os.environ.get(VARIABLE, "").split():
        match = _SET.fullmatch(text)
        if text == _OFF:
            continue
        if not match or match["region"] not in (*regions(), _GLOBAL):
            example = "europe-west1/NVIDIA-L4-GPUS-per-project-region=2"
            raise Refused(f"{VARIABLE}: {text!r}: write REGION/QUOTA=NUMBER, such as {example}, with spaces between")
        dimension = "tpu_family" if "TPU" in match["quota"] else "gpu_family"
        dimensions = {dimension: match["family"]} if match["family"] else {}
        found.append(SetQuota(match["region"], match["quota"], dimensions, int(match["limit"])))
    return found


def _region(each: SetQuota) -> Mapping[str, str]:
    return {} if each.region == _GLOBAL else {"region": each.region}


def _row(locations: list[str], limit: int, dimensions: Mapping[str, str]) -> Properties:
    # The API leaves out what is 0, and the provider then has no details.
    details = [{"value": str(limit)}] if limit else []
    return {"applicableLocations": locations, "details": details, "dimensions": dict(dimensions)}
