"""The stand-in for Pulumi's kubernetes plugin, driven by the real engine against a real API server."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.control_plane import ControlPlane
from local.install import write_launcher
from tests.e2e.project import Done, eventually

PROGRAM = """
import json, pathlib, pulumi

plan = json.loads(pathlib.Path("plan.json").read_text())
provider = pulumi.ProviderResource(
    "kubernetes", "cluster", plan["provider"], pulumi.ResourceOptions(version="4.34.2")
)
made = {}
for name, each in plan["resources"].items():
    options = pulumi.ResourceOptions(
        provider=provider,
        depends_on=list(made.values()) if each["last"] else [],
        ignore_changes=each["ignored"],
        custom_timeouts=pulumi.CustomTimeouts(**each["timeouts"]),
    )
    body = {key: pulumi.Output.secret(value) if key in each["secret"] else value for key, value in each["body"].items()}
    made[name] = pulumi.CustomResource(each["token"], name, body, options)
"""
# The same SDK as the federation's, with a provider whose cluster is not known before the first resource is made.
SDK_PROGRAM = """
import json, pathlib, pulumi
import pulumi_kubernetes as kubernetes

kubeconfig = json.loads(pathlib.Path("plan.json").read_text())["provider"]["kubeconfig"]
first = kubernetes.Provider("first", kubeconfig=kubeconfig)
namespace = kubernetes.core.v1.Namespace("sdk", opts=pulumi.ResourceOptions(provider=first))
second = kubernetes.Provider("second", kubeconfig=namespace.status.phase.apply(lambda phase: kubeconfig))
on_second = pulumi.ResourceOptions(provider=second)
inside = {"namespace": namespace.metadata.name}
account = kubernetes.core.v1.ServiceAccount("reader", metadata=inside, opts=on_second)
token = kubernetes.core.v1.Secret(
    "token",
    metadata={**inside, "annotations": {"kubernetes.io/service-account.name": account.metadata.name}},
    type="kubernetes.io/service-account-token",
    opts=on_second,
)
kubernetes.apiextensions.v1.CustomResourceDefinition(
    "crd",
    metadata={"name": "loose.sdk.test"},
    spec={
        "group": "sdk.test",
        "names": {"kind": "Loose", "plural": "loose"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "open_apiv3_schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}
                },
            }
        ],
    },
    opts=on_second,
)
pulumi.export("token", token.data["token"])
pulumi.export("authority", token.data["ca.crt"])
"""


@dataclass
class Stack:
    """A Pulumi project of its own, whose program makes what its plan says."""

    folder: Path
    plane: ControlPlane
    namespace: str

    def __post_init__(self) -> None:
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text("name: plugin\nruntime: python\n")
        (self.folder / "__main__.py").write_text(PROGRAM)
        self.resources: dict[str, Any] = {}
        self.provider: dict[str, str] = {"kubeconfig": self.plane.kubeconfig.read_text()}
        folder = self.folder / "home" / "plugins" / "resource-kubernetes-v4.34.2"
        write_launcher(folder / "pulumi-resource-kubernetes", self.folder, "kubernetes")
        self.pulumi("stack", "init", "test").ok()

    def declare(self, name: str, token: str, body: dict[str, Any], **options: Any) -> None:
        """Puts an object into the plan; its kind is the token's, its namespace the stack's unless it names one."""
        _, version, kind = token.split(":")
        identity = {"apiVersion": version.removeprefix("core/"), "kind": kind}
        defaults: dict[str, Any] = {"last": False, "ignored": [], "secret": [], "timeouts": {}}
        self.resources[name] = defaults | {"token": token, "body": identity | body} | options

    def pulumi(self, *words: str) -> Done:
        started = time.monotonic()
        process = self.start(*words)
        try:
            output, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Done(process.returncode, output, time.monotonic() - started)

    def start(self, *words: str) -> subprocess.Popen[str]:
        (self.folder / "plan.json").write_text(json.dumps({"provider": self.provider, "resources": self.resources}))
        binaries = self.plane.binaries
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "KUBE"))} | {
            "PATH": os.pathsep.join([str(binaries), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Of Google Cloud's, which the SDK in this environment names and no program here uses.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "NO_COLOR": "1",
        }
        return subprocess.Popen(
            [binaries / "pulumi", *words, "--non-interactive"],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, *words: str) -> Done:
        return self.pulumi("up", "--yes", "--skip-preview", "--suppress-progress", *words)

    def preview(self, *words: str) -> Done:
        return self.pulumi("preview", "--suppress-progress", *words)

    def refresh(self, *words: str) -> Done:
        return self.pulumi("refresh", "--yes", "--skip-preview", "--suppress-progress", *words)

    def state(self, name: str) -> dict[str, Any]:
        """A resource's part of the state, its secrets as they are kept."""
        latest = json.loads((self.folder / "state/.pulumi/stacks/plugin/test.json").read_text())["checkpoint"]["latest"]
        return next(each for each in latest["resources"] if each["urn"].endswith(f"::{name}"))

    def kubectl(self, *words: str) -> Done:
        return kubectl(self.plane, "-n", self.namespace, *words)

    def get(self, what: str) -> dict[str, Any]:
        return json.loads(self.kubectl("get", what, "-o", "json").ok().output)


