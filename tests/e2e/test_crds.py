"""KubeFed's CRDs as this project writes them, held in a real API server against KubeFed v0.10.0 itself."""

import copy
import os
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from federation.config import kubefed_config
from federation.crds import core_crds, federated_crd
from local.api import Api, ApiError
from local.control_plane import ControlPlane
from placement.api.kinds import BUILT_IN
from tests.e2e.upstream import changes, kubefed
from tests.e2e.upstream.kubefed import Body, Call, Question

pytestmark = pytest.mark.timeout(600)

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_COMPLETE: dict[str, Body] = {
    each["kind"]: each
    for each in yaml.safe_load_all((Path(__file__).parent / "upstream" / "complete.yaml").read_text())
}
_OURS = {each["spec"]["names"]["kind"]: each for each in core_crds()}
_FEDERATED_DEPLOYMENT = federated_crd(BUILT_IN["deployments.apps"])
# The kinds of KubeFed's examples that no CRD defines, since Kubernetes has them built in.
_PLAIN = {"ConfigMap", "Deployment", "Namespace", "Service"}


@dataclass
class Definitions:
    """The CRDs of one side in the API server, with a namespace for what has to be there to be changed."""

    api: Api
    bodies: Mapping[str, Body]
    namespace: str
    _kept: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict[tuple[str, str], dict[str, Any]])

    def path(self, kind: str, namespace: str) -> str:
        spec = self.bodies[kind]["spec"]
        scope = f"/namespaces/{namespace}" if spec["scope"] == "Namespaced" else ""
        return f"/apis/{spec['group']}/{spec['versions'][0]['name']}{scope}/{spec['names']['plural']}"

    def keep(self, body: Body) -> dict[str, Any]:
        """Creates an object for good; one that is there already is returned as it is."""
        kind, name = body["kind"], body["metadata"]["name"]
        if (kind, name) not in self._kept:
            self._kept[kind, name] = self.api.create(self.path(kind, self.namespace), self._own(body, self.namespace))
        return self._kept[kind, name]

    def refusal(self, asked: Question) -> str | None:
        """What the API server says against the object, or None where it takes it; nothing is stored."""
        try:
            if asked.status:
                kept = self.keep(_COMPLETE[asked.body["kind"]])
                self._replace(kept | {"status": asked.body["status"]}, "/status", dryRun="All")
            elif asked.old is not None:
                self._replace(self.keep(asked.old) | {"spec": asked.body.get("spec")}, "", dryRun="All")
            else:
                body = self._own(asked.body, "default")
                self.api.create(self.path(body["kind"], "default"), body, dryRun="All")
        except ApiError as error:
            if error.status != 422:
                raise
            return str(error)
        return None

    def store(self, body: Body) -> dict[str, Any]:
        """Creates an object, sets its status, and returns it as it is then read."""
        kept = self.keep(body)
        if "status" in body and "subresources" in self.bodies[body["kind"]]["spec"]["versions"][0]:
            self._replace(kept | {"status": body["status"]}, "/status")
        return self.api.get(f"{self.path(body['kind'], self.namespace)}/{body['metadata']['name']}")

    def _replace(self, body: dict[str, Any], below: str, **parameters: str) -> dict[str, Any]:
        path = f"{self.path(body['kind'], self.namespace)}/{body['metadata']['name']}{below}"
        return self.api.replace(path, body, **parameters)

    def _own(self, body: Body, namespace: str) -> dict[str, Any]:
        spec = self.bodies[body["kind"]]["spec"]
        own = {"namespace": namespace} if spec["scope"] == "Namespaced" else {}
        names = {key: value for key, value in body["metadata"].items() if key != "namespace"}
        return {**body, "apiVersion": f"{spec['group']}/{spec['versions'][0]['name']}", "metadata": names | own}


@pytest.fixture(scope="module")
def api(api_server: ControlPlane) -> Api:
    return Api(api_server)


@pytest.fixture(scope="module")
def namespace(api: Api) -> Generator[str]:
    name = f"crds-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="module")
def ours(api: Api, namespace: str) -> Generator[Definitions]:
    """This project's CRDs, those that federate the types of KubeFed's examples among them."""
    federated = [federated_crd(target) for target in BUILT_IN.values()]
    with_all = {each["spec"]["names"]["kind"]: each for each in (*core_crds(), *federated)}
    yield from _install(Definitions(api, with_all, namespace))


