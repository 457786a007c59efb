"""Timeouts that contradict each other, or what they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Remark, time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow, Way
    from meshsim.scenario.flow.reading import Layer


def per_try_timeouts(flow: Flow) -> Iterator[Remark]:
    """A per-try timeout that cannot fire before the timeout over all tries."""
    for layer, _ in flow.guarded():
        tries = layer.tries
        if layer.timeout_ns and tries.per_try_timeout_ns >= layer.timeout_ns:
            yield Remark(
                (*tries.path, "per_try_timeout"),
                f"a try may take {time(tries.per_try_timeout_ns)}, and the timeout over all tries of {layer.who} is"
                f" {time(layer.timeout_ns)}: it never fires, and nothing that times out is retried;"
                f" write less than {time(layer.timeout_ns)}",
            )


def longer_than_the_callers(flow: Flow) -> Iterator[Remark]:
    """A timeout that outlasts the patience of those who wait for the caller."""
    worst: dict[object, tuple[float, Remark]] = {}
    for way in flow.ways():
        for patience, whose, layer in _outlasting(way):
            remark = Remark(
                layer.timeout_path,
                f"{layer.who} waits {time(layer.timeout_ns)}, and {whose} gives up after {time(patience)}:"
                f" the rest is work for nobody; write {time(patience)} or less",
            )
            if layer.timeout_path not in worst or patience < worst[layer.timeout_path][0]:
                worst[layer.timeout_path] = (patience, remark)
    for _, remark in worst.values():
        yield remark


def _outlasting(way: Way) -> Iterator[tuple[float, str, Layer]]:
    patience, whose = float("inf"), ""
    for hop in way.hops:
        for layer in hop.layers:
            if layer.timeout_path and layer.timeout_ns > patience:
                yield patience, whose, layer
            limits = ((layer.timeout_ns, layer.who), (layer.tries.per_try_timeout_ns, f"each try of {layer.who}"))
            for limit_ns, limited in limits:
                if 0 < limit_ns < patience:
                    patience, whose = limit_ns, limited


def shorter_than_the_work(flow: Flow) -> Iterator[Remark]:
    """A timeout that what it covers exceeds in the mean, even when nothing waits."""
    for way in flow.ways():
        hop = way.hops[-1]
        least = flow.least_ns(hop.target.key)
        for layer in hop.layers:
            if layer.timeout_path and 0 < layer.timeout_ns < least:
                yield Remark(layer.timeout_path, _too_short(hop.target.key, least, layer.timeout_ns))
            if layer.tries.path and 0 < layer.tries.per_try_timeout_ns < least:
                yield Remark(
                    (*layer.tries.path, "per_try_timeout"),
                    _too_short(hop.target.key, least, layer.tries.per_try_timeout_ns),
                )


def _too_short(key: str, least: float, timeout: float) -> str:
    return f"{key} takes {time(least)} in the mean even when nothing waits, and {time(timeout)} is less; write more"


CHECKS = (per_try_timeouts, longer_than_the_callers, shorter_than_the_work)
