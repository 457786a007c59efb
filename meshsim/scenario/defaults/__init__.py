"""What an absent field means, per product and version: data, each value with its source.

A product's file is `<product>-<version>.toml` beside this module. Its fields are paths of a scenario, with two short
forms that stand for every place where the same block may be: `traffic.` and `filters.` (see `SHORT_FORMS`). The product
`none` is also what callers without a proxy get, and clients and services that retry by themselves: no gateway or mesh
configures those.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from meshsim.errors import UnitError, did_you_mean
from meshsim.scenario.defaults.cases import Case, Condition
from meshsim.units import parse_duration, parse_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.scenario.defaults.cases import How, Written

NO_PRODUCT = "none"
NO_LIMIT = 2**32 - 1
HOWS = {"default": "but", "adds": "also, beside what is written,", "replaces": "but whatever is written,"}
"""How the case of a field begins in words."""
ABSENT = "none"
"""How a file writes that there is no such thing: no timeout, no retries."""
SHORT_FORMS = {
    "traffic": ("mesh.traffic.<service>", "gateway.traffic.<service>", "gateway.routes.<route>", "direct.traffic.<service>"),
    "filters": ("gateway.filters", "mesh.inbound.<service>.filters"),
    "discovery": ("mesh.discovery", "gateway.discovery", "direct.discovery"),
    "telemetry": ("mesh.telemetry", "gateway.telemetry"),
}
"""Where the block that a short form stands for may be; a route takes the timeout and the retries of it."""
PRESETS = (
    "So `defaults:` also chooses the preset of what proxies cost: `gateway.*` for a gateway, `mesh.*` for a sidecar,"
    " `mesh.node_proxy.*` and `mesh.waypoints.*` for ambient mode. Each figure names its measurement below, or says that it is an"
    " estimate. A `proxy_time:` or `workers:` in the scenario comes first: write them to have the policies of one product at the"
    " costs of another."
)
"""Of the page of defaults."""


class UnknownDefaultError(LookupError):
    """A product or a field that no file of defaults has."""


@dataclass(frozen=True, slots=True)
class Multiple:
    """A default that is a multiple of another field of the same block."""

    factor: int
    of: str
    """Name of the other field."""

    def __str__(self) -> str:
        return f"{self.factor} x {self.of}"


@dataclass(frozen=True, slots=True)
class Default:
    """What one field means where it is absent."""

    field: str
    """Path, such as `traffic.retries.num_retries`."""
    value: Any
    """Nanoseconds, a share from 0 to 1, a count, a name, a tuple of names, a `Multiple`, a mapping (a whole block), or
    None for "there is none"."""
    written: Any
    """As the scenario would write it."""
    source: str
    note: str = ""
    """Where the value surprises; may be empty."""
    cases: tuple[Case, ...] = ()
    """What it means where other settings are written; the first whose conditions hold counts."""
    because: str = ""
    """Of a case: which settings make it hold, such as `outlier_detection is set`; empty where it hangs on none."""
    how: How = "default"
    """Of a case: whether it fills in what is absent, is added to what is written, or replaces it."""
    added: tuple[Any, ...] = ()
    """Of a case that adds: what, which the value has too."""

    @property
    def text(self) -> str:
        """The value for people, on one line: `15s`, `none`, `2^32 - 1 (no limit)`."""
        return text_of(self.value, self.written)

    def under(self, written: Written) -> Default:
        """What it means for a scenario that writes these settings."""
        for case in self.cases:
            if because := case.because(written):
                made = replace(self, source=case.source, note=case.note, because=because, how=case.how)
                if case.how == "adds":
                    whole = [*self.written, *(one for one in case.written if one not in self.written)]
                    return replace(made, value=tuple(whole), written=whole, added=case.value)
                return replace(made, value=case.value, written=case.written)
        return self

    def fill(self, given: Any) -> Any:
        """The setting's value where `given` is written; None for nothing. For what `under` has returned."""
        if given is None or self.how == "replaces":
            return self.value
        if self.how == "adds":
            return (*given, *(one for one in self.added if one not in given))
        return given


def text_of(value: Any, written: Any) -> str:
    """A default's value for people, on one line: `15s`, `none`, `2^32 - 1 (no limit)`."""
    if value is None:
        return "none"
    if isinstance(value, Multiple):
        return str(value)
    if written == NO_LIMIT:
        return "2^32 - 1 (no limit)"
    if isinstance(written, list):
        return ", ".join(map(str, written)) or "none"
    if isinstance(written, dict):
        return ", ".join(f"{key}: {value}" for key, value in written.items())
    return str(written)


@dataclass(frozen=True, slots=True)
class Product:
    """A product in one version, and all its defaults by field."""

    name: str
    """As `defaults:` takes it, such as `istio-1.29`."""
    about: str
    fields: Mapping[str, Default]

    def default(self, field: str) -> Default:
        """What `field` means where it is absent.

        Raises:
            UnknownDefaultError: No default is known for it.
        """
        found = self.fields.get(field)
        if found is None:
            raise UnknownDefaultError(f"no default for '{field}'{did_you_mean(field, self.fields)}")
        return found


