"""What KubeFed's own accounts may do on real API servers: what the enabled types need, and nothing beside it."""

import base64
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import urllib3
import yaml

from federation.rbac import member_rules, member_type_rules
from placement.api.kinds import BUILT_IN, DEFAULT_TYPES, NAMESPACES, POLICIES
from tests.e2e.project import Project, eventually

SYSTEM = "kube-federation-system"
CONTROLLER = "kubefed-controller"
# KubeFed never leaves a claim alone (its issue 1481), nor a bound volume, so no stack keeps one.
_LEFT_OUT = ("secrets", "persistentvolumeclaims", "persistentvolumes")
NARROW = [target for target in BUILT_IN.values() if target.config_name not in _LEFT_OUT]
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_POD = {"containers": [{"name": "one", "image": "one:1"}]}


def _pods(app: str) -> dict[str, Any]:
    """Pods of their own: what another selector finds too, it takes over."""
    labels = {"app": app}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": _POD}}


# The least that makes an object of each type.
BODIES: Mapping[str, dict[str, Any]] = {
    "configmaps": {"data": {"a": "b"}},
    "limitranges": {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
    "resourcequotas": {"spec": {"hard": {"pods": "900"}}},
    "services": {"spec": {"selector": {"app": "each"}, "ports": [{"port": 80}]}},
    "serviceaccounts": {"automountServiceAccountToken": False},
    "pods": {"spec": _POD},
    "resourceclaimtemplates.resource.k8s.io": {
        "spec": {"spec": {"devices": {"requests": [{"name": "a", "exactly": {"deviceClassName": "a.example.com"}}]}}}
    },
    "daemonsets.apps": {"spec": {**_pods("daemonsets")}},
    "deployments.apps": {"spec": {"replicas": 1, **_pods("deployments")}},
    "replicasets.apps": {"spec": {"replicas": 1, **_pods("replicasets")}},
    "statefulsets.apps": {"spec": {"replicas": 1, "serviceName": "each", **_pods("statefulsets")}},
    "horizontalpodautoscalers.autoscaling": {
        "spec": {
            "maxReplicas": 1,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "each-statefulsets"},
        }
    },
    "cronjobs.batch": {
        "spec": {
            "schedule": "0 0 1 1 *",
            "jobTemplate": {"spec": {"template": {"spec": {**_POD, "restartPolicy": "Never"}}}},
        }
    },
    "jobs.batch": {"spec": {"template": {"spec": {**_POD, "restartPolicy": "Never"}}}},
    "ingresses.networking.k8s.io": {"spec": {"defaultBackend": {"service": {"name": "each", "port": {"number": 80}}}}},
    "networkpolicies.networking.k8s.io": {"spec": {"podSelector": {}}},
    "poddisruptionbudgets.policy": {"spec": {"minAvailable": 0, "selector": {"matchLabels": {"app": "no"}}}},
    "roles.rbac.authorization.k8s.io": {
        # More than KubeFed holds itself, which takes the right to escalate.
        "rules": [{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}]
    },
    "rolebindings.rbac.authorization.k8s.io": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "each-roles"},
        "subjects": [{"kind": "ServiceAccount", "name": "each-serviceaccounts", "namespace": "wide"}],
    },
    "clusterroles.rbac.authorization.k8s.io": {
        "rules": [{"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]}]
    },
    "clusterrolebindings.rbac.authorization.k8s.io": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "each-clusterroles"},
        "subjects": [{"kind": "ServiceAccount", "name": "each-serviceaccounts", "namespace": "wide"}],
    },
    "priorityclasses.scheduling.k8s.io": {"value": 7},
}


