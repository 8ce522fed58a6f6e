"""What is computed is the same on every processor and with every Python."""

import json

import pytest

from tests.reach.digests import EXPECTED, PARTS, digest

pytestmark = pytest.mark.long


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_the_digests_are_the_committed_ones(part):
    assert digest(part) == json.loads(EXPECTED.read_text())[part.__name__]