def kubectl(plane: ControlPlane, *words: str) -> Done:
    command = [plane.binaries / "kubectl", f"--kubeconfig={plane.kubeconfig}", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout + (done.stderr if done.returncode else ""), 0)


@pytest.fixture
def stack(api_server: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    namespace = request.node.name.split("[")[0].replace("_", "-")[:50].strip("-")
    kubectl(api_server, "create", "namespace", namespace).ok()
    stack = Stack(tmp_path / "project", api_server, namespace)
    yield stack
    kubectl(api_server, "delete", "namespace", namespace, "--wait=false")


def config_map(stack: Stack, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": "settings", "namespace": stack.namespace}, "data": data}


def definition(stack: Stack) -> dict[str, Any]:
    """A custom resource definition of the test's own: a Gate, whose spec has one number."""
    number = {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "minimum": 1}}}
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "metadata": {"name": f"gates.{stack.namespace}.test"},
        "spec": {
            "group": f"{stack.namespace}.test",
            "names": {"kind": "Gate", "plural": "gates"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": number, "status": status}}},
                }
            ],
        },
    }


CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def test_an_object_is_made_changed_and_removed_field_by_field(stack: Stack) -> None:
    stack.provider["enableConfigMapMutable"] = "true"
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="1", b="2"))
    stack.up().ok()
    assert stack.get("configmap/settings")["data"] == {"a": "1", "b": "2"}
    uid = stack.get("configmap/settings")["metadata"]["uid"]
    stack.preview("--expect-no-changes").ok()
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="3"))
    stack.up().ok()
    live = stack.get("configmap/settings")
    assert live["data"] == {"a": "3"}
    assert live["metadata"]["uid"] == uid
    del stack.resources["settings"]
    stack.up().ok()
    assert "not found" in stack.kubectl("get", "configmap/settings").output


def test_what_cannot_be_changed_is_replaced(stack: Stack) -> None:
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="1"))
    stack.declare("unnamed", CONFIG_MAP, {"metadata": {"namespace": stack.namespace}, "data": {"a": "1"}})
    stack.up().ok()
    first, name = stack.get("configmap/settings")["metadata"]["uid"], stack.state("unnamed")["id"]
    assert name.startswith(f"{stack.namespace}/unnamed-")
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="2"))
    stack.declare("unnamed", CONFIG_MAP, {"metadata": {"namespace": stack.namespace}, "data": {"a": "2"}})
    assert "2 to replace" in stack.preview().ok().output
    stack.up().ok()
    assert stack.get("configmap/settings")["metadata"]["uid"] != first
    assert stack.state("unnamed")["id"] != name


