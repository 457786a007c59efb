"""A cache of answers at the proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.policies.filters.cache_fetches import CacheFetches, Fetch
from meshsim.policies.filters.cache_store import CacheStore
from meshsim.policies.filters.filter import NOTHING, Decision, Filter, FilterState, Then, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, PositiveCount, Share

if TYPE_CHECKING:
    from meshsim.policies.filters.cache_store import Entry
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

Failure = Annotated[int, Ge(300), Le(599)]
POSITIVE = (200, 301, 302)
"""What a `proxy_cache_valid` without statuses keeps."""
ERRORS = (500, 502, 503, 504)
"""Statuses in place of which RFC 5861 lets a stale answer be given."""
BYPASS = Verdict(key=NOTHING)
UNSTORED = Verdict(decision=Decision.MISS, key=NOTHING)
POLL = NOTHING - 1
"""The key of those who look again by themselves: nobody's answer wakes them."""


@policy
class Cache(Filter):
    """Answer from stored answers while they are fresh; on request from stale ones, and let only one request fetch what is missing.

    What people get wrong about NGINX: (1) `proxy_cache_lock` holds requests back only while nothing at all is stored; once an entry has
    expired all of them go upstream unless stale answers are allowed (`coalesce: new`; Varnish's waiting list is `all`). (2) Who waits
    looks every 500 ms and is not woken: waiting is quantised. (3) Who has waited for `lock_timeout` goes upstream, and that answer is
    not stored; after `lock_age` one more request may try to fill the cache. (4) A fetch that cannot be stored lets the next one
    go, one after the other. (5) Without `background_update` the first request after expiry waits for its own fetch; only the
    others get the stale answer. (6) Requests by other methods than GET and HEAD pass it by, and empty nothing: who has written reads the
    old answer until it expires. A call between services has its client's method, as it has its key. The key is that of the load, with
    the route. One cache for each proxy: replicas share nothing.

    Source: NGINX since 1.11.10, src/http/ngx_http_file_cache.c and ngx_http_upstream.c (proxy_cache and its directives); RFC 5861;
    Varnish 7, vcl_hit and the waiting list (bin/varnishd/cache/cache_hash.c).
    """

    ttl: Duration
    """How long an answer with 200, 301 or 302 is fresh."""
    jitter: Share = 0.0
    """Each answer lives shorter by a random part of this share, so that what came together does not expire together; NGINX has none."""
    key: Literal["content", "route"] = "content"
    """One entry for each of the load's keys and route; or one for each route, also where the load has no keys."""
    routes: tuple[str, ...] | None = None
    """Names of the routes whose answers are stored; all where absent."""
    writes: bool = False
    """Whether answers to other methods than GET and HEAD are stored too (`proxy_cache_methods`)."""
    capacity: PositiveCount = 2**32 - 1
    """Entries it holds, stale ones included; no limit where absent, as without NGINX's `max_size`."""
    eviction: Literal["lru", "fifo"] = "lru"
    """Who makes room: what was not asked for longest, as in NGINX and Varnish, or what has been there longest."""
    inactive: Duration = 600_000_000_000
    """What nobody asked for in this time is taken away, fresh or not."""
    hit_time: Duration = 0
    """How long a worker is at work for an answer from the cache."""
    negative_ttl: Duration = 0
    """How long a failure is kept and answered again; 0 keeps none."""
    negative_statuses: tuple[Failure, ...] = (404, 500, 502, 503, 504)
    """Which failures `negative_ttl` is for."""
    coalesce: Literal["none", "new", "all"] = "none"
    """Whether requests wait while another one fetches the same: never; where nothing is stored, as NGINX's `proxy_cache_lock`; or also
    where the stored answer is too old, as Varnish."""
    lock_timeout: Duration = 5_000_000_000
    """Who has waited for so long goes upstream, and the answer is not stored."""
    lock_age: Duration = 5_000_000_000
    """When the one that fetches takes longer, one more may try."""
    lock_poll: Duration = 500_000_000
    """How often those who wait look, as in NGINX; 0 wakes them at once, as Varnish does."""
    stale_while_revalidate: Duration = 0
    """For so long after expiry the old answer is given while another request fetches a new one (`proxy_cache_use_stale updating`)."""
    background_update: bool = False
    """Whether the request that finds it expired gets the old answer too, while a copy of it fetches the new one."""
    stale_if_error: Duration = 0
    """For so long after expiry the old answer is given in place of a 500, 502, 503 or 504 (`proxy_cache_use_stale error`)."""
    purge: tuple[Duration, ...] = ()
    """Times at which everything is dropped; what is being fetched then is still stored."""

    def check(self) -> None:
        """Raise `SettingError` where a setting would do nothing."""
        if self.ttl <= 0:
            raise SettingError("ttl", "must be longer than 0s")
        if self.routes == ():
            raise SettingError("routes", "write one at least, or leave it out for all: nothing would be stored")
        if self.inactive <= 0:
            raise SettingError("inactive", "must be longer than 0s")
        if self.negative_ttl and not self.negative_statuses:
            raise SettingError("negative_statuses", "write which failures negative_ttl is for")
        if self.coalesce != "none" and self.lock_age <= 0:
            raise SettingError("lock_age", "must be longer than 0s, or nobody would wait")
        if self.background_update and not self.stale_while_revalidate:
            raise SettingError("background_update", "does nothing without stale_while_revalidate")

    def build(self, *, around: Surroundings) -> CacheState:
        """An empty cache."""
        return CacheState(self, around)


