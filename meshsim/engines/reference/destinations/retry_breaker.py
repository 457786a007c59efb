"""Whether one more retry may be on its way: a fixed limit, or the budget in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.roles import Retrying
    from meshsim.engines.reference.travel.endpoint import EndpointView


def admits_retry(view: Retrying, endpoint: EndpointView | None, *, is_timeout: bool) -> bool:
    """Whether the retry breaker has room after a try at an endpoint; the slot is taken.

    The try that has just failed counts as active still.
    """
    if view.budget is not None:
        view.retries.maximum = view.budget.limit(view.requests.in_use + 1, view.pending.in_use)
    has_room = view.retries.in_use < view.retries.maximum
    if has_room and view.token_budget is not None:
        has_room = view.token_budget.withdraw(view.clock.now_ns, is_timeout)
    if not has_room:
        view.activity_of(endpoint).retries_refused += 1
        return False
    return view.retries.admit()