class Holder:
    """Who holds a token, at one API server."""

    def __init__(self, endpoint: str, authority: str, token: str) -> None:
        self._pool, self._endpoint = urllib3.PoolManager(ca_cert_data=authority), endpoint
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """The status and the answer."""
        content = json.dumps(body) if body is not None else None
        reply = self._pool.request(
            method, self._endpoint + path, body=content, headers={**self._headers, **headers}, retries=False
        )
        return reply.status, json.loads(reply.data)

    def status(self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> int:
        return self.ask(method, path, body, **headers)[0]

    def rights(self, namespace: str) -> set[tuple[str, str, str]]:
        """Everything that the API server lets it do in a namespace: group, resource, verb."""
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        status, answer = self.ask("POST", path, {**review, "spec": {"namespace": namespace}})
        assert status == 201, answer
        assert not answer["status"]["incomplete"]
        return {
            (group, resource, verb)
            for rule in answer["status"]["resourceRules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            # Everybody may ask who they are.
            if group not in ("authorization.k8s.io", "authentication.k8s.io")
        }


def registration(project: Project, name: str) -> dict[str, Any]:
    members = project.objects("training", f"kubefedclusters -n {SYSTEM}")
    (found,) = [each["spec"] for each in members if each["metadata"]["name"] == name]
    return found


def member(project: Project, name: str) -> Holder:
    """KubeFed in a member, by the very token that the controller uses."""
    spec = registration(project, name)
    (secret,) = project.objects("training", f"secret -n {SYSTEM} --field-selector metadata.name={name}-credentials")
    token = base64.b64decode(secret["data"]["token"]).decode()
    return Holder(spec["apiEndpoint"], base64.b64decode(spec["caBundle"]).decode(), token)


@pytest.fixture(scope="module")
def serving(project: Project) -> Holder:
    return member(project, "serving")


@pytest.fixture(scope="module")
def controller(project: Project) -> Holder:
    """The controller on the host, by the token that its pod has."""
    spec = registration(project, "training")
    token = next(iter((project.folder / ".local" / "agent").rglob("token"))).read_text()
    return Holder(spec["apiEndpoint"], base64.b64decode(spec["caBundle"]).decode(), token)


def _rule(verb: str, resource: str) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": [resource], "verbs": [verb]}


def _role(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "rules": [_rule("get", "secrets")]}


# What neither account may do, in any cluster: method, path and body.
FORBIDDEN: Mapping[str, tuple[str, str, dict[str, Any] | None]] = {
    "create a ClusterRole": ("POST", f"{_RBAC}/clusterroles", _role("mine")),
    "bind cluster-admin to itself": (
        "POST",
        f"{_RBAC}/clusterrolebindings",
        {
            "metadata": {"name": "mine"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": "me"}],
        },
    ),
    "widen its own role": (
        "PATCH",
        f"{_RBAC}/clusterroles/kubefed-controller-manager:serving-training",
        {"rules": [_rule("*", "*")]},
    ),
    "widen the controller's role": ("PATCH", f"{_RBAC}/clusterroles/{CONTROLLER}", {"rules": [_rule("*", "*")]}),
    "create a Role": ("POST", f"{_RBAC}/namespaces/ai/roles", _role("mine")),
    "exec into a pod": ("POST", "/api/v1/namespaces/ai/pods/any/exec?command=sh&stdout=true", None),
    "read a pod's log": ("GET", "/api/v1/namespaces/ai/pods/any/log", None),
    "create a pod": ("POST", "/api/v1/namespaces/kube-system/pods", {"metadata": {"name": "mine"}, "spec": _POD}),
    "delete a pod": ("DELETE", "/api/v1/namespaces/ai/pods/any", None),
    "reach through a node": ("GET", "/api/v1/nodes/any/proxy/metrics", None),
    "change a node": ("PATCH", "/api/v1/nodes/any", {"spec": {"unschedulable": True}}),
    "make itself a token of another account": (
        "POST",
        "/api/v1/namespaces/kube-system/serviceaccounts/default/token",
        {"spec": {}},
    ),
    "delete a whole collection": ("DELETE", "/apis/apps/v1/namespaces/ai/deployments", None),
    "create a webhook": (
        "POST",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        {"metadata": {"name": "mine"}},
    ),
    "approve a certificate": (
        "PATCH",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests/any/approval",
        {"status": {}},
    ),
    "define a type": (
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        {"metadata": {"name": "things.example.com"}},
    ),
    "read metrics": ("GET", "/metrics", None),
}
# And what the controller may not do beside it, though members' accounts may.
HOST_FORBIDDEN: Mapping[str, tuple[str, str, dict[str, Any] | None]] = {
    "read a secret of the system": ("GET", "/api/v1/namespaces/kube-system/secrets", None),
    "list its own namespace's secrets": ("GET", f"/api/v1/namespaces/{SYSTEM}/secrets", None),
    "read a workload's secret": ("GET", "/api/v1/namespaces/ai/secrets/any", None),
    "create a namespace": ("POST", "/api/v1/namespaces", {"metadata": {"name": "mine"}}),
    "create a Deployment": ("POST", "/apis/apps/v1/namespaces/ai/deployments", {"metadata": {"name": "mine"}}),
    "register a member": (
        "POST",
        f"/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM}/kubefedclusters",
        {"metadata": {"name": "mine"}},
    ),
    "unregister a member": (
        "DELETE",
        f"/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM}/kubefedclusters/any",
        None,
    ),
    "federate something": (
        "POST",
        "/apis/types.kubefed.io/v1beta1/namespaces/ai/federateddeployments",
        {"metadata": {"name": "mine"}},
    ),
    "stop what is federated": (
        "DELETE",
        "/apis/types.kubefed.io/v1beta1/namespaces/ai/federateddeployments/any",
        None,
    ),
}


def _tried(holder: Holder, attempt: tuple[str, str, dict[str, Any] | None]) -> tuple[int, str]:
    method, path, body = attempt
    content = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
    status, answer = holder.ask(method, path, body, **content)
    return status, answer.get("message", "")


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_a_members_account_may_not(attempt: str, serving: Holder) -> None:
    status, message = _tried(serving, FORBIDDEN[attempt])
    assert status == 403, message
    assert f"system:serviceaccount:{SYSTEM}:serving-training" in message


@pytest.mark.parametrize("attempt", [*FORBIDDEN, *HOST_FORBIDDEN])
def test_the_controllers_account_may_not(attempt: str, controller: Holder) -> None:
    status, message = _tried(controller, {**FORBIDDEN, **HOST_FORBIDDEN}[attempt])
    assert status == 403, message
    assert f"system:serviceaccount:{SYSTEM}:{CONTROLLER}" in message


@pytest.mark.parametrize("who", ["system:admin", "system:serviceaccount:kube-system:default", "somebody"])
def test_no_account_may_be_somebody_else(who: str, serving: Holder, controller: Holder) -> None:
    for holder in (serving, controller):
        status, answer = holder.ask("GET", "/api/v1/namespaces", None, **{"Impersonate-User": who})
        assert status == 403
        assert "impersonate" in answer["message"]


def test_a_members_account_may_do_what_its_types_need_and_nothing_else(project: Project) -> None:
    # Policies, for the local stack lets nothing through by default.
    types = [BUILT_IN[name] for name in [*DEFAULT_TYPES, POLICIES.config_name]]
    for name in ("training", "serving", "serving-asia"):
        for namespace in ("kube-system", "ai"):
            assert member(project, name).rights(namespace) == _rights_of(types)


def _rights_of(types: list[Any]) -> set[tuple[str, str, str]]:
    read = {"get", "list", "watch"}
    rights = {(target.group, target.plural, verb) for target in [NAMESPACES, *types] for verb in read}
    rights |= {(target.group, target.plural, verb) for target in [NAMESPACES, *types] for verb in _WRITE}
    return rights | {("", resource, verb) for resource in ("pods", "nodes") for verb in read}


_WRITE = {"create", "update", "patch", "delete"}


@pytest.fixture(scope="module")
def wide(project: Project) -> Iterator[Project]:
    """The stack with every type but secrets enabled, and an object of each type federated to one member."""
    settings = project.settings()
    good = copy.deepcopy(settings)
    config = settings["config"]
    config["geo-federation:federation"]["types"] = [target.config_name for target in NARROW if target != NAMESPACES]
    config["geo-federation:workloads"]["wide"] = {
        "manifests": "workloads/wide.yaml",
        "namespace": "wide",
        "placement": {"policy": "clusters", "clusters": ["serving"]},
        # It is removed in the end, with the StatefulSet and the claim.
        "delete_data": True,
    }
    objects = [
        {"apiVersion": target.api_version, "kind": target.kind, "metadata": {"name": _name(name)}, **body}
        for name, body in BODIES.items()
        for target in [BUILT_IN[name]]
    ]
    (project.folder / "workloads" / "wide.yaml").write_text(yaml.safe_dump_all(objects))
    project.write_settings(settings)
    try:
        project.shell("pulumi up --yes --skip-preview").ok()
        yield project
    finally:
        project.write_settings(good)
        project.shell("pulumi up --yes --skip-preview").ok()
        (project.folder / "workloads" / "wide.yaml").unlink()


def test_every_type_is_tried() -> None:
    assert set(BODIES) == {target.config_name for target in NARROW if target != NAMESPACES}


@pytest.mark.parametrize("name", BODIES)
def test_every_type_can_be_federated(name: str, wide: Project) -> None:
    found = [each["metadata"]["name"] for each in wide.objects("serving", f"{name} -n wide")]
    assert _name(name) in found


def _name(type_name: str) -> str:
    return f"each-{type_name.partition('.')[0]}"


def test_secrets_are_out_of_reach_where_they_are_not_federated(wide: Project) -> None:
    serving = member(wide, "serving")
    for path in ("/api/v1/secrets", "/api/v1/namespaces/kube-system/secrets", f"/api/v1/namespaces/{SYSTEM}/secrets"):
        status, answer = serving.ask("GET", path)
        assert status == 403
        assert 'cannot list resource "secrets"' in answer["message"]
    assert not [right for right in serving.rights("kube-system") if right[1] == "secrets"]
    assert "secrets" not in json.dumps([dict(rule) for rule in [*member_rules(), *member_type_rules(NARROW)]])


# The controller's pods.


def _looser() -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
    def inside(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
        return lambda spec: spec["containers"][0]["securityContext"].__setitem__(key, value)

    yield (
        "privileged",
        lambda spec: spec["containers"][0]["securityContext"].update(privileged=True, allowPrivilegeEscalation=True),
    )
    yield "with a capability more", inside("capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]})
    yield "with all capabilities", inside("capabilities", {})
    yield "that can gain rights", inside("allowPrivilegeEscalation", True)
    yield "as root", inside("runAsUser", 0)
    yield "that may be root", lambda spec: spec["securityContext"].pop("runAsNonRoot")
    yield "without a filter of system calls", lambda spec: spec["securityContext"].pop("seccompProfile")
    yield "in the node's network", lambda spec: spec.__setitem__("hostNetwork", True)
    yield (
        "with the node's files",
        lambda spec: spec.__setitem__("volumes", [{"name": "root", "hostPath": {"path": "/"}}]),
    )


LOOSER = dict(_looser())


def _pod_of(project: Project) -> dict[str, Any]:
    (deployment,) = project.objects("training", f"deployments -n {SYSTEM}")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "trial", "namespace": SYSTEM},
        "spec": deployment["spec"]["template"]["spec"],
    }


def test_the_controllers_pods_are_restricted(project: Project) -> None:
    (project.folder / "trial.yaml").write_text(yaml.safe_dump(_pod_of(project)))
    done = project.kubectl("training", "create --dry-run=server -f trial.yaml")
    assert "pod/trial created" in done.ok().output
    container = _pod_of(project)["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("looser", LOOSER)
def test_no_looser_pod_is_taken_beside_them(looser: str, project: Project) -> None:
    pod = _pod_of(project)
    LOOSER[looser](pod["spec"])
    (project.folder / "trial.yaml").write_text(yaml.safe_dump(pod))
    done = project.kubectl("training", "create --dry-run=server -f trial.yaml")
    assert done.code != 0
    assert 'violates PodSecurity "restricted' in done.output


def _controllers(project: Project) -> list[dict[str, Any]]:
    return project.objects("training", f"pods -n {SYSTEM} -l kubefed-control-plane=controller-manager")


def _evict(project: Project, pods: list[str]) -> list[str]:
    """Evicts pods in quick succession; what is said of each."""
    commands: list[str] = []
    for pod in pods:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": SYSTEM}}
        (project.folder / f"{pod}.json").write_text(json.dumps(body))
        path = f"/api/v1/namespaces/{SYSTEM}/pods/{pod}/eviction"
        commands.append(f"(kubectl --context training create --raw {path} -f {pod}.json || true)")
    return project.shell("; echo; ".join(commands)).ok().output.strip().splitlines()


def test_one_controller_stays_when_nodes_are_drained(project: Project) -> None:
    def check_ready() -> list[str]:
        (budget,) = project.objects("training", f"poddisruptionbudgets -n {SYSTEM}")
        assert budget["status"]["disruptionsAllowed"] == 1
        pods = _controllers(project)
        assert len(pods) == 2
        return [pod["metadata"]["name"] for pod in pods]

    pods = eventually(check_ready, seconds=30)
    said = "\n".join(_evict(project, pods))
    assert said.count('"status":"Success"') == 1, said
    assert "Cannot evict pod as it would violate the pod's disruption budget" in said
    assert len(set(pods) & set(eventually(check_ready, seconds=30))) == 1


def test_the_controllers_stand_on_nodes_of_their_own_where_there_are_two(project: Project) -> None:
    nodes = {each["metadata"]["name"] for each in project.objects("training", "nodes") if not _kept(each)}
    used = {pod["spec"]["nodeName"] for pod in _controllers(project)}
    assert len(used) == min(2, len(nodes))


def _kept(node: Mapping[str, Any]) -> bool:
    return any(taint["effect"] == "NoSchedule" for taint in node["spec"].get("taints", []))
