"""Outlier detection: which hosts a proxy takes out because of how they answer."""

from meshsim.policies.outlier_detection.outlier_detection import KINDS, OutlierDetection

__all__ = ["KINDS", "OutlierDetection"]
