"""KubeFed v0.10.0's own validators, tests, schemas and examples, asked at test time; nothing of them is kept here."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from local.paths import PROJECT

_MODULE = "sigs.k8s.io/kubefed"
_VALIDATION = "pkg/apis/core/v1beta1/validation"
_ENABLE = "pkg/kubefedctl/enable"
_HERE = Path(__file__).parent
_VALIDATOR = re.compile(r"^func ([Vv]alidate\w+)\((.*)\) field\.ErrorList \{$", re.MULTILINE)

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """One error of a validator: the field as it names it, and its text."""

    field: str
    text: str


@dataclass(frozen=True)
class Call:
    """What one of KubeFed's tests passed to a validator, and the errors that came back: none when it is valid."""

    function: str
    arguments: Sequence[Any]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class Question:
    """An object as its admission webhook would see it; `old` is what it was before an update."""

    body: Body
    status: bool = False
    old: Body | None = None


@dataclass(frozen=True)
class Answer:
    """The errors of the webhook; `defaulted` is a KubeFedConfig with the defaults that it would fill in."""

    problems: Sequence[Problem]
    defaulted: Body | None


@dataclass(frozen=True)
class Said:
    """Everything that one run of KubeFed's tests gave."""

    calls: Sequence[Call]
    answers: Sequence[Answer]
    federated_schema: Body


def ask(questions: Iterable[Question], folder: Path) -> Said:
    """Runs KubeFed's tests of its validators, recording what they try, and asks the validators our questions too.

    They run in a copy of the module in `folder`, which otherwise has the dependencies that tools/kubefed pins.
    """
    copy, pins = folder / "kubefed", PROJECT / "tools" / "kubefed"
    _copy(source(), copy)
    validators = copy / _VALIDATION / "validation.go"
    validators.write_text(_recording(validators.read_text()))
    for added, package in (("record.go", _VALIDATION), ("oracle_test.go", _VALIDATION), ("schema_test.go", _ENABLE)):
        shutil.copyfile(_HERE / added, copy / package / added)
    (folder / "go.mod").write_text(f"{(pins / 'go.mod').read_text()}\nreplace {_MODULE} => {copy}\n")
    shutil.copyfile(pins / "go.sum", folder / "go.sum")
    files = {name: folder / name.lower() for name in ("QUESTIONS", "ANSWERS", "RECORDS", "SCHEMA")}
    files["QUESTIONS"].write_text("".join(f"{json.dumps(_asked(each))}\n" for each in questions))
    packages = [f"{_MODULE}/{_VALIDATION}", f"{_MODULE}/{_ENABLE}"]
    environment = {name: str(file) for name, file in files.items()}
    _go(environment, "test", "-count=1", "-vet=off", f"-modfile={folder / 'go.mod'}", *packages)
    return Said(
        [Call(each["Function"], each["Arguments"], _problems(each)) for each in _lines(files["RECORDS"])],
        [Answer(_problems(each), each.get("Defaulted")) for each in _lines(files["ANSWERS"])],
        json.loads(files["SCHEMA"].read_text()),
    )


def source() -> Path:
    """The folder of the module's source, of the version that tools/kubefed pins."""
    return Path(json.loads(_go({}, "mod", "download", "-json", _MODULE))["Dir"])


def examples() -> dict[str, Body]:
    """Every object of KubeFed's examples, by the file that it is in."""
    folder = source() / "example"
    return {str(file.relative_to(folder)): yaml.safe_load(file.read_text()) for file in sorted(folder.rglob("*.yaml"))}


def definitions() -> dict[str, Body]:
    """KubeFed's own CRDs, by name."""
    text = (source() / "charts/kubefed/charts/controllermanager/crds/crds.yaml").read_text()
    return {each["metadata"]["name"]: each for each in cast(Iterable[Body], yaml.safe_load_all(text)) if each}


def _recording(text: str) -> str:
    """The validators' source, with each of them recording its arguments and its errors."""

    def record(match: re.Match[str]) -> str:
        name, parameters = match.groups()
        arguments = ", ".join(each.split()[0] for each in parameters.split(", "))
        return f'func {name}({parameters}) (found field.ErrorList) {{\n\tdefer record("{name}", &found, {arguments})()'

    return _VALIDATOR.sub(record, text)


def _asked(question: Question) -> dict[str, Any]:
    body = {"Kind": question.body["kind"], "Object": question.body, "Status": question.status}
    return body | ({"Old": question.old} if question.old else {})


def _copy(module: Path, folder: Path) -> None:
    """Copies what the tests are built from; a module in Go's cache is read-only, its copy is not."""
    for file in (module / "go.mod", *(module / "pkg").rglob("*.go"), *(module / "test" / "common").rglob("*.go")):
        target = folder / file.relative_to(module)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _problems(each: Mapping[str, Any]) -> list[Problem]:
    return [Problem(error["Field"], error["Text"]) for error in each["Errors"]]


def _lines(file: Path) -> list[dict[str, Any]]:
    # Not splitlines, which ends a line at characters that JSON leaves as they are.
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def _go(variables: Mapping[str, str], *arguments: str) -> str:
    # As the tools are built, so that what is compiled already serves here too.
    flags = {"GOFLAGS": "-mod=readonly -buildvcs=false -trimpath", "GOWORK": "off", "CGO_ENABLED": "0"}
    done = subprocess.run(
        ["go", *arguments],
        cwd=PROJECT / "tools" / "kubefed",
        env={**os.environ, **flags, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"go {arguments[0]} failed:\n{done.stdout}{done.stderr}"
    return done.stdout