@pytest.fixture(scope="module")
def theirs(api: Api, namespace: str) -> Generator[Definitions]:
    """KubeFed's own CRDs, in a group of another name so that both are there."""
    renamed: dict[str, Body] = {}
    for name in ("kubefedclusters", "federatedtypeconfigs", "kubefedconfigs"):
        body = cast(dict[str, Any], copy.deepcopy(kubefed.definitions()[f"{name}.core.kubefed.io"]))
        body["metadata"] = {"name": f"{name}.core.upstream.test"}
        body["spec"]["group"] = "core.upstream.test"
        renamed[body["spec"]["names"]["kind"]] = body
    yield from _install(Definitions(api, renamed, namespace))


@pytest.fixture(scope="module")
def fuzz() -> list[Question]:
    return _fuzzed(_SEED)


@pytest.fixture(scope="module")
def said(fuzz: list[Question], tmp_path_factory: pytest.TempPathFactory) -> kubefed.Said:
    """What KubeFed's tests try and what its validators say, and these of the questions below."""
    return kubefed.ask([*QUESTIONS, *fuzz, _example_config(), _own_config()], tmp_path_factory.mktemp("kubefed"))


@pytest.fixture(scope="module")
def refusals(ours: Definitions) -> list[str | None]:
    """What the API server says to each question."""
    return [ours.refusal(asked) for asked in QUESTIONS]


def _install(definitions: Definitions) -> Generator[Definitions]:
    api = definitions.api
    for body in definitions.bodies.values():
        api.create(_CRDS, body)
    for kind in definitions.bodies:
        _wait(lambda kind=kind: api.get(definitions.path(kind, "default"), limit="1"))
    yield definitions
    # Their objects go with them.
    for body in definitions.bodies.values():
        api.delete(f"{_CRDS}/{body['metadata']['name']}")


def _wait(served: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            served()
            return
        except ApiError as error:
            # A new type is not served at once.
            if error.status != 404 or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _questions() -> Iterator[Question]:
    """Every change of one place in a complete object, and what is easily got wrong."""
    cluster, types, config = (_COMPLETE[kind] for kind in ("KubeFedCluster", "FederatedTypeConfig", "KubeFedConfig"))
    # Go reads no bytes from an empty list; here a list is no text.
    excepted: dict[str, Any] = {**cluster["spec"], "caBundle": []}
    for body in (*changes.changes(cluster, "spec"), *changes.changes(types, "spec")):
        if body.get("spec") != excepted:
            yield Question(body)
    for body in (*changes.changes(cluster, "status"), *changes.changes(types, "status")):
        yield Question(body, status=True)
    # An update, since at creation KubeFed would fill in what is left out.
    for body in changes.changes(config, "spec"):
        yield Question(body, old=config)
    for body in changes.hard_cases(cluster, config):
        yield Question(body, old=config if body["kind"] == "KubeFedConfig" else None)
    for body in changes.created(types, config):
        yield Question(body)


QUESTIONS = list(_questions())


def _fuzzed(seed: int) -> list[Question]:
    """Many objects that differ from a valid one in several places, by anything at all."""
    cluster, types, config = (_COMPLETE[kind] for kind in ("KubeFedCluster", "FederatedTypeConfig", "KubeFedConfig"))
    asked: list[Question] = []

    def collect(strategy: st.SearchStrategy[dict[str, Any]], status: bool = False, old: Body | None = None) -> None:
        @hypothesis.seed(seed)
        @hypothesis.settings(max_examples=_EACH, database=None, deadline=None, phases=[hypothesis.Phase.generate])
        @hypothesis.given(strategy)
        def take(body: dict[str, Any]) -> None:
            asked.append(Question(body, status=status, old=old))

        take()

    for body in (cluster, types):
        collect(changes.fuzzed(body, "spec"))
        collect(changes.fuzzed(body, "status"), status=True)
    # As above: an update, since at creation KubeFed would fill in what is left out.
    collect(changes.fuzzed(config, "spec"), old=config)
    return asked


_EACH = 160
FUZZED = 5 * _EACH
_SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))


def _example_config() -> Question:
    return Question(kubefed.examples()["config/kubefedconfig.yaml"])


def _own_config() -> Question:
    return Question({**_COMPLETE["KubeFedConfig"], "spec": kubefed_config()})


