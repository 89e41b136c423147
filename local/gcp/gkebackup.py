"""Plans of Backup for GKE, which are checked and recorded: nothing on this machine is backed up."""

import re
from collections.abc import Iterator

from clusters.facts.regions import regions
from local.gcp.kms import KEY_FORM, key_exists, key_location
from local.gcp.resource import Cloud, Kind, Wrong, given, invalid, lacking, project_of, value
from local.wire import UNKNOWN, Properties

_SCOPES = ("allNamespaces", "selectedNamespaces", "selectedApplications", "selectedNamespaceLabels")
_CLUSTER = re.compile(r"projects/[^/]+/(locations|zones)/[^/]+/clusters/[^/]+")
_CRON = re.compile(r"[-\d*/,]+( [-\d*/,A-Za-z]+){4}")


class BackupPlan(Kind):
    """What of a cluster is backed up, when, and for how long it is kept."""

    token = "gcp:gkebackup/backupPlan:BackupPlan"
    fixed = frozenset({"name", "cluster", "location", "project"})
    needed = ("cluster", "location")
    labels = ("labels",)

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        where = f"projects/{project_of(cloud, inputs)}/locations/{inputs.get('location')}"
        return f"{where}/backupPlans/{inputs['name']}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return ("gkebackup.googleapis.com",)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        location, cluster = inputs["location"], inputs["cluster"]
        if location != UNKNOWN and location not in regions():
            yield Wrong("location", f"Error 404: Location {location} is not a region of Backup for GKE")
        if cluster != UNKNOWN and not _CLUSTER.fullmatch(cluster):
            why = "It must be projects/PROJECT/locations/LOCATION/clusters/NAME"
            yield Wrong("cluster", invalid("cluster", cluster, why))
        scopes = [each for each in _SCOPES if given(inputs, f"backupConfig.{each}")]
        none = all(lacking(inputs, f"backupConfig.{each}") for each in _SCOPES)
        if given(inputs, "backupConfig") and (none or len(scopes) > 1):
            why = f"exactly one of {', '.join(_SCOPES)} must be specified, not {' and '.join(scopes) or 'none'}"
            yield Wrong("backupConfig", f"Error 400: {why}")
        yield from _wrong_schedule(inputs)
        key = value(inputs, "backupConfig.encryptionKey.gcpKmsEncryptionKey")
        if key and key_location(key) != location:
            why = KEY_FORM if key_location(key) is None else f"The key must be in {location}, as the plan is"
            yield Wrong("backupConfig", invalid("backupConfig.encryptionKey", key, why))

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        if cloud.registry.get("cluster", inputs["cluster"]) is None:
            yield Wrong("cluster", f"Error 404: Cluster {inputs['cluster']} not found")
        key = value(inputs, "backupConfig.encryptionKey.gcpKmsEncryptionKey")
        if key and not key_exists(cloud, key):
            yield Wrong("backupConfig", f"Error 404: CryptoKey {key} not found")

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        return {"project": project_of(cloud, inputs), "state": "READY"}


def _wrong_schedule(inputs: Properties) -> Iterator[Wrong]:
    cron = value(inputs, "backupSchedule.cronSchedule")
    if cron and not _CRON.fullmatch(cron):
        why = "It must have five fields: minute, hour, day, month and weekday"
        yield Wrong("backupSchedule", invalid("backupSchedule.cronSchedule", cron, why))
    rpo = given(inputs, "backupSchedule.rpoConfig")
    if cron and rpo:
        yield Wrong("backupSchedule", "cronSchedule and rpoConfig exclude each other")
    if (cron or rpo) and lacking(inputs, "retentionPolicy.backupRetainDays"):
        yield Wrong("retentionPolicy", "retentionPolicy.backupRetainDays is needed with a schedule")
    days = value(inputs, "retentionPolicy.backupRetainDays")
    lock = value(inputs, "retentionPolicy.backupDeleteLockDays")
    for path, amount, most in (("backupRetainDays", days, 365), ("backupDeleteLockDays", lock, 90)):
        if amount is not None and not 0 <= amount <= most:
            why = f"It must be from 0 to {most}"
            yield Wrong("retentionPolicy", invalid(f"retentionPolicy.{path}", amount, why))
    if days is not None and lock is not None and days < lock:
        yield Wrong("retentionPolicy", f"backupRetainDays {days} must be at least backupDeleteLockDays {lock}")
