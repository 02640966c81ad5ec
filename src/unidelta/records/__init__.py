"""One JSON record per run: its layout, its name, its origin and where it is kept. Standard library only."""

from unidelta.records.identity import run_id
from unidelta.records.provenance import provenance, utc_now
from unidelta.records.record import SCHEMA_VERSION, RunRecord, Status, from_json, to_json
from unidelta.records.store import Listing, RecordStore

__all__ = [
    "SCHEMA_VERSION",
    "Listing",
    "RecordStore",
    "RunRecord",
    "Status",
    "from_json",
    "provenance",
    "run_id",
    "to_json",
    "utc_now",
]
