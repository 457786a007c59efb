"""The columns of what services and their queues record beside requests: as those of `meshsim.records`, one row for each time and thing."""

from __future__ import annotations

AUTOSCALING: dict[str, str] = {
    "time_ns": "when the autoscaler looked",
    "service": "the service whose replicas it changes",
    "replicas": "how many were wanted until then",
    "ready": "of them, those that were ready",
    "metric": "which of its metrics asked for most, from 0; -1 where none had anything to say, or none was looked at",
    "usage": "what that one compared with its target: percent of a utilisation, thousandths of anything else; -1 without one",
    "proposed": "how many it asked for; -1 without one",
    "stabilized": "what the windows of stabilisation left of that; -1 without one",
    "desired": "how many are wanted from then on",
    "scaling_reason": "why: its place in meshsim.policies.autoscaling.Reason",
    "limited_by": "what held a change back: its place in meshsim.policies.autoscaling.Limit",
}
"""One row for each look of an autoscaler."""

CONNECTION_POOLS: dict[str, str] = {
    "time_ns": "end of the interval",
    "service": "the service",
    "instance": "the instance",
    "connection_pool": "which of the service's `connection_pools`",
    "in_use": "connections held at that instant",
    "waiting": "requests waiting for one at that instant",
    "in_use_ns": "connections held, integrated over the interval",
    "waiting_ns": "waiting requests, integrated over the interval",
    "acquired": "times that one was taken in the interval",
    "timed_out": "requests that waited in vain until `acquire_timeout` in the interval",
}
"""One row for each connection pool of each instance and interval."""
CPU: dict[str, str] = {
    "time_ns": "end of the interval",
    "service": "the service",
    "instance": "the instance",
    "computing": "computations that run or wait for a core at that instant",
    "used_ns": "processor time used in the interval",
    "throttled_ns": "how long its processors stood still for want of quota in the interval, all together",
    "periods": "periods of the quota that ended in the interval while it was in use",
    "throttled_periods": "of them, those in which it stood still",
}
"""One row for each instance of a service with `cpu`, and interval."""
CACHES: dict[str, str] = {
    "time_ns": "end of the interval",
    "service": "the service",
    "instance": "the instance that looked up",
    "cache": "which of the service's `caches`",
    "entries": "values in it at that instant, expired ones among them; of a shared one all of them",
    "loading": "loads of the instance under way at that instant",
    "hits": "look-ups in the interval that found a value that was good",
    "stale_hits": "look-ups in the interval that were given an expired one while it was loaded again",
    "misses": "look-ups in the interval that loaded",
    "coalesced": "look-ups in the interval that waited for a load that another one had begun",
    "loads": "loads begun in the interval: of misses, of those who waited for a load that failed, and in the background",
    "failed_loads": "loads that failed or were given up in the interval",
    "evictions": "values that had to make room in the interval for what this instance loaded",
    "waited_ns": "how long those waited for another's load whose wait ended in the interval, all together",
}
"""One row for each cache of each instance and interval."""

MESSAGE_QUEUES: dict[str, str] = {
    "time_ns": "end of the interval",
    "queue": "the message queue",
    "waiting": "messages that wait to be delivered, at that instant",
    "unacknowledged": "messages that consumers hold, at that instant; those whose `visibility_timeout` has passed are not among them",
    "delayed": "messages that stay away after a failure, at that instant",
    "longest_partition": "messages in the partition that has most; in a queue those that wait",
    "oldest_ns": "age of the oldest message that is there, at that instant",
    "published": "messages that reached the queue in the interval, those that it did not take included",
    "delivered": "deliveries that began in the interval",
    "redelivered": "of them, those that were not the first of their message",
    "consumed": "messages that consumers worked on well, in the interval",
    "dead_lettered": "messages that went to the `dead_letter` queue, in the interval",
    "discarded": "messages that were given up after `max_deliveries` and went nowhere, in the interval",
    "expired": "messages that outlived `message_ttl` and went nowhere, in the interval",
    "dropped": "messages that a full queue lost without a word, in the interval",
    "rejected": "messages that a full queue rejected, in the interval",
    "done_again": "deliveries that ended well although their message had been delivered again, in the interval",
    "there_ns": "messages that are there, integrated over the interval",
}
"""One row for each message queue and interval."""
MESSAGES: dict[str, str] = {
    "queue": "the message queue",
    "partition": "its partition; -1 where it has none",
    "published_ns": "when the message reached the queue",
    "delivered_ns": "when its first delivery began; -1 never",
    "ended_ns": "when it was over; -1 where it is still there",
    "deliveries": "how often it was delivered",
    "became": "what became of it: its place in meshsim.plan.MessageEnd",
}
"""One row for each message in each message queue, written when it is over, or at the end of the run."""
DEPLOYMENTS: dict[str, str] = {
    "time_ns": "when anything of it changed",
    "service": "the service",
    "revision": "the version that all pods shall be of: 0 that of the start, then the number of the rollout",
    "desired": "how many replicas are wanted",
    "pods": "pods of all versions, without those that end",
    "updated": "of them, those of the version that all shall be of",
    "ready": "of them, those that are ready",
    "available": "of them, those that have been ready for `min_ready`",
    "unavailable": "of them, the others",
    "terminating": "pods that end",
}
"""One row for each change of the pods of a service with `rollouts`; of several in an instant the last tells how it stands."""