def test_a_replacement_with_a_fixed_selector_passes_the_preview(stack: Stack) -> None:
    def deployment(app: str) -> dict[str, Any]:
        template = {
            "metadata": {"labels": {"app": app}},
            "spec": {"containers": [{"name": "main", "image": "example.test/main"}]},
        }
        spec = {"replicas": 0, "selector": {"matchLabels": {"app": app}}, "template": template}
        return {"metadata": {"name": "web", "namespace": stack.namespace}, "spec": spec}

    stack.declare("web", "kubernetes:apps/v1:Deployment", deployment("one"))
    stack.up().ok()
    stack.declare("web", "kubernetes:apps/v1:Deployment", deployment("two"))
    assert "1 to replace" in stack.preview().ok().output
    stack.up().ok()
    assert stack.get("deployment/web")["spec"]["selector"] == {"matchLabels": {"app": "two"}}


def test_an_edit_by_hand_is_seen_and_mended(stack: Stack) -> None:
    quota = {"metadata": {"name": "quota", "namespace": stack.namespace}, "spec": {"hard": {"cpu": "0.5", "pods": "4"}}}
    stack.declare("quota", "kubernetes:core/v1:ResourceQuota", quota)
    stack.up().ok()
    # The API server writes 500m for 0.5, which is no change.
    stack.refresh("--expect-no-changes").ok()
    stack.kubectl("patch", "resourcequota/quota", "--type=merge", '-p={"spec":{"hard":{"pods":"9"}}}').ok()
    assert "1 to update" not in stack.preview().ok().output
    stack.refresh().ok()
    assert stack.state("quota")["inputs"]["spec"] == {"hard": {"cpu": "0.5", "pods": "9"}}
    # The hand that edited owns the field now.
    refused = stack.up()
    assert refused.code != 0
    assert "conflict" in refused.output
    assert "pulumi.com/patchForce" in refused.output
    stack.provider["enablePatchForce"] = "true"
    stack.up().ok()
    assert stack.get("resourcequota/quota")["spec"]["hard"] == {"cpu": "500m", "pods": "4"}


def test_an_object_removed_by_hand_is_made_again(stack: Stack) -> None:
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="1"))
    stack.up().ok()
    stack.kubectl("delete", "configmap/settings").ok()
    assert "1 deleted" in stack.refresh().ok().output
    stack.up().ok()
    assert stack.get("configmap/settings")["data"] == {"a": "1"}


def test_ignored_changes_are_left_to_others(stack: Stack) -> None:
    stack.provider["enableConfigMapMutable"] = "true"
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="1", b="1"), ignored=["data.a"])
    stack.up().ok()
    stack.kubectl("patch", "configmap/settings", "--type=merge", '-p={"data":{"a":"theirs"}}').ok()
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="2", b="2"), ignored=["data.a"])
    stack.up().ok()
    assert stack.get("configmap/settings")["data"] == {"a": "theirs", "b": "2"}


def test_an_object_that_is_not_ready_is_kept_and_tried_again(stack: Stack) -> None:
    body = {
        "metadata": {
            "name": "gate",
            "namespace": stack.namespace,
            "annotations": {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "1"},
        },
        "spec": {"size": 1},
    }
    stack.declare("crd", CRD, definition(stack))
    stack.declare("gate", f"kubernetes:{stack.namespace}.test/v1:Gate", body, last=True)
    failed = stack.up()
    assert failed.code != 0
    assert "Gate" in failed.output
    assert "condition Ready is not set" in failed.output
    assert stack.state("gate")["id"] == f"{stack.namespace}/gate"
    assert stack.state("gate")["initErrors"]
    ready = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    stack.kubectl(
        "patch", f"gates.{stack.namespace}.test/gate", "--subresource=status", "--type=merge", "-p", ready
    ).ok()
    assert "1 updated" in stack.up().ok().output
    assert "initErrors" not in stack.state("gate")
    assert "4 unchanged" in stack.up().ok().output


def test_waiting_ends_when_the_run_is_cancelled(stack: Stack) -> None:
    metadata = {"name": "gate", "namespace": stack.namespace, "annotations": {"pulumi.com/waitFor": "condition=Ready"}}
    stack.declare("crd", CRD, definition(stack))
    stack.declare(
        "gate", f"kubernetes:{stack.namespace}.test/v1:Gate", {"metadata": metadata, "spec": {"size": 1}}, last=True
    )
    process = stack.start("up", "--yes", "--skip-preview")
    try:
        eventually(lambda: stack.kubectl("get", f"gates.{stack.namespace}.test/gate").ok(), 30)
        # To the engine alone, which cancels the plugin.
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode != 0
    assert "condition Ready is not set" in output
    # What has been made is known, for the next run.
    assert stack.state("gate")["id"] == f"{stack.namespace}/gate"


