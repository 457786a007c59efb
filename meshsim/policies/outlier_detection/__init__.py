"""Outlier detection: which hosts a proxy takes out because of how they answer."""

from meshsim.policies.outlier_detection.host_ejection import HostEjection, HostEjectionState
from meshsim.policies.outlier_detection.kinds import KINDS
from meshsim.policies.outlier_detection.outlier_detection import OutlierDetection

__all__ = ["KINDS", "HostEjection", "HostEjectionState", "OutlierDetection"]
