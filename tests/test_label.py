"""The name of the campaign at work."""

import pytest

from bulk.run.label import label, labelled


def test_a_campaign_is_named_within_its_block_however_that_ends() -> None:
    assert label.get() is None
    with labelled("may"):
        with labelled("june"):
            assert label.get() == "june"
        with pytest.raises(OSError, match="the disk"), labelled("july"):
            raise OSError("the disk is full")
        assert label.get() == "may"
    assert label.get() is None
