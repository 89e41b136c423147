"""What a member that does not answer raises, for every way not to; and that a mistake of ours is no such thing."""

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from federation import drain, queries
from federation.api_client import NoAnswer, asking, listed
from federation.free_nodes import Measured, measure
from federation.queries import Answer, ListPath, federated_annotation
from geofed import forget
from geofed.mistake import Mistake
from placement.api.kinds import BUILT_IN
from placement.manifests.manifest import Manifest
from tests.unit.api_server import api_server, kubeconfig, status_of

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
REGISTRATIONS = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


def body(kind: str, items: Any, **more: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"kind": kind, "items": items, **more}).encode()


def plugin(folder: Path, *lines: str) -> dict[str, Any]:
    """A user who signs in by a program of these lines."""
    file = folder / "plugin"
    file.write_text("\n".join(["#!/bin/sh", *lines]))
    file.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(file)}}


def ask(config: str) -> None:
    """Asks as a survey does, without a second try."""
    with asking("training", config, retries=0) as (client, api):
        client.CoreV1Api(api).list_node(_preload_content=False, _request_timeout=5)


def check_told(config: str, words: str) -> None:
    with pytest.raises(NoAnswer, match=rf"^training does not answer \(.*{words}") as told:
        ask(config)
    assert "\n" not in str(told.value)
    # No cause that would be printed with it.
    assert told.value.__suppress_context__


# The network and TLS.


def test_nothing_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        check_told(kubeconfig(f"http://127.0.0.1:{unused.getsockname()[1]}"), "NewConnectionError: .*refused")


def test_no_such_host() -> None:
    check_told(kubeconfig("https://nowhere.invalid"), "NameResolutionError: .*nowhere.invalid")


def test_no_such_url() -> None:
    check_told(kubeconfig("https://one:two:three"), "LocationParseError: ")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 2", b"garbage\r\n\r\n"])
def test_the_connection_is_closed(sent: bytes) -> None:
    with api_server({"*": (0, sent)}) as url:
        check_told(kubeconfig(url), "ProtocolError: ")


def test_the_answer_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = kubeconfig(f"http://127.0.0.1:{server.getsockname()[1]}")
        found = queries.ask_members({"a": config}, "a", [])["a"]
    assert str(found).startswith("does not answer (ReadTimeoutError: ")


def test_the_answer_is_cut_off() -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"
    with api_server({"*": (0, sent)}) as url, pytest.raises(NoAnswer, match="one does not answer"):
        measure("one", kubeconfig(url))


@pytest.mark.parametrize("authority", [{}, {"certificate-authority-data": "bm90IFBFTQ=="}])
def test_tls_fails(authority: dict[str, str]) -> None:
    with api_server({}) as url:
        # It speaks none, and "not PEM" is no certificate.
        check_told(kubeconfig(url.replace("http", "https"), cluster=authority), "SSLError")


