"""Transactions: that their pools exist, and that what they wait for comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, mapping, shortened, shown
from meshsim.scenario.references.open_ended import is_open_ended
from meshsim.scenario.references.scripts import scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path


class Pool(NamedTuple):
    """A connection pool."""

    service: str
    name: str


class Transaction(NamedTuple):
    """One `transaction` in a script."""

    pool: Pool
    around: tuple[Pool, ...]
    """Pools whose connections are held when it begins."""
    path: Path


class Call(NamedTuple):
    """One call that is waited for, however long it takes."""

    target: str
    around: tuple[Pool, ...]
    """Pools whose connections are held meanwhile."""
    path: Path


class Found(NamedTuple):
    """What is in one script."""

    transactions: list[Transaction]
    calls: list[Call]


def findings(tree: Any) -> Iterator[Finding]:
    """Pools that do not exist, and waits that never end."""
    found = {}
    for script in scripts(tree):
        service = str(script.path[1])
        steps = list(_steps(tree, service, script.steps, script.path, ()))
        inside = Found([one for one in steps if isinstance(one, Transaction)], [one for one in steps if isinstance(one, Call)])
        found[script.operation] = inside
        pools = mapping(tree, "services", service, "connection_pools")
        for one in inside.transactions:
            if one.pool.name not in pools:
                missing = did_you_mean(one.pool.name, pools) if pools else "; write it under `connection_pools`"
                yield Finding(one.path, f"{shortened(service)} has no connection pool {shown(one.pool.name)}{missing}")
    without_limit = {
        Pool(service, pool)
        for service in mapping(tree, "services")
        for pool, section in mapping(tree, "services", service, "connection_pools").items()
        if mapping(section).get("acquire_timeout") == "none"
    }
    if without_limit:
        yield from _endless(found, without_limit)


def _steps(tree: Any, service: str, script: Any, path: Path, around: tuple[Pool, ...]) -> Iterator[Transaction | Call]:
    """All transactions, and all calls that nothing ends; not those of which only some are waited for."""
    for index, step in enumerate(script if isinstance(script, list) else ()):
        here = (*path, index)
        if isinstance(step, list) and not isinstance(path[-1], int):
            yield from _steps(tree, service, step, here, around)
        elif isinstance(step, dict) and isinstance(step.get("transaction"), str):
            pool = Pool(service, step["transaction"])
            yield Transaction(pool, around, (*here, "transaction"))
            yield from _steps(tree, service, step.get("script"), (*here, "script"), (*around, pool))
        elif isinstance(step, dict):
            if isinstance(step.get("call"), str) and is_open_ended(tree, step):
                yield Call(step["call"], around, (*here, "call"))
            for key in ("lookup", "script", "fallback", *(() if "need" in step else ("parallel",))):
                yield from _steps(tree, service, step.get(key), (*here, key), around)


def _endless(found: dict[str, Found], without_limit: set[Pool]) -> Iterator[Finding]:
    """Where all may hold what the others wait for, and nobody gives up: requests that would never end."""
    wanted: dict[Pool, set[Pool]] = {}
    """By pool, those that are waited for without a limit while its connections are held."""
    waits: list[tuple[Transaction | Call, list[Pool]]]
    waits = [(one, [one.pool]) for each in found.values() for one in each.transactions if one.around]
    waits += [(one, _taken_by(one.target, found)) for each in found.values() for one in each.calls if one.around]
    for one, pools in waits:
        for pool in one.around:
            wanted.setdefault(pool, set()).update(without_limit.intersection(pools))
    for one, pools in waits:
        for pool in pools:
            if pool in without_limit and any(_leads_to(pool, held, wanted) for held in one.around):
                yield Finding(one.path, _message(one, pool))
                break


def _message(one: Transaction | Call, pool: Pool) -> str:
    held = " and ".join(dict.fromkeys(held.name for held in one.around))
    during, or_else = (" during this call", ", or a `timeout` for the call") if isinstance(one, Call) else ("", "")
    name = pool.name if pool.service == one.around[0].service else f"{pool.name} of {pool.service}"
    return (
        f"requests that hold {held}{during} may wait for each other's connections for ever; write an `acquire_timeout` for"
        f" {name}{or_else}"
    )


def _taken_by(operation: str, found: dict[str, Found]) -> list[Pool]:
    """The pools that an operation takes from, or whom it waits for without an end."""
    seen, pending = {operation}, [operation]
    pools: dict[Pool, None] = {}
    while pending:
        inside = found.get(pending.pop(), Found([], []))
        pools.update((one.pool, None) for one in inside.transactions)
        following = dict.fromkeys(call.target for call in inside.calls if call.target not in seen)
        seen.update(following)
        pending += following
    return list(pools)


def _leads_to(start: Pool, end: Pool, wanted: dict[Pool, set[Pool]]) -> bool:
    """Whether who holds the one may wait for the other, or for someone who does."""
    seen, pending = {start}, [start]
    while pending:
        pool = pending.pop()
        if pool == end:
            return True
        pending += wanted.get(pool, set()) - seen
        seen |= wanted.get(pool, set())
    return False
