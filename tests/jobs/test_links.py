"""Which keys of a mapping have stages in the job."""

from __future__ import annotations

from jobs.links import stages_of
from udfs.core.spec import Correlation
from udfs.packs.mapping import compile_mapping

DEFINITION = {
    "source": "desk",
    "type": "what",
    "keys": {name: name for name in ("fill", "order", "execution")},
    "pii": {"fill": "hash"},
}
MAPPING = compile_mapping(DEFINITION)


def test_a_lane_whose_workflows_have_one_key_each_has_no_stage() -> None:
    assert stages_of(MAPPING, []) == [[], [], []]


def test_a_key_has_the_stages_of_its_places_behind_the_first_in_the_lists() -> None:
    lists = [("order", "execution"), ("account", "order", "execution"), ("execution", "order")]
    assert stages_of(MAPPING, [Correlation(keys, 1, 1) for keys in lists]) == [[], [1], [1, 2]]
