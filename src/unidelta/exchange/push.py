"""Put a folder on the Hugging Face hub, where there is network."""

from pathlib import Path

from unidelta.errors import ExchangeError, first_line
from unidelta.injection.card import CARD


def push_to_hub(folder: Path, repository: str, *, private: bool = True) -> str:
    """Upload saved deltas or an export as a model repository, which is made if needed; returns its address.

    The token is huggingface_hub's own (`hf auth login`, or HF_TOKEN).

    Args:
        folder: with a model card.
        repository: `owner/name`.
        private: whether a new repository is.

    Raises:
        ExchangeError: the hub is not reachable or refuses, or the folder has no model card.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    from unidelta.network.hub import why_unreachable

    asked = f"push {folder} to {repository}"
    if not (folder / CARD).is_file():
        raise ExchangeError(asked, f"there is no {CARD} in it", "a folder of deltas.save or unidelta.export")
    if why := why_unreachable():
        raise ExchangeError(asked, why, "the same with network, without HF_HUB_OFFLINE")
    try:
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload with unidelta"))
    except (HfHubHTTPError, OSError, ValueError) as error:
        why = first_line(error)
        raise ExchangeError(asked, why, "`hf auth login`, and a repository of your own: OWNER/NAME") from None
