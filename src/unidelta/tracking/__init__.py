"""Tracking: Weights & Biases, TensorBoard, or none.

The record, the history and the predictions on disk are authoritative; a tracker gets copies. A run never fails because
tracking does.
"""

from unidelta.tracking.run_tracker import RunTracker, start_tracking
from unidelta.tracking.spec import TrackingSpec, check_tracking
from unidelta.tracking.tracker import RunFacts, Tracker

__all__ = ["RunFacts", "RunTracker", "Tracker", "TrackingSpec", "check_tracking", "start_tracking"]
