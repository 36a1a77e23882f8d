"""Values that are used in turn: it …"""

from collections import Counter

from compiled_requests import DRAFT, mail, recipient
from hypothesis import given
from hypothesis import strategies as st
from sandbox_runs import DRAFT as PLAIN
from sandbox_runs import Runs, rows

from bulk.model import Progress, Refusal, digest
from bulk.run.rotation import Built, Rotation

USERS = ["agent-1", "agent-2", "agent-3"]
REQUEST = mail(["email", "body"], create_contact={**DRAFT, "UserInfo": {"UserId": USERS}})


def asked(rotation: Rotation, key: str, *, progress: Progress | None = None, good: bool = True) -> Built:
    cells = {"email": "a@x.org", "body": f"for {key}" if good else None}
    return rotation.build(recipient(cells, destination="a@x.org"), progress or Progress())


def user(built: Built) -> str:
    assert not isinstance(built, Refusal), built
    found: str = built["create_contact"]["UserInfo"]["UserId"]
    return found


@given(good=st.lists(st.booleans(), max_size=40), taken=st.integers(0, 10))
def test_a_row_that_is_refused_takes_no_turn(good: list[bool], taken: int) -> None:
    rotation = Rotation(REQUEST, lambda: taken)
    built = [asked(rotation, str(row), good=one) for row, one in enumerate(good)]
    assert [isinstance(one, Refusal) for one in built] == [not one for one in good]
    users = [user(one) for one in built if not isinstance(one, Refusal)]
    assert users == [USERS[(taken + turn) % 3] for turn in range(len(users))]


@given(turns=st.integers(0, 5), others=st.integers(0, 5))
def test_a_row_in_doubt_keeps_its_user_and_takes_no_turn(turns: int, others: int) -> None:
    before = Rotation(REQUEST, lambda: turns)
    tried = asked(before, "in doubt")
    assert not isinstance(tried, Refusal)
    after = Rotation(REQUEST, lambda: others)
    again = asked(after, "in doubt", progress=Progress(attempts=1, intended_at=0.0, digest=digest(tried)))
    assert again == tried
    assert user(asked(after, "next")) == USERS[others % 3]


def test_a_row_in_doubt_that_has_changed_is_built_all_the_same() -> None:
    """That it is not what was tried is found where it is sent."""
    assert user(asked(Rotation(REQUEST, lambda: 2), "x", progress=Progress(intended_at=0.0, digest=b"?"))) in USERS


def test_where_nothing_is_used_in_turn_nobody_counts() -> None:
    assert user(asked(Rotation(mail(["email", "body"]), lambda: 1 // 0), "x")) == "u1"


async def test_every_second_row_refused_does_not_leave_all_mails_to_one_user(runs: Runs) -> None:
    runs.email(create_contact=PLAIN | {"UserInfo": {"UserId": USERS[:2]}})
    people = [row | ({} if place % 2 else {"email": "nowhere"}) for place, row in enumerate(rows("abcdefghijkl"))]
    run = await runs.send(people)
    assert (run.summary.sent, run.summary.refused) == (6, 6)
    taken = Counter(contact["Parameters"]["UserInfo"]["UserId"] for contact in runs.sandbox.contacts)
    assert taken == {"agent-1": 3, "agent-2": 3}


async def test_a_sending_goes_on_with_the_next_user(runs: Runs) -> None:
    runs.email(create_contact=PLAIN | {"UserInfo": {"UserId": USERS}})
    for _ in range(6):
        await runs.send(rows("abcdef"), limit=1)
    taken = [contact["Parameters"]["UserInfo"]["UserId"] for contact in runs.sandbox.contacts]
    assert taken == USERS * 2
