"""The stations of every environment, without Pulumi."""

import pytest

from monitoring import ENVIRONMENTS, stations


def test_names_and_external_ids_say_the_environment() -> None:
    """Nobody mistakes one environment's station for another's."""
    prod = stations("prod", {"central": "10001"})

    assert [(s.external_id, s.name, s.prefix, s.linecard) for s in prod.values()] == [
        ("prod-central-01", "PROD Central Station, Springfield", "CS", "10001"),
        ("prod-backup-01", "PROD Backup Receiving Centre, Shelbyville", "BK", None),
        ("prod-video-01", "PROD Video Verification Desk", None, None),
    ]


def test_no_external_id_stands_in_two_environments() -> None:
    """Two environments may share a dealer for a while: their stations never meet."""
    ids = [station.external_id for environment in ENVIRONMENTS for station in stations(environment, {}).values()]

    assert len(ids) == 9
    assert len(set(ids)) == 9


@pytest.mark.parametrize(
    ("environment", "linecards", "sentence"),
    [
        ("production", {}, "'production' is no environment: the stack is called dev, staging, prod."),
        ("dev", {"centrl": "1"}, "linecards has 'centrl', which is no station: write central, backup, video."),
    ],
)
def test_a_mistake_in_a_stack_file_is_named(environment: str, linecards: dict[str, str], sentence: str) -> None:
    """The preview fails with one sentence, before anything is sent."""
    with pytest.raises(ValueError, match="^") as caught:
        stations(environment, linecards)

    assert str(caught.value) == sentence
