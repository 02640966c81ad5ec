"""What to say where the hub has a repository, and not the commit of it that was asked for."""

from unidelta.errors import BackboneError


def unknown_revision(error: BaseException, asked: str, revision: str | None) -> BackboneError | None:
    """A BackboneError if the repository lacks the revision (a commit of a pull request may vanish), else None.

    Args:
        error: what a client of the hub raised.
        asked: the words in which the checkpoint was asked for.
        revision: the pin.
    """
    from unidelta.network.hub import is_unknown_revision  # late: the hub's client takes half a second

    if revision is None or not is_unknown_revision(error):
        return None
    why = "the repository has no such commit, tag or branch"
    instead = "backbone.hub_revision=main, if its files are safetensors; the record names the commit"
    return BackboneError(f"{asked} backbone.hub_revision={revision}", why, instead)
