"""Summarization: a long text to a short one."""

from unidelta.tasks.kind import KINDS, Kind

SUMMARIZATION = KINDS.register(
    Kind(name="summarization", does="generates text", output="text", sources=("source",), target="target")
)