def _case(call: Call) -> tuple[Question, str]:
    """A call of a validator as a request to the API server, and the field that its argument is put into."""
    cluster, types = _COMPLETE["KubeFedCluster"], _COMPLETE["FederatedTypeConfig"]
    value = call.arguments[0]
    match call.function:
        case "ValidateKubeFedCluster" | "ValidateFederatedTypeConfig":
            kind = call.function.removeprefix("Validate")
            return Question({**value, "kind": kind}, status=call.arguments[1]), ""
        case "ValidateKubeFedConfig":
            return Question({**value, "kind": "KubeFedConfig"}, old={**call.arguments[1], "kind": "KubeFedConfig"}), ""
        case "ValidateFederatedTypeConfigName":
            return Question({**value, "kind": "FederatedTypeConfig"}), "metadata."
        case "ValidateFederatedTypeConfigSpec":
            target = value["targetType"]
            name = ".".join(filter(None, (target["pluralName"], target.get("group"))))
            return Question({**types, "metadata": {"name": name}, "spec": value}), ""
        case "ValidateFederatedTypeConfigStatus":
            return Question({**types, "status": value}, status=True), ""
        case "ValidateAPIResource":
            return Question({**types, "spec": {**types["spec"], "federatedType": value}}), "spec.federatedType"
        case "validateClusterCondition":
            return Question({**cluster, "status": {"conditions": [value]}}, status=True), "status."
        case (
            "validateAPIEndpoint"
            | "validateProxyURL"
            | "validateLocalSecretReference"
            | "validateDisabledTLSValidations"
        ):
            return Question({**cluster, "spec": {**cluster["spec"], call.arguments[1]: value}}), "spec."
        case _:
            raise AssertionError(f"KubeFed's tests call {call.function}, which no case is made of")


def _plain(path: str) -> str:
    return re.sub(r"\[\d+\]|\.(?=\.)", "", path)


def _names(refusal: str, path: str) -> bool:
    """Whether a refusal is about a field, or about the list that the field's object is in."""
    named = {_plain(each) for each in re.findall(r"((?:metadata|spec|status)[\w.\[\]]*|<nil>): ", refusal)}
    return any(_plain(path) == each or (each.count(".") > 0 and path.startswith(f"{each}.")) for each in named)


def test_verdicts_on_all_that_kubefeds_own_tests_try(said: kubefed.Said, ours: Definitions) -> None:
    wrong: list[str] = []
    for call in said.calls:
        asked, prefix = _case(call)
        refusal = ours.refusal(asked)
        fields = [_plain(prefix + each.field) for each in call.problems]
        if bool(refusal) != bool(call.problems):
            wrong.append(f"{call.function}{call.arguments}: KubeFed {call.problems}, here {refusal}")
        elif refusal and not any(_names(refusal, each) for each in fields):
            wrong.append(f"{call.function}{call.arguments}: KubeFed refuses {fields}, here {refusal}")
    assert not wrong, "\n".join(wrong)
    tried = Counter(bool(call.problems) for call in said.calls)
    assert (tried[False], tried[True]) == (181, 85)


def test_verdicts_on_objects_changed_in_one_place(
    said: kubefed.Said, theirs: Definitions, refusals: list[str | None]
) -> None:
    """KubeFed's verdict is that of its CRDs' schemas and of its webhook together."""
    wrong: list[str] = []
    tried = Counter[bool]()
    for asked, answer, refusal in zip(QUESTIONS, said.answers[: len(QUESTIONS)], refusals, strict=True):
        reasons = [theirs.refusal(asked), *(each.text for each in answer.problems)]
        tried[any(reasons)] += 1
        if bool(refusal) != any(reasons):
            wrong.append(f"{asked}:\n  KubeFed {reasons}\n  here {refusal}")
    assert not wrong, f"{len(wrong)} of {tried.total()}\n" + "\n".join(wrong)
    assert min(tried.values()) > 200, tried


def test_nothing_fuzzed_gets_in_that_kubefed_refuses(
    fuzz: list[Question], said: kubefed.Said, theirs: Definitions, ours: Definitions
) -> None:
    print(f"FUZZ_SEED={_SEED}")
    wrong: list[str] = []
    tried = Counter[bool]()
    for asked, answer in zip(fuzz, said.answers[len(QUESTIONS) : -2], strict=True):
        reasons = [reason for reason in (theirs.refusal(asked), *(each.text for each in answer.problems)) if reason]
        refusal = ours.refusal(asked)
        tried[bool(reasons)] += 1
        if reasons and refusal is None:
            wrong.append(f"{asked}:\n  KubeFed {reasons}\n  here it is taken")
        assert refusal is None or refusal.partition(": ")[2], f"{asked} is refused without a reason"
    assert not wrong, f"FUZZ_SEED={_SEED}: {len(wrong)} of {tried.total()}\n" + "\n".join(wrong)
    assert tried[True] >= 500, tried


