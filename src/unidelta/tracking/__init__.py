"""Where a run can be watched while it goes on, and found again later: Weights & Biases, TensorBoard, or nowhere.

The record, the history and the predictions are the truth; what is tracked is a copy of them. A run never fails
because tracking does.
"""

from unidelta.tracking.run_tracker import RunTracker, start_tracking
from unidelta.tracking.spec import TrackingSpec, check_tracking
from unidelta.tracking.tracker import RunFacts, Tracker

__all__ = ["RunFacts", "RunTracker", "Tracker", "TrackingSpec", "check_tracking", "start_tracking"]
