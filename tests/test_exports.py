"""What the package shows, and what lies in state files for ever."""

from __future__ import annotations

import base64
import subprocess
import sys
from types import ModuleType

import pytest
from pulumi.dynamic.dynamic import serialize_provider

import chekt_provider
from chekt_provider.provider import MonitoringStationProvider

IN_STATE = "gASVPAAAAAAAAACMF2NoZWt0X3Byb3ZpZGVyLnByb3ZpZGVylIwZTW9uaXRvcmluZ1N0YXRpb25Qcm92aWRlcpSTlCmBlC4="
"""The provider as every state file holds it: a reference to its module and class."""


def test_the_public_names_are_those_that_the_package_shows() -> None:
    """`__all__` and what can be reached without an underscore are one; modules do not count."""
    shown = {
        name
        for name, value in vars(chekt_provider).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert set(chekt_provider.__all__) == shown
    assert shown == {
        "MonitoringStation",
        "MonitoringStationResult",
        "Provider",
        "get_monitoring_station",
        "get_monitoring_station_output",
        "list_monitoring_stations",
        "list_monitoring_stations_output",
    }


def test_every_public_name_is_documented() -> None:
    """A docstring each."""
    for name in chekt_provider.__all__:
        assert (getattr(chekt_provider, name).__doc__ or "").strip(), name


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python 3.14 pickles with another protocol by default")
def test_the_provider_in_a_state_file_never_changes() -> None:
    """State files of users refer to this module and this class; a change of either breaks refresh and destroy."""
    assert serialize_provider(MonitoringStationProvider()) == IN_STATE


def test_the_provider_in_a_state_file_is_a_mere_reference() -> None:
    """Less than 200 bytes, and nothing but names: no setting, no secret, no code."""
    pickled = base64.b64decode(serialize_provider(MonitoringStationProvider()))

    assert len(pickled) < 200
    assert b"chekt_provider.provider" in pickled
    assert vars(MonitoringStationProvider()) == {}


def test_the_provider_of_a_state_file_comes_to_life() -> None:
    """In a process that has imported nothing of ours, as Pulumi's is."""
    program = (
        "import base64, pickle\n"
        f"provider = pickle.loads(base64.b64decode({IN_STATE!r}))\n"
        "print(type(provider).__module__, type(provider).__name__, vars(provider))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "chekt_provider.provider MonitoringStationProvider {}\n", done.stderr


def test_the_provider_is_not_treated_as_a_secret() -> None:
    """It holds none; each step of an encrypted one would be slow."""
    assert MonitoringStationProvider.serialize_as_secret_always is False
