"""What a check says, before it is known where in the file it stands; and the list of all that may be said."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from meshsim.units import format_duration

if TYPE_CHECKING:
    from meshsim.scenario.flow.reading import Path


class Kind(Enum):
    """Every warning that there is: a test shows for each by runs that it is true where it is said, and that silence is right beside it."""

    SERVICE_CANNOT_KEEP_UP = auto()
    USERS_WAIT = auto()
    CAPACITY_NOT_CHECKED = auto()
    GATEWAY_CANNOT_KEEP_UP = auto()
    SIDECAR_CANNOT_KEEP_UP = auto()
    RATE_LIMITED = auto()
    RATE_LIMIT_NOT_CHECKED = auto()
    NOTHING_MAY_WAIT = auto()
    POOL_IS_FULL = auto()
    NOT_ALL_CHAINS = auto()
    PER_TRY_TIMEOUT_NEVER_FIRES = auto()
    TIMEOUT_OUTLASTS_CALLER = auto()
    TIMEOUT_BELOW_THE_WORK = auto()
    NOTHING_ENDS_THE_CALL = auto()
    RETRIES_MULTIPLY = auto()
    NO_RETRY_CONDITION = auto()
    NO_RETRIABLE_CODES = auto()
    CONDITION_OF_PROXIES = auto()
    GRPC_CONDITION_OVER_HTTP = auto()
    CODES_WITHOUT_CONDITION = auto()
    HTTP_CONDITION_OVER_GRPC = auto()
    NO_ROOM_FOR_RETRIES = auto()
    EJECTION_OF_THE_ONLY_HOST = auto()
    EJECTION_PERCENT_BELOW_ONE_HOST = auto()
    TOO_FEW_HOSTS_TO_COMPARE = auto()
    TOO_FEW_REQUESTS_TO_COMPARE = auto()
    NO_HOST_IS_FAR_ENOUGH = auto()
    NOTHING_STARTS_FAILOVER = auto()
    NOTHING_LEAVES_A_PRIORITY = auto()
    BALANCER_WITHOUT_HASH = auto()
    HASH_WITHOUT_BALANCER = auto()
    NOTHING_TO_HASH = auto()
    PRE_STOP_TOO_SHORT = auto()
    SERVICE_IS_UNREACHED = auto()
    NO_ROUTE_FOR_PATH = auto()
    THRESHOLD_WITHOUT_REQUESTS = auto()
    NO_MESH_IN_DEPLOYMENT = auto()
    NO_GATEWAY_IN_DEPLOYMENT = auto()
    LOAD_BEGINS_AFTER_THE_RUN = auto()
    STAGES_END_AFTER_THE_RUN = auto()
    LOAD_ENDS_AFTER_THE_RUN = auto()
    STAGES_END_BEFORE_THE_RUN = auto()
    FAULT_COMES_AFTER_THE_RUN = auto()
    FAULT_ENDS_AFTER_THE_RUN = auto()
    FAULT_RARELY_COMES = auto()
    NOBODY_IN_THE_ZONES = auto()
    NO_SUBSTITUTE_ZONE = auto()
    NOTHING_RESTARTS_THE_GATEWAY = auto()
    RESTART_COMES_AFTER_THE_RUN = auto()
    AUTOSCALER_OF_NOBODY = auto()
    PRICE_OF_NOTHING = auto()
    CONTENT_WITHOUT_KEYS = auto()
    STICKY_WITH_ONE_DESTINATION = auto()
    STICKY_WITHOUT_CONSUMER = auto()
    STICKY_WITHOUT_USERS = auto()
    SESSION_WITHOUT_USERS = auto()
    SESSION_WITHOUT_CONSUMER = auto()
    SESSION_OF_ONE_ADDRESS = auto()
    SESSION_ON_BALANCED_CONNECTIONS = auto()
    FAULT_WITHOUT_A_GATEWAY = auto()
    FAULT_STRIKES_NOBODY = auto()
    NOTHING_TAKES_THE_GATEWAY = auto()
    GATEWAY_LOST_WITHOUT_TIMEOUT = auto()
    DEFAULT_HANGS_ON_A_SETTING = auto()
    ARRIVALS_NOT_SAID = auto()
    BURSTS_OUTLAST_THE_LOAD = auto()
    ITERATIONS_LEFT_OVER = auto()
    CHECKS_END_EJECTIONS = auto()
    CHECKS_PUT_LEAVING_OFF = auto()
    RETRIES_WITHOUT_END = auto()
    NOTHING_FILLS_THE_QUEUE = auto()
    QUEUE_IS_FULL_AT_ONCE = auto()
    TIMEOUT_ENDS_NO_WAIT = auto()
    PRIORITY_OF_ONE_CLASS = auto()
    PUSH_OUT_WITHOUT_LIMIT = auto()
    FAIR_WITH_ONE_CONSUMER = auto()
    NO_DEADLINES = auto()
    POOL_WITHOUT_TRANSACTION = auto()
    CONNECTIONS_CANNOT_KEEP_UP = auto()
    NOBODY_PUBLISHES = auto()
    NOBODY_CONSUMES = auto()
    WORKED_ON_TWICE = auto()
    CONSUMERS_CANNOT_KEEP_UP = auto()
    PARTITIONS_LEAVE_REPLICAS_IDLE = auto()
    ROLLOUT_UNFINISHED = auto()
    ROLLOUT_LEAVES_TOO_FEW = auto()
    NOTHING_ROLLS_OUT = auto()
    CACHE_IS_NOT_READ = auto()
    CACHE_OF_ONE_VALUE = auto()
    CACHE_IS_NEVER_FULL = auto()
    FLUSH_WITHOUT_SINGLE_FLIGHT = auto()


class Remark(NamedTuple):
    """One warning."""

    kind: Kind
    path: Path
    message: str


def per_second(rate: float) -> str:
    """A rate for people: `412/s`, `0.25/s`."""
    return f"{number(rate)}/s"


def number(value: float) -> str:
    """A number for people, with three digits where it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def time(nanoseconds: float) -> str:
    """A duration for people."""
    return format_duration(nanoseconds)


def count(n: int, thing: str) -> str:
    """`1 worker`, `8 workers`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