def test_the_certificate_is_nobodys(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs openssl to make a certificate")
    key, certificate, both = (tmp_path / name for name in ("key", "certificate", "both"))
    request = f"req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 1 -subj /CN=nobody"
    subprocess.run([openssl, *request.split()], check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    with api_server({}, certificate=both) as url:
        check_told(kubeconfig(url), "CERTIFICATE_VERIFY_FAILED")


# What is answered.


@pytest.mark.parametrize(
    ("code", "reason"), [(401, "Unauthorized"), (403, "Forbidden"), (500, "Internal Server Error")]
)
def test_the_api_server_refuses(code: int, reason: str) -> None:
    with api_server({"*": (code, status_of(code, "nodes is forbidden:\n no"))}) as url:
        check_told(kubeconfig(url), f"{code} {reason}: nodes is forbidden: no")
        found = queries.ask_members({"a": kubeconfig(url)}, "a", [])["a"]
    assert found == f"does not answer ({code} {reason} for /version)"


@pytest.mark.parametrize(
    "sent", [b"<html>Sign in</html>", b"", b'{"kind": "No', b"\xff\xfe\xff", b"[]", b"null", b"{}"]
)
@pytest.mark.parametrize("code", [200, 503])
def test_the_answer_is_no_api_servers(sent: bytes, code: int) -> None:
    with api_server({"*": (code, sent)}) as url, pytest.raises(NoAnswer, match="one does not answer"):
        measure("one", kubeconfig(url))


# Credentials.


def test_the_credential_plugin_is_not_installed() -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-auth-plugin"}}
    with api_server({}) as url:
        check_told(kubeconfig(url, user), "no-such-auth-plugin gave no credentials; is it installed")


@pytest.mark.parametrize("line", ["echo not signed in >&2; exit 1", "echo garbage", "echo {}", "kill $$"])
def test_the_credential_plugin_fails(line: str, tmp_path: Path) -> None:
    with api_server({}) as url:
        check_told(kubeconfig(url, plugin(tmp_path, line)), "plugin gave no credentials; .* are you signed in")


def test_the_credential_plugin_signs_in(tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": "a token"},
    }
    user = plugin(tmp_path, f"echo '{json.dumps(credential)}'")
    with api_server({"*": body("NodeList", [])}) as url:
        assert measure("one", kubeconfig(url, user)) == Measured([])


CONTEXT = "contexts: [{name: a, context: {cluster: a, user: a}}]"


@pytest.mark.parametrize(
    "config",
    [
        "",
        "5",
        "text",
        "[]",
        "{",
        "a: *b",
        "\x00",
        "current-context: a",
        "{current-context: a, contexts: 5}",
        "{current-context: a, contexts: [5]}",
        "{current-context: a, contexts: [{name: a}]}",
        f"{{current-context: a, {CONTEXT}, clusters: [{{name: a, cluster: {{server: 5}}}}]}}",
        kubeconfig("https://one", {"exec": {"command": "plugin"}}),
        kubeconfig("https://one", cluster={"certificate-authority-data": "not base64"}),
        kubeconfig("https://one", cluster={"certificate-authority": "/no/such/file"}),
    ],
)
def test_the_kubeconfig_is_garbage(config: str) -> None:
    check_told(config, "(its kubeconfig cannot be used|gave no credentials)")


# A mistake of ours.


@pytest.mark.parametrize(
    "mistake", [AttributeError("'list' has no 'values'"), KeyError("items"), TypeError(), ValueError()]
)
def test_a_mistake_of_ours_is_seen(mistake: Exception) -> None:
    with pytest.raises(type(mistake)) as raised, asking("training", kubeconfig("http://127.0.0.1:1")):
        raise mistake
    assert raised.value is mistake


def test_a_mistake_while_all_members_are_asked_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(member: str, *_: object) -> Answer:
        if member == "a":
            raise AttributeError("'list' object has no attribute 'values'")
        return Answer("v1")

    monkeypatch.setattr(queries, "_answer", answer)
    with pytest.raises(AttributeError, match="no attribute 'values'"):
        queries.ask_members({"a": "", "b": ""}, "b", [])


# What is null in an answer is not there.


def test_a_list_of_nothing_may_be_null() -> None:
    answers = {NODES: body("NodeList", None), PODS: body("PodList", None)}
    path = "/apis/apps/v1/namespaces/ai/deployments"
    answers |= {path: body("DeploymentList", None), REGISTRATIONS: body("KubeFedClusterList", None)}
    answers["/version"] = (200, b'{"gitVersion": "v1.35.4"}')
    with api_server(answers) as url:
        config = kubeconfig(url)
        assert measure("one", config) == Measured([])
        found = queries.ask_members({"a": config}, "a", [ListPath(path)])["a"]
        assert found == Answer("v1.35.4", [], [], {ListPath(path): []}, [])
        assert drain._leaving("a", config, []) == []  # pyright: ignore[reportPrivateUsage]


def test_what_is_null_in_an_object_is_not_there() -> None:
    gpu = {"nvidia.com/gpu": "4"}
    ready = {"allocatable": gpu, "conditions": [{"type": "Ready", "status": "True"}]}
    nodes = [
        {"metadata": {"name": "a", "labels": None}, "spec": {"unschedulable": None}, "status": ready},
        {"metadata": {"name": "b"}, "spec": {}, "status": {"allocatable": None, "conditions": None}},
        {"metadata": {"name": "c"}, "spec": {}, "status": ready | {"allocatable": None}},
    ]
    containers = [{"resources": None}, {"resources": {"requests": None}}]
    pods = [{"metadata": {"name": "a"}, "spec": {"nodeName": None, "containers": containers}, "status": None}]
    with api_server({NODES: body("NodeList", nodes), PODS: body("PodList", pods)}) as url:
        found = measure("one", kubeconfig(url))
    free = [(each.labels, each.allocatable) for each in found.free]
    host = "kubernetes.io/hostname"
    assert free == [({host: "a"}, {"nvidia.com/gpu": 4}), ({host: "c"}, {})]


def test_a_member_that_kubefed_has_not_looked_at_has_a_null_status() -> None:
    found = [{"metadata": {"name": "a"}, "status": None}, {"metadata": {"name": "b"}, "status": {"conditions": None}}]
    with api_server({REGISTRATIONS: body("KubeFedClusterList", found)}) as url:
        assert drain._leaving("host", kubeconfig(url), []) == []  # pyright: ignore[reportPrivateUsage]


def test_an_object_without_annotations_remembers_nothing() -> None:
    manifest = Manifest(BUILT_IN["jobs.batch"], "train", {"metadata": {"name": "train"}})
    path = "/apis/types.kubefed.io/v1beta1/namespaces/ai/federatedjobs/train"
    for metadata in ({"annotations": None}, {}, {"annotations": {"key": None}}):
        with api_server({path: (200, json.dumps({"metadata": metadata}).encode())}) as url:
            assert federated_annotation("host", kubeconfig(url), manifest, "ai", "key") == ""
    with api_server({}) as url:
        assert federated_annotation("host", kubeconfig(url), manifest, "ai", "key") == ""


def test_what_is_left_behind_is_told_where_lists_are_null() -> None:
    own = REGISTRATIONS.removesuffix("kubefedclusters")
    type_ = {"group": "types.kubefed.io", "version": "v1beta1", "pluralName": "federatedjobs"}
    federated = {"kind": "FederatedJob", "metadata": {"name": "a", "namespace": "ai"}, "status": None}
    answers = {
        REGISTRATIONS: body("KubeFedClusterList", None),
        f"{own}federatedtypeconfigs": body("FederatedTypeConfigList", [{"spec": {"federatedType": type_}}]),
        "/apis/types.kubefed.io/v1beta1/federatedjobs": body("FederatedJobList", [federated]),
    }
    with api_server(answers) as url, pytest.raises(Mistake, match="dead: not a member"):
        forget._forget("host", kubeconfig(url), "dead")  # pyright: ignore[reportPrivateUsage]
    assert listed(b'{"kind": "JobList", "items": null}') == []