def test_waiting_ends_as_soon_as_all_conditions_hold(stack: Stack) -> None:
    waits = json.dumps(["condition=Ready", "jsonpath={.status.phase}=Open", "jsonpath={.status.address}"])
    metadata = {"name": "gate", "namespace": stack.namespace, "annotations": {"pulumi.com/waitFor": waits}}
    stack.declare("crd", CRD, definition(stack))
    stack.up().ok()
    stack.declare("gate", f"kubernetes:{stack.namespace}.test/v1:Gate", {"metadata": metadata, "spec": {"size": 1}})
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    steps: list[dict[str, Any]] = [ready, {"phase": "Open"}, {"address": "192.0.2.1"}]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stack.up)
        gate = f"gates.{stack.namespace}.test/gate"
        eventually(lambda: stack.kubectl("get", gate).ok(), 30)
        for step in steps:
            time.sleep(0.3)
            assert not running.done()
            patch = json.dumps({"status": step})
            stack.kubectl("patch", gate, "--subresource=status", "--type=merge", "-p", patch).ok()
        patched = time.monotonic()
        running.result().ok()
    # Most of it is the engine's own end of a run.
    assert time.monotonic() - patched < 10


def test_an_invalid_custom_resource_fails_in_the_preview(stack: Stack) -> None:
    gate = f"kubernetes:{stack.namespace}.test/v1:Gate"
    metadata = {"name": "gate", "namespace": stack.namespace}
    stack.declare("crd", CRD, definition(stack))
    stack.declare("gate", gate, {"metadata": metadata, "spec": {"size": 0}}, last=True)
    stack.preview().ok()
    stack.up("--target", "**crd")
    refused = stack.preview()
    assert refused.code != 0
    assert "should be greater than or equal to 1" in refused.output
    stack.declare("gate", gate, {"metadata": metadata, "spec": {"size": 1}}, last=True)
    stack.preview().ok()


def test_what_is_there_already_is_refused_unless_taken_over(stack: Stack) -> None:
    stack.kubectl("create", "configmap", "settings", "--from-literal=a=1", "--from-literal=other=1").ok()
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="1"))
    refused = stack.up()
    assert refused.code != 0
    assert 'configmaps "settings" already exists' in refused.output
    stack.provider["upsertExistingObjects"] = "true"
    stack.up().ok()
    assert stack.get("configmap/settings")["data"] == {"a": "1", "other": "1"}


def test_a_deletion_waits_for_finalizers(stack: Stack) -> None:
    body = config_map(stack, a="1")
    stack.declare("settings", CONFIG_MAP, body, timeouts={"delete": "2s"})
    stack.up().ok()
    stack.kubectl(
        "patch", "configmap/settings", "--type=merge", '-p={"metadata":{"finalizers":["test.test/hold"]}}'
    ).ok()
    resources, stack.resources = stack.resources, {}
    refused = stack.up()
    assert refused.code != 0
    assert "not gone after 2 s" in refused.output
    assert "test.test/hold" in refused.output
    stack.resources = resources
    stack.declare("settings", CONFIG_MAP, body)
    stack.up().ok()
    stack.resources = {}

    def release() -> None:
        release = ["patch", "configmap/settings", "--type=merge", '-p={"metadata":{"finalizers":null}}']
        eventually(lambda: _is_true("deletionTimestamp" in stack.get("configmap/settings")["metadata"]), 30)
        stack.kubectl(*release).ok()

    thread = threading.Thread(target=release)
    thread.start()
    stack.up().ok()
    thread.join()
    assert "not found" in stack.kubectl("get", "configmap/settings").output


def test_a_missing_namespace_fails_the_run_and_not_the_preview(stack: Stack) -> None:
    stack.declare("settings", CONFIG_MAP, {"metadata": {"name": "settings", "namespace": f"{stack.namespace}-not"}})
    stack.preview().ok()
    refused = stack.up()
    assert refused.code != 0
    assert f'namespaces "{stack.namespace}-not" not found' in refused.output


