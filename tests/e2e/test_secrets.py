"""From up to destroy, no secret is in plain text anywhere, and a member's token is changed while pods run on."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.e2e.project import Done, Project, eventually

KUBEFED = "-n kube-federation-system"
MEMBERS = ("training", "serving", "serving-asia")
VAULT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "vault"},
    "stringData": {"password": "correct horse\nbattery staple"},
    "data": {"key": base64.b64encode(b"a key that nobody knows").decode()},
}


@dataclass
class Life:
    """A stack's whole life: what every command printed, and every secret that there was."""

    project: Project
    printed: dict[str, str] = field(default_factory=dict[str, str])
    secrets: dict[str, str] = field(default_factory=dict[str, str])

    def run(self, what: str, done: Done) -> Done:
        self.printed[what] = done.output
        return done.ok()

    def learn(self) -> None:
        """Adds every secret that there is now."""
        home = self.project.folder / ".local"
        for name in MEMBERS:
            self.secrets[f"the kubeconfig of {name}"] = self.project.outputs()[f"{name}_kubeconfig"]
            self._add_token(name)
        for key in (home / "clusters").rglob("pki/*.key"):
            self.secrets[f"{key.name} of {key.parent.parent.name}"] = key.read_text()
        for token in (home / "agent").rglob("token"):
            self.secrets[f"the controller's token in {token.parent.name}"] = token.read_text()
        self.secrets |= {f"{key} of the workload": text for key, text in VAULT["stringData"].items()}
        self.secrets["key of the workload"] = base64.b64decode(VAULT["data"]["key"]).decode()

    def _add_token(self, name: str) -> None:
        token = token_of(self.project, name)
        self.secrets[f"a token of {name} that begins the {len(self.secrets)}th"] = token

    def found_in(self, texts: Mapping[str, str]) -> list[str]:
        """Where which secret can be read."""
        return [
            f"{what} in {where}"
            for what, secret in self.secrets.items()
            for where, text in texts.items()
            if any(form in text for form in _forms(secret))
        ]


def _forms(secret: str) -> list[str]:
    """How a secret can be written: as it is, escaped, in base64, and the longest line of it."""
    line = max(secret.splitlines(), key=len)
    encoded = [base64.b64encode(each.encode()).decode() for each in (secret, secret.strip())]
    return [secret, json.dumps(secret)[1:-1], line, *encoded]


def token_of(project: Project, member: str) -> str:
    """The token that the controller has for a member."""
    (secret,) = project.objects("training", f"secret {KUBEFED} --field-selector metadata.name={member}-credentials")
    return base64.b64decode(secret["data"]["token"]).decode()


def answer_to(project: Project, member: str, token: str) -> int:
    """The HTTP status with which a member's API server answers to the holder of a token."""
    members = project.objects("training", f"kubefedclusters {KUBEFED}")
    (spec,) = [each["spec"] for each in members if each["metadata"]["name"] == member]
    authority = base64.b64decode(spec["caBundle"]).decode()
    with urllib3.PoolManager(ca_cert_data=authority) as pool:
        headers = {"Authorization": f"Bearer {token}"}
        return pool.request("GET", f"{spec['apiEndpoint']}/api/v1/namespaces", headers=headers).status


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    project = Project.copy(tmp_path_factory.mktemp("secrets"))
    project.declare_workload("vault", "ai", {"policy": "spread"}, VAULT)
    life = Life(project)
    with project.taken_down():
        life.run("up", project.make("up"))
        life.learn()
        yield life


def controllers(project: Project) -> set[int]:
    return {each.pid for each in project.processes() if each.name() in ("hyperfed", "controller-manag")}


def test_a_token_is_changed_while_all_goes_on(life: Life) -> None:
    project, settings = life.project, life.project.settings()
    pods = {name: {each["metadata"]["uid"] for each in project.objects(name, "pods -n ai")} for name in MEMBERS}
    running = controllers(project)
    old = token_of(project, "serving")
    assert answer_to(project, "serving", old) == 200

    settings["config"]["geo-federation:federation"]["tokens"] = {"serving": 2}
    project.write_settings(settings)
    life.run("preview of another token", project.shell("pulumi preview --diff"))
    life.run("up with another token", project.shell("pulumi up --yes --skip-preview --diff"))
    life.learn()
    new = token_of(project, "serving")
    assert new != old
    assert answer_to(project, "serving", new) == 200

    # An API server remembers for 10 s that a token was good.
    def check_void() -> None:
        assert answer_to(project, "serving", old) == 401

    eventually(check_void, seconds=20)
    names = {each["metadata"]["name"] for each in project.objects("serving", f"secrets {KUBEFED}")}
    assert names == {"serving-training-2"}

    # Whoever makes a copy again, and says how it does, holds the new token.
    project.kubectl("serving", "delete configmap,secret,deployment --all -n ai").ok()

    def check_copied() -> None:
        copies = project.objects("serving", "deployments -n ai")
        assert [each["status"].get("readyReplicas") for each in copies] == [2]

    eventually(check_copied, seconds=30)
    states = {
        each["metadata"]["name"]: {one["type"]: one["status"] for one in each["status"]["conditions"]}
        for each in project.objects("training", f"kubefedclusters {KUBEFED}")
    }
    assert {name: state.get("Ready") for name, state in states.items()} == dict.fromkeys(MEMBERS, "True")
    assert controllers(project) == running
    for name in ("training", "serving-asia"):
        assert {each["metadata"]["uid"] for each in project.objects(name, "pods -n ai")} == pods[name]


def test_no_secret_is_in_the_state(life: Life) -> None:
    project = life.project
    kept = {
        str(file.relative_to(project.folder)): file.read_bytes().decode(errors="replace")
        for file in (project.folder / ".local" / "state").rglob("*")
        if file.is_file()
    }
    assert any(name.endswith("/local.json") for name in kept)
    shown = {
        command: project.shell(command).ok().output
        for command in ("pulumi stack export", "pulumi stack --show-ids", "pulumi stack output --json")
    }
    assert life.found_in(kept | shown) == []
    # The search finds what there is to find.
    shown = project.shell("pulumi stack export --show-secrets").ok().output
    assert len(life.found_in({"it": shown})) >= len(MEMBERS) * 2 + 2


def test_no_secret_is_in_a_log(life: Life) -> None:
    folder = life.project.folder / ".local" / "agent"
    logs = {str(file): file.read_text(errors="replace") for file in folder.rglob("log")}
    assert len(logs) >= 3
    assert any(logs.values())
    assert life.found_in(logs) == []


def test_no_secret_is_in_what_pulumi_prints_to_the_end(life: Life) -> None:
    project = life.project
    life.run("preview", project.shell("pulumi preview --diff --expect-no-changes"))
    life.run("refresh", project.shell("pulumi up --yes --skip-preview --refresh --diff"))
    # Workloads run, and one object is not the federation's.
    project.kubectl("serving", "create configmap mine -n ai --from-literal=a=b").ok()
    life.run("preview of the end", project.shell("pulumi destroy --preview-only --diff"))
    life.run("destroy", project.shell("pulumi destroy --yes --skip-preview --diff"))
    assert json.loads(project.shell("pulumi stack export").ok().output)["deployment"].get("resources", []) == []
    assert life.found_in(life.printed) == []


def test_nothing_is_left(life: Life) -> None:
    folder: Path = life.project.folder / ".local" / "clusters"
    assert not list(folder.glob("*/ready"))
    assert [each for each in life.project.processes() if "/clusters/" in " ".join(each.cmdline())] == []
