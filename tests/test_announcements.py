"""What comes before each try of a call, boundary by boundary: an announcer …"""

import math
from collections.abc import Callable

import pytest
from announcers import NO, NOW, OPENS, TIDIES, WRITES, World

from bulk.delivery.announcements import RENEW, SLOW, Deferred, Guard
from bulk.delivery.attempts import AttemptState
from bulk.errors import CallWithheld
from bulk.model import Announcement, Call, Delivery


def objecting(why: Exception) -> Callable[[Delivery, Call], Guard]:
    return lambda _delivery, _call: lambda _connection: why


# What is announced


async def test_tells_the_ledger_all_that_it_keeps_of_a_call() -> None:
    world, tries = World(), AttemptState(made=4, reopens=True)
    await world.announcer(WRITES, tries=tries, segments_of=lambda _: 3)()
    assert world.told == [
        Announcement(7, 2, "token", b"digest", NOW, attempts=4, writes=True, reopens=True, segments=3),
    ]
    assert (tries.announced, tries.reopens) == (True, False)


@pytest.mark.parametrize("call, named, segments", [(OPENS, "mark", 1), (WRITES, "mark", 3), (TIDIES, None, 1)])
async def test_names_the_mark_of_what_reaches_a_person_and_the_segments_of_what_writes(
    call: Call, named: str | None, segments: int
) -> None:
    world = World()
    await world.announcer(call, attribute="mark", segments_of=lambda _: 3)()
    (told,) = world.told
    assert isinstance(told, Announcement)
    assert (told.attribute, told.segments) == (named, segments)
    assert (told.opens, told.writes) == (call.opens, call.writes)


async def test_counts_no_segments_unless_it_is_told_how() -> None:
    world = World()
    await world.announcer(WRITES)()
    assert [one.segments for one in world.told if isinstance(one, Announcement)] == [1]


@pytest.mark.parametrize("later, again", [(0.0, False), (RENEW - 0.5, False), (RENEW, True), (RENEW * 1.5, True)])
async def test_announces_a_call_again_once_half_a_minute_has_passed(later: float, *, again: bool) -> None:
    assert RENEW == 30.0
    world = World()
    prepare = world.announcer(WRITES)
    await prepare()
    world.now += later
    await prepare()
    if not again:
        assert world.told[1:] == ["note"]
    else:
        (renewed,) = world.told[1:]
        assert isinstance(renewed, Announcement)
        assert (renewed.renews, renewed.at) == (True, NOW + later)
        world.now += RENEW - 1
        await prepare()
        assert world.told[2:] == ["note"]


@pytest.mark.parametrize("call, again", [(OPENS, True), (WRITES, False)])
async def test_announces_each_try_of_what_opens_a_contact_where_open_contacts_are_counted(
    call: Call, *, again: bool
) -> None:
    world = World()
    prepare = world.announcer(call, counts_open=True)
    await prepare()
    await prepare()
    assert (world.told[1] == "note") is not again


async def test_says_of_a_renewed_announcement_whether_an_earlier_try_may_have_been_accepted() -> None:
    world, tries = World(), AttemptState()
    prepare = world.announcer(OPENS, tries=tries, counts_open=True)
    await prepare()
    tries.in_doubt = True
    await prepare()
    assert [one.doubtful for one in world.told if isinstance(one, Announcement)] == [False, True]


# Whom the rules leave out


async def test_asks_the_rules_once_more_where_announcing_took_long() -> None:
    for takes, asked in [(SLOW, [NOW]), (SLOW + 0.5, [NOW, NOW + SLOW + 0.5])]:
        assert SLOW == 1.0
        world = World(takes=takes)
        await world.announcer()()
        assert world.asked == asked


async def test_announces_and_then_waits_where_the_window_closed_meanwhile() -> None:
    world, tries = World(takes=2.0, why=NOW + 60.0, admits=1), AttemptState()
    with pytest.raises(Deferred):
        await world.announcer(tries=tries)()
    assert tries.announced


async def test_asks_nobody_about_what_only_tidies_up() -> None:
    world = World(why=NO)
    await world.announcer(TIDIES, refusal=NO, guard=objecting(Deferred(NO)))()
    assert world.asked == []
    assert len(world.told) == 1


async def test_withholds_a_call_that_the_rules_refuse_and_names_the_rule() -> None:
    world = World(why=NO)
    with pytest.raises(CallWithheld) as raised:
        await world.announcer()()
    assert (raised.value.operation, raised.value.refusal, world.told) == ("CreateContact", NO, [])


async def test_withholds_a_call_of_a_delivery_that_was_refused_before_it_asks() -> None:
    world = World()
    with pytest.raises(CallWithheld):
        await world.announcer(refusal=NO)()
    assert (world.asked, world.told) == ([], [])


@pytest.mark.parametrize(
    "why, raised", [(Deferred(NO), CallWithheld), (Deferred(NOW + 9), Deferred), (OSError(), OSError)]
)
async def test_heeds_what_others_object_at_the_last_moment(why: Exception, raised: type[Exception]) -> None:
    world, tries = World(), AttemptState()
    with pytest.raises(raised):
        await world.announcer(tries=tries, guard=objecting(why))()
    assert (world.told, tries.announced) == ([], False)


async def test_announces_what_nobody_objects_to() -> None:
    world = World()
    await world.announcer(guard=lambda _delivery, _call: lambda _connection: None)()
    assert len(world.told) == 1


def test_a_refusal_waits_for_ever_and_a_window_until_it_opens() -> None:
    assert Deferred(NO).until == math.inf
    assert Deferred(17.0).until == 17.0
    assert str(Deferred(17.0)) == "17.0"
