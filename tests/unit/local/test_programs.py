"""What runs in place of a container: its program, words, files and ports."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local.operators import KNOWN
from local.programs import PROGRAMS, command, config_file, filled, merged, program_of, relocated

JOBSET = "registry.k8s.io/jobset/jobset"


@pytest.mark.parametrize("suffix", ["", ":v0.10.1", "@sha256:0123", ":v0.10.1@sha256:0123"])
def test_a_program_is_found_by_its_images_repository(suffix: str) -> None:
    assert program_of(JOBSET + suffix) == PROGRAMS[JOBSET]


@pytest.mark.parametrize("image", ["nginx", "localhost:5000/jobset", "registry.k8s.io/jobset/jobset-other:v1"])
def test_other_images_have_none(image: str) -> None:
    assert program_of(image) is None


def test_every_operator_that_can_be_built_has_a_program() -> None:
    assert [name for name, each in KNOWN.items() if program_of(each.image) is None] == []


def test_a_program_listens_on_the_ports_of_this_machine() -> None:
    program = PROGRAMS[JOBSET]
    assert program.ports == [8081, 8443, 9443]
    config = filled(program.config, {8081: 1, 8443: 2, 9443: 3})
    assert config["health"] == {"healthProbeBindAddress": "127.0.0.1:1"}
    assert config["webhook"]["port"] == 3
    assert config["webhook"]["host"] == "127.0.0.1"


def test_a_command_has_its_own_arguments_paths_and_ports() -> None:
    container: dict[str, Any] = {"command": ["/hyperfed/controller-manager"], "args": ["--a=/etc/a/b.yaml", "--n=1"]}
    kubefed = PROGRAMS["quay.io/kubernetes-multicluster/kubefed"]
    words = command(kubefed, container, {8080: 1, 9090: 2}, {"/etc/a": Path("/pod/etc/a")})
    assert words == [
        "controller-manager",
        "--a=/pod/etc/a/b.yaml",
        "--n=1",
        "--healthz-addr=127.0.0.1:1",
        "--metrics-addr=127.0.0.1:2",
    ]


def test_an_image_may_have_the_command() -> None:
    trainer = PROGRAMS["ghcr.io/kubeflow/trainer/trainer-controller-manager"]
    assert command(trainer, {}, {8081: 1, 9443: 2}, {}) == [
        "trainer-controller-manager",
        "--health-probe-bind-address=127.0.0.1:1",
        "--webhook-server-port=2",
    ]


def test_the_last_config_is_the_one_that_is_read() -> None:
    assert config_file(["a", "--config=/b", "--configs=/c", "--config=/d"]) == Path("/d")
    assert config_file(["a"]) is None


def test_a_configuration_is_merged_field_by_field() -> None:
    below = {"webhook": {"port": 9443, "other": 1}, "list": [1], "kept": True}
    above = {"webhook": {"port": 1, "host": "h"}, "list": [2]}
    assert merged(below, above) == {"webhook": {"port": 1, "other": 1, "host": "h"}, "list": [2], "kept": True}
    assert merged(None, above) == above


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--config=/etc/a", "--config=/r/etc/a"),
        ("certDir: /etc/a/certs", "certDir: /r/deeper"),
        ("certDir: /etc/a/certs/x", "certDir: /r/deeper/x"),
        ("/etc/a.yaml /etc/ab /x/etc/a", "/etc/a.yaml /etc/ab /x/etc/a"),
        ('{"dir": "/etc/a"}', '{"dir": "/r/etc/a"}'),
    ],
)
def test_paths_of_mounts_are_paths_of_this_machine(text: str, expected: str) -> None:
    mounts = {"/etc/a": Path("/r/etc/a"), "/etc/a/certs": Path("/r/deeper")}
    assert relocated(text, mounts) == expected
    assert relocated(text, {}) == text


def test_a_path_is_replaced_once() -> None:
    # The pod's own folder may be below a path that is mounted.
    assert relocated("/tmp/a", {"/tmp/a": Path("/tmp/a/pod/tmp/a")}) == "/tmp/a/pod/tmp/a"
    assert yaml.safe_load(relocated("a: /tmp/a", {"/tmp/a": Path("/x")})) == {"a": "/x"}
