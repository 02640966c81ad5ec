"""Translation: a text in one language to the same text in another."""

from unidelta.tasks.kind import KINDS, Kind

TRANSLATION = KINDS.register(
    Kind(name="translation", does="generates text", output="text", sources=("source",), target="target")
)
