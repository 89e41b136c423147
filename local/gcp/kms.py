"""Rings and keys, which are checked and recorded. As in Google Cloud, a deleted one's name cannot be used again."""

import re
from collections.abc import Iterator
from typing import ClassVar

from clusters.facts.regions import regions
from local.gcp.iam import Member
from local.gcp.resource import Choices, Cloud, Kind, Wrong, invalid, project_of, value
from local.wire import UNKNOWN, Properties

_KMS = "cloudkms.googleapis.com"
_RINGS, _KEYS = "keyring", "cryptokey"  # in the registry
_NAME = "[a-zA-Z0-9_-]+"
_RING = re.compile(rf"projects/[^/]+/locations/([^/]+)/keyRings/{_NAME}")
_KEY = re.compile(rf"projects/[^/]+/locations/([^/]+)/keyRings/{_NAME}/cryptoKeys/{_NAME}")
_LARGER = ("global", "us", "europe", "eur3", "eur4", "eur5", "eur6", "asia", "asia1", "nam3", "nam4", "nam6")
_DAY = 86_400  # seconds
USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


class KeyRing(Kind):
    """A ring of keys, in one location."""

    token = "gcp:kms/keyRing:KeyRing"
    fixed = frozenset({"name", "location", "project"})
    needed = ("location",)
    name_pattern = _NAME
    lasting = True

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/locations/{inputs.get('location')}/keyRings/{inputs['name']}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (_KMS,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        location = inputs["location"]
        if location != UNKNOWN and location not in (*regions(), *_LARGER):
            yield Wrong("location", f"Error 404: The location '{location}' does not exist")

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        return {"project": project_of(cloud, inputs)}


class CryptoKey(Kind):
    """A key."""

    token = "gcp:kms/cryptoKey:CryptoKey"
    fixed = frozenset({"name", "keyRing", "purpose", "importOnly", "destroyScheduledDuration"})
    needed = ("keyRing",)
    labels = ("labels",)
    name_pattern = _NAME
    lasting = True
    choices: ClassVar[Choices] = {
        "purpose": ("ENCRYPT_DECRYPT", "ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT", "RAW_ENCRYPT_DECRYPT", "MAC"),
        "versionTemplate.protectionLevel": ("SOFTWARE", "HSM", "EXTERNAL", "EXTERNAL_VPC", "HSM_SINGLE_TENANT"),
    }

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"{inputs.get('keyRing')}/cryptoKeys/{inputs['name']}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (_KMS,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        ring = inputs["keyRing"]
        if ring != UNKNOWN and not _RING.fullmatch(ring):
            why = "It must be projects/PROJECT/locations/LOCATION/keyRings/NAME"
            yield Wrong("keyRing", invalid("keyRing", ring, why))
        period = value(inputs, "rotationPeriod")
        seconds = re.fullmatch(r"(\d+)(\.\d{1,9})?s", str(period))
        if period is not None and (not seconds or int(seconds[1]) < _DAY):
            why = "It must be in seconds, as 7776000s, and at least a day"
            yield Wrong("rotationPeriod", invalid("rotationPeriod", period, why))
        if period is not None and value(inputs, "purpose", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
            yield Wrong("rotationPeriod", "Error 400: only keys of purpose ENCRYPT_DECRYPT rotate by themselves")

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        if cloud.registry.get(_RINGS, inputs["keyRing"]) is None:
            yield Wrong("keyRing", f"Error 404: KeyRing {inputs['keyRing']} not found")


class KeyMember(Member):
    """One role of one member on a key."""

    token = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
    on = "cryptoKeyId"
    roles_of = frozenset({"cloudkms"})

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (_KMS,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().wrong(cloud, identifier, inputs)
        key = inputs["cryptoKeyId"]
        if key != UNKNOWN and key_location(key) is None:
            yield Wrong("cryptoKeyId", invalid("cryptoKeyId", key, KEY_FORM))

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().hindered(cloud, identifier, inputs)
        if not key_exists(cloud, inputs["cryptoKeyId"]):
            yield Wrong("cryptoKeyId", f"Error 404: CryptoKey {inputs['cryptoKeyId']} not found")


KEY_FORM = "It must be projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/NAME"


def key_location(key: str) -> str | None:
    """Where a key is, by its id; None where that is no key's."""
    match = _KEY.fullmatch(key)
    return match[1] if match else None


def key_exists(cloud: Cloud, key: str) -> bool:
    """Whether there is a key of this id."""
    return cloud.registry.get(_KEYS, key) is not None


def may_use(cloud: Cloud, key: str, account: str) -> bool:
    """Whether an account may encrypt and decrypt by a key, by a role on it or in the whole project."""
    members = {**cloud.registry.all("cryptokeyiammember"), **cloud.registry.all("iammember")}
    granted = (
        each for each in members.values() if each["role"] == USE and each["member"] == f"serviceAccount:{account}"
    )
    return any(each.get("cryptoKeyId") in (None, key) for each in granted)
