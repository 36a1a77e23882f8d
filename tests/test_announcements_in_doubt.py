"""A call in doubt before its next try, boundary by boundary: an announcer …"""

import pytest
from announcers import LIMIT, NO, NOW, TIDIES, WRITES, World, doubtful

from bulk.delivery.announcements import FAR, Deferred
from bulk.delivery.attempts import AttemptState
from bulk.errors import CallUnsettled
from bulk.model import CLOCK_STEP


async def test_leaves_what_is_in_doubt_unknown_where_the_rules_refuse_it() -> None:
    world = World(why=NO)
    with pytest.raises(CallUnsettled) as raised:
        await world.announcer(tries=doubtful(), since=NOW - 60.0)()
    said = "tried at 2027-01-15 07:59 UTC without an answer, and not tried again: named in stop.csv"
    assert (raised.value.operation, raised.value.code, raised.value.message) == ("CreateContact", "suppressed", said)


@pytest.mark.parametrize("since", [-FAR, -2 * FAR])
async def test_does_not_say_when_a_try_was_made_that_no_clock_tells(since: float) -> None:
    world = World(why=NO)
    one = world.announcer(tries=doubtful(), since=since)
    with pytest.raises(CallUnsettled) as raised:
        one._object(Deferred(NO))
    assert raised.value.message.startswith("tried before without an answer")


@pytest.mark.parametrize("opens_in, waits", [(LIMIT - 60.0, True), (LIMIT - 59.0, False)])
async def test_waits_for_a_window_while_the_token_lives_that_long(opens_in: float, *, waits: bool) -> None:
    world = World(why=NOW + opens_in)
    with pytest.raises(Deferred if waits else CallUnsettled) as raised:
        await world.announcer(tries=doubtful(), since=NOW - 60.0)()
    if isinstance(raised.value, CallUnsettled):
        assert raised.value.code == "closed_hours"
        assert "opens at 2027-01-15 08:59 UTC, too late" in raised.value.message


async def test_counts_the_age_of_a_doubt_of_this_run_from_its_announcement() -> None:
    world, tries = World(), AttemptState()
    prepare = world.announcer(tries=tries)
    await prepare()
    tries.in_doubt = True
    world.now += LIMIT - 1
    await prepare()  # announced again: the age still counts from the first
    world.now += 2
    with pytest.raises(CallUnsettled) as raised:
        await prepare()
    assert raised.value.code == "token_expired"


@pytest.mark.parametrize(
    "age, code",
    [
        (LIMIT, None),
        (LIMIT + 1, "token_expired"),
        (0.0, None),
        (-CLOCK_STEP, None),
        (-CLOCK_STEP - 0.5, "clock_went_back"),
    ],
)
async def test_makes_a_call_in_doubt_again_only_at_an_age_that_is_known_and_young(age: float, code: str | None) -> None:
    for tries, call, expected in [
        (doubtful(), WRITES, code),
        (doubtful(), TIDIES, None),
        (AttemptState(), WRITES, None),
    ]:
        world = World()
        prepare = world.announcer(call, tries=tries, since=NOW - age)
        if expected is None:
            await prepare()
            assert len(world.told) == 1
        else:
            with pytest.raises(CallUnsettled) as raised:
                await prepare()
            assert (raised.value.code, raised.value.operation, world.told) == (expected, call.operation, [])


async def test_says_how_old_a_forgotten_token_is() -> None:
    with pytest.raises(CallUnsettled, match="tried 61 minutes ago without an answer; a token is reused within 60 min"):
        await World().announcer(tries=doubtful(), since=NOW - 3660.0)()
