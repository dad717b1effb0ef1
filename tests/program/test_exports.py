"""What the package exports, and what state files hold forever."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

import chekt_provider
from chekt_provider.provider import MonitoringStationProvider, SiteAssignmentProvider

IN_STATE: dict[type[ResourceProvider], str] = {
    MonitoringStationProvider: (
        "gASVPAAAAAAAAACMF2NoZWt0X3Byb3ZpZGVyLnByb3ZpZGVylIwZTW9uaXRvcmluZ1N0YXRpb25Qcm92aWRlcpSTlCmBlC4="
    ),
    SiteAssignmentProvider: (
        "gASVOQAAAAAAAACMF2NoZWt0X3Byb3ZpZGVyLnByb3ZpZGVylIwWU2l0ZUFzc2lnbm1lbnRQcm92aWRlcpSTlCmBlC4="
    ),
}
"""Each provider as every state file holds it: a reference to its module and class."""


def test_the_public_names_are_those_that_the_package_shows() -> None:
    """An editor and a star import see `__all__`; any other name is missing, as in any module."""
    brought: dict[str, object] = {}
    exec("from chekt_provider import *", brought)  # noqa: S102 - the statement is what is tested
    shown = brought.keys() - {"__builtins__"}

    assert shown == set(dir(chekt_provider)) == set(chekt_provider.__all__)
    with pytest.raises(ImportError, match="cannot import name 'MonitoringStaton' from 'chekt_provider'"):
        exec("from chekt_provider import MonitoringStaton")  # noqa: S102 - likewise
    assert shown == {
        "Fleet",
        "MonitoringStation",
        "MonitoringStationResult",
        "Provider",
        "SiteAssignment",
        "get_monitoring_station",
        "get_monitoring_station_output",
        "list_monitoring_stations",
        "list_monitoring_stations_output",
    }


def test_every_public_name_is_documented() -> None:
    """Each has a docstring."""
    for name in chekt_provider.__all__:
        assert (getattr(chekt_provider, name).__doc__ or "").strip(), name


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python 3.14 pickles with another protocol by default")
@pytest.mark.parametrize("kind", IN_STATE)
def test_the_provider_in_a_state_file_never_changes(kind: type[ResourceProvider]) -> None:
    """State files of users refer to this module and this class; a change of either breaks refresh and destroy."""
    assert serialize_provider(kind()) == IN_STATE[kind]


@pytest.mark.parametrize("kind", IN_STATE)
def test_the_provider_in_a_state_file_is_a_mere_reference(kind: type[ResourceProvider]) -> None:
    """It has less than 200 bytes, and nothing but names: no setting, no secret, no code."""
    pickled = base64.b64decode(serialize_provider(kind()))

    assert len(pickled) < 200
    assert b"chekt_provider.provider" in pickled
    assert vars(kind()) == {}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (MonitoringStationProvider, "MonitoringStationProvider"),
        (SiteAssignmentProvider, "SiteAssignmentProvider"),
    ],
)
def test_the_provider_of_a_state_file_comes_to_life(kind: type[ResourceProvider], name: str) -> None:
    """The process has imported nothing of ours, like Pulumi's."""
    program = (
        "import base64, pickle\n"
        f"provider = pickle.loads(base64.b64decode({IN_STATE[kind]!r}))\n"
        "print(type(provider).__module__, type(provider).__name__, vars(provider))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == f"chekt_provider.provider {name} {{}}\n", done.stderr


@pytest.mark.parametrize("kind", IN_STATE)
def test_the_provider_is_not_treated_as_a_secret(kind: type[ResourceProvider]) -> None:
    """It holds none; encrypted, each of its steps would be slow."""
    assert kind.serialize_as_secret_always is False


def test_a_program_does_not_load_what_only_the_plugin_needs() -> None:
    """Neither HTTP nor a library of keys: a tenth of a second at every preview."""
    program = (
        "import sys, chekt_provider\n"
        "chekt_provider.MonitoringStation, chekt_provider.SiteAssignment, chekt_provider.Provider\n"
        "print({'requests', 'urllib3', 'jwt', 'cryptography', 'fastapi', 'typer'} & set(sys.modules))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "set()\n", done.stderr