def test_refusals_say_what_to_write(refusals: list[str | None]) -> None:
    assert [each for each in refusals if each and re.search(r"should match '|failed rule", each)] == []


def test_examples_are_accepted(said: kubefed.Said, ours: Definitions) -> None:
    examples = kubefed.examples()
    config = said.answers[-2].defaulted
    assert config
    whole = {
        file: config if each["kind"] == "KubeFedConfig" else each
        for file, each in examples.items()
        if each["kind"] not in _PLAIN
    }
    # By file, since examples of two kinds have one name.
    refused = {file: refusal for file, each in whole.items() if (refusal := ours.refusal(Question(each)))}
    assert not refused, "\n".join(f"{file}: {whole[file]}\n  here {refusal}" for file, refusal in refused.items())
    assert Counter(each["apiVersion"].split("/")[0] for each in whole.values()) == {
        "core.kubefed.io": 1,
        "scheduling.kubefed.io": 1,
        "types.kubefed.io": 10,
    }
    assert {each["kind"] for file, each in examples.items() if file not in whole} == _PLAIN


def test_a_config_that_is_not_whole_is_told_what_it_lacks(ours: Definitions) -> None:
    refusal = ours.refusal(_example_config())
    assert refusal
    lacking = ("controllerDuration.cacheSyncTimeout", "clusterHealthCheck", "syncController", "statusController")
    assert all(f"spec.{each}: Required value" in refusal for each in lacking)


def test_this_projects_config_is_whole(said: kubefed.Said, ours: Definitions) -> None:
    """KubeFed's webhook would add nothing to it."""
    answer = said.answers[-1]
    assert not answer.problems
    assert answer.defaulted
    assert _times(answer.defaulted["spec"]) == _times(kubefed_config())
    assert ours.refusal(_own_config()) is None


def _times(spec: Body) -> str:
    """Go writes a minute as 1m0s."""
    text = yaml.safe_dump(dict(spec), sort_keys=True)
    return re.sub(r"\b(\d+)m0s", lambda match: f"{int(match[1]) * 60}s" if int(match[1]) < 5 else f"{match[1]}m", text)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("KubeFedCluster", {"conditions": None}),
        ("FederatedTypeConfig", {"observedGeneration": 0, "propagationController": ""}),
    ],
)
def test_an_unset_status_is_accepted(kind: str, status: Body, ours: Definitions) -> None:
    """KubeFed's own clients send one with every object that they create or put a finalizer on."""
    body = {**_COMPLETE[kind], "status": status}
    assert ours.refusal(Question(body)) is None
    assert (
        ours.refusal(Question({**body, "metadata": ours.keep(_COMPLETE[kind])["metadata"]}, old=_COMPLETE[kind]))
        is None
    )


@pytest.mark.parametrize("kind", _COMPLETE)
def test_nothing_that_kubefed_keeps_is_lost(kind: str, said: kubefed.Said, ours: Definitions) -> None:
    complete = _COMPLETE[kind]
    if kind == "FederatedDeployment":
        schema = said.federated_schema
    else:
        schema = kubefed.definitions()[ours.bodies[kind]["metadata"]["name"]]["spec"]["versions"][0]["schema"][
            "openAPIV3Schema"
        ]
    assert list(_lacking(schema, complete, kind)) == []
    stored = ours.store(complete)
    assert {key: stored.get(key) for key in complete if key != "metadata"} == {
        key: value for key, value in complete.items() if key != "metadata"
    }


def _lacking(schema: Body, value: Any, path: str) -> Iterator[str]:
    """The properties of a schema that an object does not have."""
    for name, inner in schema.get("properties", {}).items():
        if name == "metadata" or inner.get("x-kubernetes-preserve-unknown-fields"):
            continue
        if name not in value:
            yield f"{path}.{name}"
        else:
            yield from _lacking(inner, value[name], f"{path}.{name}")
    if items := schema.get("items"):
        yield from _lacking(items, value[0], f"{path}[0]")
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from _lacking(cast(Body, more), next(iter(value.values())), f"{path}.*")


