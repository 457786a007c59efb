"""Transactions: that their pools exist, and that what they wait for comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, mapping, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path


class Transaction(NamedTuple):
    """One `transaction` in a script."""

    pool: str
    around: tuple[str, ...]
    """Pools whose connections are held when it begins."""
    path: Path


def findings(tree: Any) -> Iterator[Finding]:
    """Pools that do not exist, and waits that never end."""
    for name, service in mapping(tree, "services").items():
        pools = mapping(service, "connection_pools")
        scripts: dict[Path, Any] = {("services", name, "script"): mapping(service).get("script")}
        for operation, section in mapping(service, "operations").items():
            scripts["services", name, "operations", operation, "script"] = mapping(section).get("script")
        found = [one for path, script in scripts.items() for one in _transactions(script, path, ())]
        for one in found:
            if one.pool not in pools:
                missing = did_you_mean(one.pool, pools) if pools else "; write it under `connection_pools`"
                yield Finding(one.path, f"{shortened(name)} has no connection pool {shown(one.pool)}{missing}")
        yield from _endless(found, {pool for pool, section in pools.items() if mapping(section).get("acquire_timeout") == "none"})


def _transactions(script: Any, path: Path, around: tuple[str, ...]) -> Iterator[Transaction]:
    for index, step in enumerate(script if isinstance(script, list) else ()):
        if isinstance(step, dict) and isinstance(step.get("transaction"), str):
            pool = step["transaction"]
            yield Transaction(pool, around, (*path, index, "transaction"))
            yield from _transactions(step.get("script"), (*path, index, "script"), (*around, pool))
        elif isinstance(step, dict):
            for key in ("script", "fallback"):
                yield from _transactions(step.get(key), (*path, index, key), around)


def _endless(found: list[Transaction], without_limit: set[str]) -> Iterator[Finding]:
    """Where all may hold what the others wait for, and nobody gives up: requests that would never end."""
    wanted: dict[str, set[str]] = {}
    """By pool, those that are waited for without a limit while its connections are held."""
    for one in found:
        if one.pool in without_limit:
            for pool in one.around:
                wanted.setdefault(pool, set()).add(one.pool)
    for one in found:
        if one.pool in without_limit and any(_leads_to(one.pool, pool, wanted) for pool in one.around):
            yield Finding(
                one.path,
                f"requests that hold {' and '.join(dict.fromkeys(one.around))} may wait for each other's connections for ever; write an"
                f" `acquire_timeout` for {one.pool}",
            )


def _leads_to(start: str, end: str, wanted: dict[str, set[str]]) -> bool:
    """Whether who holds the one may wait for the other, or for someone who does."""
    seen, pending = {start}, [start]
    while pending:
        pool = pending.pop()
        if pool == end:
            return True
        pending += wanted.get(pool, set()) - seen
        seen |= wanted.get(pool, set())
    return False
