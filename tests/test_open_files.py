"""How many connections the system lets a process have, divided among its runs (`run.connections`). It …"""

import resource

import pytest

from bulk.run.connections import bounded, limit, shares

NO_LIMIT = resource.RLIM_INFINITY


class System:
    """A system with limits of open files; it raises the soft one as far as `allows` says."""

    def __init__(self, soft: int, hard: int, allows: int | None = None) -> None:
        self.soft, self.hard, self.allows = soft, hard, allows
        self.asked: list[tuple[int, int]] = []

    def getrlimit(self, kind: int) -> tuple[int, int]:
        assert kind == resource.RLIMIT_NOFILE
        return self.soft, self.hard

    def setrlimit(self, kind: int, limits: tuple[int, int]) -> None:
        assert kind == resource.RLIMIT_NOFILE
        self.asked.append(limits)
        if self.allows is not None and limits[0] > self.allows:
            raise ValueError("not so many")
        self.soft, self.hard = limits


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> type[System]:
    """Return what makes the system of the test."""

    class Here(System):
        def __init__(self, soft: int, hard: int, allows: int | None = None) -> None:
            super().__init__(soft, hard, allows)
            monkeypatch.setattr(resource, "getrlimit", self.getrlimit)
            monkeypatch.setattr(resource, "setrlimit", self.setrlimit)

    return Here


@pytest.mark.parametrize(
    "limits, wanted, files, bound, asked",
    [
        ((140, 140), 100, 1, 100, []),
        ((139, 139), 100, 1, 99, [(139, 139)]),
        ((239, 239), 100, 2, 99, [(239, 239)]),
        ((240, 240), 100, 2, 100, []),
        ((64, 1000), 100, 1, 100, [(140, 1000)]),
        ((64, NO_LIMIT), 100, 2, 100, [(240, NO_LIMIT)]),
        ((NO_LIMIT, NO_LIMIT), 100, 2, 100, []),
        ((20, 20), 100, 1, 1, [(20, 20)]),
    ],
)
def test_has_as_many_as_it_wants_and_the_system_allows(
    limits: tuple[int, int], wanted: int, files: int, bound: int, asked: list[tuple[int, int]], on: type[System]
) -> None:
    system = on(*limits)
    assert (bounded(wanted, files), system.asked) == (bound, asked)


def test_goes_by_one_file_for_each_where_nothing_is_said(on: type[System]) -> None:
    on(140, 140)
    assert (bounded(100), shares([50, 10]), limit()) == (100, [50, 10], 140)


def test_has_what_is_there_where_the_system_allows_less_than_it_says(on: type[System]) -> None:
    on(100, 1000, allows=120)
    assert (bounded(200), limit()) == (60, 100)


@pytest.mark.parametrize(
    "soft, wanted, files, divided",
    [
        (1000, [256, 10], 1, [256, 10]),
        (346, [256, 10], 1, [256, 10]),
        (345, [256, 10], 1, [255, 9]),
        (213, [256, 10], 1, [128, 5]),
        (612, [256, 10], 2, [256, 10]),
        (346, [256, 10], 2, [128, 5]),
        (90, [256, 10], 1, [9, 1]),
        (60, [30, 30], 1, [1, 1]),
        (140, [100], 1, [100]),
        (260, [60, 60, 60], 1, [46, 46, 46]),
    ],
)
def test_divides_what_there_is_by_what_each_wants(
    soft: int, wanted: list[int], files: int, divided: list[int], on: type[System]
) -> None:
    on(soft, soft)
    assert shares(wanted, files) == divided
