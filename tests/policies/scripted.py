"""Chance by script, and endpoints by numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence


class Scripted:
    """A draw that gives these numbers, one after the other, and no more than there are."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.asked: list[int] = []
        """The n of each question for a number below n."""

    def below(self, n: int) -> int:
        self.asked.append(n)
        number = self.numbers.pop(0)
        assert 0 <= number < n
        return number

    def uniform(self) -> float:
        raise AssertionError("no policy here asks for a number between 0 and 1")


def endpoints(in_flight: Sequence[int], weights: Sequence[float] | None = None) -> list[Endpoint]:
    made = [Endpoint(weight) for weight in weights or [1.0] * len(in_flight)]
    for endpoint, count in zip(made, in_flight, strict=True):
        endpoint.in_flight = count
    return made