class CacheState(FilterState):
    """What one proxy has stored, and who is on the way for more."""

    observes = True
    delays = True
    replaces = True

    def __init__(self, settings: Cache, around: Surroundings) -> None:
        """An empty cache."""
        self.ttl = settings.ttl
        self.jitter = settings.jitter
        self.key = settings.key
        self.writes = settings.writes
        self.hit_time = settings.hit_time
        self.coalesce = settings.coalesce
        self.lock_timeout = settings.lock_timeout
        self.lock_age = settings.lock_age
        self.lock_poll = settings.lock_poll
        self.stale_while_revalidate = settings.stale_while_revalidate
        self.background_update = settings.background_update
        self.stale_if_error = settings.stale_if_error
        unknown = next((name for name in settings.routes or () if name not in around.routes), None)
        if unknown is not None:
            raise SettingError("routes", f"there is no route {unknown}")
        stored = around.routes if settings.routes is None else settings.routes
        self._stores_route = [settings.routes is None, *(name in stored for name in around.routes)]
        self._store = CacheStore(settings.capacity, settings.inactive, is_lru=settings.eviction == "lru")
        self._fetches = CacheFetches()
        self._lifetimes = {status: settings.negative_ttl for status in settings.negative_statuses if settings.negative_ttl}
        self._lifetimes.update(dict.fromkeys(POSITIVE, settings.ttl))
        self._hits = {status: self._answer(status, Decision.HIT) for status in self._lifetimes}
        self._stale = {status: self._answer(status, Decision.STALE) for status in self._lifetimes}
        self._purges = sorted(settings.purge, reverse=True)

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:
        """The stored answer, "go on", or "wait for another's fetch"."""
        key = self._key_of(asked)
        if key == NOTHING:
            return BYPASS
        self._purge_until(now_ns)
        entry = self._store.find(key, now_ns)
        if entry is not None and now_ns < entry.expires_ns:
            self._fetches.forget_waiting(asked)
            return self._hits[entry.status]
        if entry is not None and now_ns < entry.expires_ns + self.stale_while_revalidate:
            verdict = self._answer_stale(now_ns, key, entry, draw)
            if verdict is not None:
                self._fetches.forget_waiting(asked)
                return verdict
        return self._send_on(now_ns, key, entry, asked, draw)

    def give_up_waiting(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:
        """As `judge`: who has waited long enough looks once more first."""
        return self.judge(now_ns, asked, draw)

    def done(self, now_ns: int, rtt_ns: int, asked: Asked, status: int, grpc_status: int, flags: int) -> None:  # noqa: ARG002
        """Store the answer, if it is one that is kept."""
        key = self._key_of(asked)
        if key == NOTHING:
            return
        self._purge_until(now_ns)
        fetch = self._fetches.end(asked, key)
        lifetime_ns = self._lifetimes.get(status, 0)
        if fetch is None or not fetch.is_stored or not lifetime_ns or grpc_status > 0:
            return
        if self.answer_instead(now_ns, asked, status, grpc_status):
            return
        self._store.put(key, status, now_ns + (fetch.ttl_ns if status in POSITIVE else lifetime_ns), now_ns)

    def answer_instead(self, now_ns: int, asked: Asked, status: int, grpc_status: int) -> int:
        """Status of the stale answer that is given in place of a failure; 0 where the answer stands.

        Args:
            now_ns: Time.
            asked: The request, which went on and has been answered.
            status: HTTP status of that answer; 0 where the caller gave up first.
            grpc_status: gRPC status, -1 where the answer has none.
        """
        if not self.stale_if_error or (status not in ERRORS and grpc_status <= 0):
            return 0
        key = self._key_of(asked)
        entry = None if key == NOTHING else self._store.peek(key)
        if entry is None or entry.status in ERRORS or now_ns >= entry.expires_ns + self.stale_if_error:
            return 0
        return entry.status

    def _answer(self, status: int, decision: Decision) -> Verdict:
        """What is said of a stored answer; a stored failure is one of the service."""
        return Verdict(status, int(Flag.error) if status >= 400 else 0, work_ns=self.hit_time, decision=decision)

    def _key_of(self, asked: Asked) -> int:
        """The number of what is asked for; NOTHING where that is not to be stored."""
        route = asked.route + 1
        if not self._stores_route[route] or (asked.is_write and not self.writes):
            return NOTHING
        if self.key == "route":
            return route
        return NOTHING if asked.content_key < 0 else asked.content_key * len(self._stores_route) + route

    def _answer_stale(self, now_ns: int, key: int, entry: Entry, draw: Draw) -> Verdict | None:
        """The old answer, while a new one is on its way; None where this request is to fetch that itself."""
        if self._fetches.lock(key) is not None:
            return self._stale[entry.status]
        if not self.background_update:
            return None
        self._fetches.begin_copy(key, self._fetch(now_ns, draw))
        return self._stale[entry.status]._replace(then=Then.REFRESH, key=key)

    def _send_on(self, now_ns: int, key: int, entry: Entry | None, asked: Asked, draw: Draw) -> Verdict:
        """Fetch, or wait for the one that does."""
        lock = self._fetches.lock(key)
        is_held_back = self.coalesce == "all" or (self.coalesce == "new" and entry is None)
        if lock is not None and is_held_back and now_ns < lock.lock_ends_ns:
            deadline_ns = self._fetches.deadline_ns(asked, now_ns, self.lock_timeout)
            if now_ns < deadline_ns:
                return self._wait(key, min(deadline_ns, lock.lock_ends_ns) - now_ns)
            self._fetches.begin(asked, Fetch(0, is_stored=False))
            return UNSTORED
        fetch = self._fetch(now_ns, draw)
        self._fetches.begin(asked, fetch)
        if lock is None or is_held_back:
            self._fetches.take_lock(key, fetch)
        return Verdict(decision=Decision.MISS, key=key)

    def _wait(self, key: int, longest_ns: int) -> Verdict:
        """Until the fetch is there, or until it is time to look again."""
        if not self.lock_poll:
            return Verdict(delay_ns=longest_ns, then=Then.WAIT, key=key)
        return Verdict(delay_ns=min(self.lock_poll, longest_ns), then=Then.WAIT, key=POLL)

    def _fetch(self, now_ns: int, draw: Draw) -> Fetch:
        """A fetch that begins now; chance is drawn here, since an answer has none."""
        ttl_ns = round(self.ttl * (1.0 - self.jitter * draw.uniform())) if self.jitter else self.ttl
        return Fetch(ttl_ns, is_stored=True, lock_ends_ns=now_ns + self.lock_age)

    def _purge_until(self, now_ns: int) -> None:
        """Drop everything if it was time to since the last request."""
        while self._purges and self._purges[-1] <= now_ns:
            self._purges.pop()
            self._store.clear()
