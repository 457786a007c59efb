"""CPU: how much of it a container may use, as kubelet and the kernel enforce its limit."""

from meshsim.policies.cpu.bandwidth import Bandwidth, quota_ns

__all__ = ["Bandwidth", "quota_ns"]