@cache
def products() -> tuple[Product, ...]:
    """All products, `none` first, then by name and version."""
    files = (file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml"))
    made = [_read(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8")) for file in files]
    return tuple(sorted(made, key=lambda product: (product.name != NO_PRODUCT, _family(product.name), _version(product.name))))


def resolve(name: str) -> Product:
    """The product of that name; a name without a version is the newest known.

    Raises:
        UnknownDefaultError: No such product; the message names the nearest.
    """
    matching = [product for product in products() if name in (product.name, _family(product.name))]
    if not matching:
        known = {product.name for product in products()} | {_family(product.name) for product in products()}
        raise UnknownDefaultError(f"unknown product '{name}'{did_you_mean(name, known)}")
    return matching[-1]


def table() -> str:
    """The page docs/defaults.md: fields by products, then every value's source."""
    all_products = products()
    lines = [
        "# What an absent field means",
        "",
        "Made from `meshsim/scenario/defaults/*.toml` by `meshsim.scenario.defaults.table()`; a test keeps them the same.",
        "`defaults:` chooses the column; a name without a version (`istio`) is the newest. In a field's path, "
        + "; ".join(
            f"`{short}` stands for " + ", ".join(f"`{place}`" for place in places) for short, places in SHORT_FORMS.items()
        )
        + ".",
        "Callers without a proxy, and clients and services that retry by themselves, always have the column `none`.",
        PRESETS,
        "",
        "| field | " + " | ".join(product.name for product in all_products) + " |",
        "|---|" + "---|" * len(all_products),
    ]
    lines += [
        f"| `{field}` | " + " | ".join(product.default(field).text for product in all_products) + " |"
        for field in all_products[0].fields
    ]
    for product in all_products:
        lines += ["", f"## {product.name}", "", product.about, ""]
        for default in product.fields.values():
            note = f" {default.note}" if default.note else ""
            lines.append(f"- `{default.field}`: **{default.text}**.{note} *Source: {default.source}.*")
            for case in default.cases:
                note = f" {case.note}" if case.note else ""
                value = text_of(case.value, case.written)
                lines.append(f"  - {HOWS[case.how]} **{value}**, where {case.text}.{note} *Source: {case.source}.*")
    return "\n".join(lines) + "\n"


_DURATIONS = {
    "gateway.proxy_time",
    "gateway.timer_resolution",
    "gateway.connection_time",
    "mesh.proxy_time",
    "mesh.timer_resolution",
    "mesh.connection_time",
    "traffic.timeout",
    "traffic.retries.per_try_timeout",
    "traffic.retries.retry_back_off.base_interval",
    "traffic.retries.retry_back_off.max_interval",
    "traffic.idle_timeout",
    "traffic.connect_timeout",
    "traffic.connections.idle_timeout",
    "traffic.update_merge_window",
    "traffic.balancer_queue.failfast_timeout",
    "traffic.outlier_detection.interval",
    "discovery.debounce_after",
    "discovery.debounce_max",
    "mesh.mtls.handshake_time",
    "mesh.mtls.resumed_handshake_time",
    "mesh.mtls.time_per_request",
    "mesh.mtls.time_per_kib",
    "mesh.node_proxy.proxy_time",
    "mesh.waypoints.proxy_time",
    "mesh.waypoints.timer_resolution",
    "mesh.waypoints.connection_time",
    "telemetry.stats_time",
    "telemetry.access_log_time",
    "telemetry.trace_time",
}
_SHARES = {
    "traffic.retry_budget.budget_percent",
    "traffic.healthy_panic_threshold",
    "traffic.outlier_detection.enforcing_success_rate",
    "traffic.outlier_detection.enforcing_consecutive_gateway_failure",
    "traffic.outlier_detection.enforcing_failure_percentage",
    "traffic.outlier_detection.enforcing_local_origin_success_rate",
}


def _read(name: str, text: str) -> Product:
    data = tomllib.loads(text)
    return Product(name, data["about"], {field: _default(field, entry) for field, entry in data["default"].items()})


def _default(field: str, entry: Mapping[str, Any]) -> Default:
    cases = tuple(
        Case(
            tuple(map(Condition.read, case["when"])),
            case.get("how", "default"),
            _value(field, case["value"]),
            case["value"],
            case["source"],
            case.get("note", ""),
        )
        for case in entry.get("case", ())
    )
    return Default(field, _value(field, entry["value"]), entry["value"], entry["source"], entry.get("note", ""), cases)


def _value(field: str, written: Any) -> Any:
    if written == ABSENT:
        return None
    if isinstance(written, list):
        return tuple(written)
    if isinstance(written, str) and "x " in written:
        factor, _, other = written.partition("x ")
        return Multiple(int(factor), other)
    try:
        return parse_duration(written) if field in _DURATIONS else parse_share(written) if field in _SHARES else written
    except UnitError as error:
        raise UnitError(f"{field}: {error}") from None


def _family(name: str) -> str:
    return name.rpartition("-")[0] or name


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.removeprefix(_family(name)).lstrip("-").split(".") if part)
