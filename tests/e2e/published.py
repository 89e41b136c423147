"""Manifests and Helm charts as they are published: at addresses that begin with https, here of this machine."""

import io
import subprocess
import tarfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.unit.api_server import api_server

Answers = dict[str, tuple[int, bytes]]


@dataclass(frozen=True)
class Site:
    """A server, and what it answers by path; what is added or removed counts at once."""

    url: str
    answers: Answers
    variables: Mapping[str, str]
    """What `make` and `pulumi` need in their environment to trust it."""


@contextmanager
def published(folder: Path) -> Generator[Site]:
    """A server with nothing to load, whose certificate is in `folder`."""
    key, certificate, both = (folder / name for name in ("key.pem", "certificate.pem", "both.pem"))
    request = f"req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 1 -subj /CN=published"
    command = ["openssl", *request.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    # Helm keeps what it loads.
    helm = {f"HELM_{name}_HOME": str(folder / "helm" / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    answers: Answers = {}
    with api_server(answers, certificate=both) as url:
        yield Site(url, answers, {"SSL_CERT_FILE": str(certificate), "NO_PROXY": "127.0.0.1", **helm})


def chart(name: str, version: str, *templates: str) -> dict[str, str]:
    """The files of a chart, by their paths in its folder."""
    about = yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version})
    files = {f"templates/{number}.yaml": text for number, text in enumerate(templates)}
    return {"Chart.yaml": about, "values.yaml": "{}", **files}


def write_chart(folder: Path, files: Mapping[str, str]) -> None:
    """A chart as a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def publish_chart(site: Site, repository: str, files: Mapping[str, str]) -> None:
    """A chart in a repository, which is a path of the site, and is in no other version there."""
    about = yaml.safe_load(files["Chart.yaml"])
    packed, name = io.BytesIO(), f"{about['name']}-{about['version']}.tgz"
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{about['name']}/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    index = {"apiVersion": "v1", "entries": {about["name"]: [{**about, "urls": [name]}]}}
    site.answers[f"/{repository}/index.yaml"] = (200, yaml.safe_dump(index).encode())
    site.answers[f"/{repository}/{name}"] = (200, packed.getvalue())
