"""Kubeconfigs are those that gcloud would write."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from clusters.kubeconfig import kubeconfig


def test_it_leads_to_the_cluster_and_signs_in_through_the_plugin() -> None:
    config = yaml.safe_load(kubeconfig("training-1", "192.0.2.1", "Q0E="))
    assert (config["apiVersion"], config["kind"]) == ("v1", "Config")
    (cluster,), (context,), (user,) = config["clusters"], config["contexts"], config["users"]
    assert cluster["cluster"] == {"server": "https://192.0.2.1", "certificate-authority-data": "Q0E="}
    assert config["current-context"] == context["name"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    login = user["user"]["exec"]
    assert login["command"] == "gke-gcloud-auth-plugin"
    assert login["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert login["provideClusterInfo"] is True
    # client-go refuses a plugin that does not say so.
    assert login["interactiveMode"] in ("Never", "IfAvailable", "Always")


def test_a_name_that_gke_gave_is_certified_by_a_public_authority() -> None:
    config = yaml.safe_load(kubeconfig("training-1", "gke-0a1b-123.us-west1.gke.goog", "Q0E="))
    assert config["clusters"][0]["cluster"] == {"server": "https://gke-0a1b-123.us-west1.gke.goog"}


def test_it_holds_no_credential() -> None:
    (user,) = yaml.safe_load(kubeconfig("training-1", "192.0.2.1", "Q0E="))["users"]
    assert set(user["user"]) == {"exec"}


def test_a_port_stays() -> None:
    config = yaml.safe_load(kubeconfig("a", "127.0.0.1:6443", "Q0E="))
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1))
def test_a_name_that_reads_as_another_yaml_type_stays_text(name: str) -> None:
    config = yaml.safe_load(kubeconfig(name, "192.0.2.1", "Q0E="))
    assert config["current-context"] == name
    assert config["clusters"][0]["name"] == name


def test_names_that_yaml_would_take_for_something_else_stay_text() -> None:
    for name in ("no", "1e3", "null", "0x1f", "2026-01-01"):
        assert yaml.safe_load(kubeconfig(name, "192.0.2.1", "Q0E="))["current-context"] == name
