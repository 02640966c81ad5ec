"""Adds users' YAML folders to Hydra's search path: see `unidelta.extensions.folders`."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from unidelta.extensions.folders import PROVIDER, folders
from unidelta.extensions.paths import CONF


class AddedFolders(SearchPathPlugin):
    """Adds them if the configuration is this project's; other Hydra applications are not changed."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append every folder but the first, which is the project's own."""
        if any(each.path in (str(CONF), f"file://{CONF}") for each in search_path.get_path()):
            for folder in folders()[1:]:
                search_path.append(provider=PROVIDER, path=f"file://{folder}")