def test_secrets_are_secret_everywhere(stack: Stack) -> None:
    metadata = {"name": "key", "namespace": stack.namespace}
    stack.declare("key", "kubernetes:core/v1:Secret", {"metadata": metadata, "stringData": {"key": "hunter22"}})
    outputs = stack.preview("--diff").ok().output + stack.up("--diff").ok().output
    encoded = base64.b64encode(b"hunter22").decode()
    state = stack.state("key")
    assert stack.get("secret/key")["data"] == {"key": encoded}
    # The marker of a secret in the state.
    assert "4dabf18193072939515e22adb298388d" in state["outputs"]["data"]
    assert "hunter22" not in json.dumps(state["outputs"])
    assert encoded not in json.dumps(state) + outputs + stack.pulumi("stack", "export").ok().output
    stack.declare(
        "bad", "kubernetes:core/v1:Secret", {"metadata": metadata | {"name": "bad"}, "data": {"key": "hunter22!"}}
    )
    refused = stack.up()
    assert refused.code != 0
    assert "hunter22" not in refused.output


def test_a_secret_that_the_api_server_quotes_is_masked(stack: Stack) -> None:
    stack.declare("crd", CRD, definition(stack))
    stack.up().ok()
    body = {"metadata": {"name": "gate", "namespace": stack.namespace}, "spec": {"size": "hunter22"}}
    stack.declare("gate", f"kubernetes:{stack.namespace}.test/v1:Gate", body, secret=["spec"])
    refused = stack.up()
    assert refused.code != 0
    assert "spec.size" in refused.output
    assert "hunter22" not in refused.output


def test_a_deployment_is_awaited_and_says_why_it_does_not_come(stack: Stack) -> None:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"nodeSelector": {"no": "such"}, "containers": [{"name": "main", "image": "example.test/main"}]},
    }
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    metadata: dict[str, Any] = {"name": "web", "namespace": stack.namespace}
    stack.declare(
        "web", "kubernetes:apps/v1:Deployment", {"metadata": metadata, "spec": spec}, timeouts={"create": "3s"}
    )
    refused = stack.up()
    assert refused.code != 0
    assert "updatedReplicas is 0 of 1" in refused.output or "availableReplicas is 0 of 1" in refused.output
    assert "is not scheduled" in refused.output
    metadata["annotations"] = {"pulumi.com/skipAwait": "true"}
    stack.declare("web", "kubernetes:apps/v1:Deployment", {"metadata": metadata, "spec": spec})
    stack.up().ok()


def test_the_sdk_works_with_a_cluster_that_is_not_known_yet(stack: Stack) -> None:
    (stack.folder / "__main__.py").write_text(SDK_PROGRAM)
    assert "7 to create" in stack.preview().ok().output
    stack.up().ok()
    outputs = json.loads(stack.pulumi("stack", "output", "--json", "--show-secrets").ok().output)
    assert base64.b64decode(outputs["token"]).count(b".") == 2
    assert b"BEGIN CERTIFICATE" in base64.b64decode(outputs["authority"])
    assert "[secret]" in stack.pulumi("stack", "output").ok().output
    stack.preview("--expect-no-changes").ok()
    stack.refresh("--expect-no-changes").ok()


def test_a_cluster_that_is_gone_can_be_left_behind(stack: Stack) -> None:
    stack.declare("settings", CONFIG_MAP, config_map(stack, a="1"))
    stack.provider["clusterIdentifier"] = "one"
    stack.up().ok()
    # Nothing listens on the discard port.
    stack.provider["kubeconfig"] = stack.provider["kubeconfig"].replace(stack.plane.endpoint, "127.0.0.1:9")
    stack.provider["skipUpdateUnreachable"] = "true"
    assert "1 updated" in stack.up().ok().output, "only the provider is"
    stack.provider["skipUpdateUnreachable"] = "false"
    stack.resources = {}
    assert stack.up().code != 0
    stack.provider["deleteUnreachable"] = "true"
    stack.up().ok()


def _is_true(value: bool) -> None:
    assert value
