"""A client of a cluster's API server, and what its answers say."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import yaml
from urllib3.exceptions import HTTPError, MaxRetryError


class NoAnswer(Exception):
    """A member does not answer; the message says which and why."""


def answered(body: str | bytes) -> dict[str, Any]:
    """The object in an API server's answer, without its nulls: the API means by null that nothing is there.

    Raises NoAnswer, or json.JSONDecodeError or UnicodeDecodeError, where it is something else.
    """
    found: Any = json.loads(body, object_hook=_without_nulls)
    if not isinstance(found, dict):
        raise NoAnswer(f"answers {str(found)[:50]!r} in place of an object")
    return cast(dict[str, Any], found)


def listed(body: str | bytes) -> list[Mapping[str, Any]]:
    """The items of a list in an API server's answer, which may be null. Raises what `answered` raises."""
    found = answered(body)
    if not str(found.get("kind", "")).endswith("List"):
        raise NoAnswer(f"answers {str(found)[:50]!r} in place of a list")
    return found.get("items", [])


@contextmanager
def asking(member: str, kubeconfig: str, retries: int | None = None) -> Generator[tuple[Any, Any]]:
    """The kubernetes library's client module, and a client of the member.

    Raises NoAnswer for what the network, TLS, the credentials and the API server answer to the block's requests;
    any other exception of the block is a mistake in it, and is raised as it is. A request that fails is made so many
    times more; the library's own number is three.
    """
    # Few programs need it, and its import takes longer than all else that they import.
    from kubernetes import client

    try:
        yield client, _client(kubeconfig, retries)
    except NoAnswer as error:
        raise NoAnswer(f"{member} does not answer ({error})") from None
    except client.ApiException as error:
        raise NoAnswer(f"{member} does not answer ({_refusal(error)})") from None
    # urllib3's cover what is sent and received, and OSError sockets and TLS; an answer that is cut off, or is no API
    # server's, does not parse.
    except (HTTPError, OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        raise NoAnswer(f"{member} does not answer ({_named(cause)})") from None


def _client(kubeconfig: str, retries: int | None) -> Any:
    """A client with the kubeconfig's credentials. Raises NoAnswer."""
    from kubernetes import client, config

    configuration = client.Configuration(retries=retries)
    try:
        loaded: Any = yaml.safe_load(kubeconfig)
        api: Any = config.new_client_from_config_dict(  # pyright: ignore[reportUnknownMemberType]
            loaded, persist_config=False, client_configuration=configuration
        )
    # The library has ConfigException for half of what can be wrong in a kubeconfig; the other half fails as it may.
    except (
        config.ConfigException,
        yaml.YAMLError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise NoAnswer(f"its kubeconfig cannot be used: {_named(error)}") from None
    # The library logs a credential plugin that fails, and would ask without credentials.
    found: list[Any] = loaded.get("users") or []
    users: list[Any] = [each.get("user") or {} for each in found]
    plugins = [str(each["exec"].get("command")) for each in users if each.get("exec")]
    if plugins and not (configuration.api_key or configuration.cert_file):
        raise NoAnswer(f"{', '.join(plugins)} gave no credentials; is it installed, and are you signed in?")
    return api


def _refusal(error: Any) -> str:
    """What the library's ApiException says, on one line: the HTTP status, and the API server's own words for it."""
    try:
        message = str(answered(error.body or "{}").get("message", ""))
    except (NoAnswer, ValueError):
        message = ""
    status = [str(error.status)] if error.status else []
    return _short(": ".join(filter(None, [" ".join([*status, str(error.reason)]), message])))


def _named(error: BaseException) -> str:
    return _short(f"{type(error).__name__}: {error}")


def _short(text: str) -> str:
    return " ".join(text.split())[:200]


def _without_nulls(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in found.items() if each is not None}