@pytest.mark.parametrize("kind", _OURS)
def test_definitions_are_known_by_kubefeds_names(kind: str) -> None:
    def known(body: Body) -> list[Any]:
        spec = body["spec"]
        return [
            spec["group"],
            spec["scope"],
            spec["names"],
            [
                [
                    each["name"],
                    each["served"],
                    each["storage"],
                    each.get("subresources"),
                    each.get("additionalPrinterColumns"),
                ]
                for each in spec["versions"]
            ],
        ]

    name = _OURS[kind]["metadata"]["name"]
    assert known(_OURS[kind]) == known(kubefed.definitions()[name])
    assert len(_OURS) == len(kubefed.definitions())


def test_the_federated_shape_is_kubefedctls(said: kubefed.Said) -> None:
    upstream = cast(dict[str, Any], copy.deepcopy(said.federated_schema))
    for name in ("apiVersion", "kind", "metadata"):
        del upstream["properties"][name]
    schema = _FEDERATED_DEPLOYMENT["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    own = copy.deepcopy(schema)
    # An enum says the same as a pattern, and names the choices when it refuses.
    patches = [each["properties"]["spec"]["properties"]["overrides"]["items"]["properties"] for each in (own, upstream)]
    ops = [each["clusterOverrides"]["items"]["properties"].pop("op") for each in patches]
    assert _without_keys(own) == _without_keys(upstream)
    for op in ("add", "remove", "replace", "", "Add", "move"):
        assert (op in ops[0]["enum"]) == bool(re.fullmatch(ops[1]["pattern"], op))


def test_an_entry_of_a_placement_or_an_override_stands_once(ours: Definitions) -> None:
    # KubeFed's controller gives up on such an object; here it is never taken.
    patch, other = {"path": "/spec/replicas", "value": 1}, {"path": "/spec/paused", "value": True}
    once: dict[str, Any] = {
        "template": {},
        "placement": {"clusters": [{"name": "one"}, {"name": "two"}]},
        "overrides": [
            {"clusterName": "one", "clusterOverrides": [patch, other]},
            {"clusterName": "two", "clusterOverrides": [patch]},
        ],
    }
    assert ours.refusal(Question(_federated(once))) is None
    twice = [
        {"placement": {"clusters": [{"name": "one"}] * 2}},
        {"overrides": [{"clusterName": "one", "clusterOverrides": [each]} for each in (patch, other)]},
        {"overrides": [{"clusterName": "one", "clusterOverrides": [patch, patch]}]},
        {"overrides": [{"clusterOverrides": [patch]}]},
    ]
    for each in twice:
        refusal = ours.refusal(Question(_federated(once | each)))
        assert refusal and ("Duplicate value" in refusal or "clusterName: Required" in refusal), each


def test_an_object_is_not_placed_before_it_is_taken_in(ours: Definitions) -> None:
    moved: dict[str, Any] = {"template": {}, "placement": {"clusters": [], "clusterSelector": {}}}
    placed: dict[str, Any] = {"template": {}, "placement": {"clusters": [{"name": "one"}], "clusterSelector": {}}}
    new = _federated(moved, "new")
    refusal = ours.refusal(Question(_federated(placed, "new"), old=new))
    assert refusal and "place it once it has a status" in refusal
    # What its user changes is another matter, and so is an object that is made with its place.
    assert ours.refusal(Question(_federated(moved | {"template": {"metadata": {}}}, "new"), old=new)) is None
    assert ours.refusal(Question(_federated(placed))) is None

    taken_in = _federated(moved, "taken-in") | {"status": {"observedGeneration": 1}}
    ours.store(taken_in)
    path = f"{ours.path('FederatedDeployment', ours.namespace)}/taken-in"
    kept = ours.api.get(path)
    assert ours.api.replace(path, kept | {"spec": placed}, dryRun="All")["spec"]["placement"] == placed["placement"]


def _federated(spec: dict[str, Any], name: str = "api") -> dict[str, Any]:
    identity = {"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedDeployment"}
    return {**identity, "metadata": {"name": name}, "spec": spec}


def _without_keys(schema: dict[str, Any]) -> dict[str, Any]:
    """A federated type's schema as KubeFed has it: without unique keys of lists, and without rules."""
    stripped = copy.deepcopy(schema)
    stripped.pop("x-kubernetes-validations", None)
    spec = stripped["properties"]["spec"]["properties"]
    overrides = spec["overrides"]["items"]
    overrides.pop("required", None)
    for each in (
        spec["overrides"],
        overrides["properties"]["clusterOverrides"],
        spec["placement"]["properties"]["clusters"],
    ):
        for key in ("x-kubernetes-list-type", "x-kubernetes-list-map-keys"):
            each.pop(key, None)
    return stripped
