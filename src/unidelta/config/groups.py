"""The configuration groups and their options: files of YAML, and what is registered in Python."""

from hydra.core.config_store import ConfigStore

from unidelta.config.schema import RunConfig
from unidelta.design.composition import COMPOSITIONS
from unidelta.extensions.folders import config_names


def fill_store() -> None:
    """Tell Hydra the schema, and every composition that has no file in conf/composition/."""
    store = ConfigStore.instance()
    if "schema.yaml" not in store.repo:
        store.store(name="schema", node=RunConfig)
    for name in set(COMPOSITIONS) - set(config_names("composition")):
        store.store(group="composition", name=name, node={"name": name})


def options(group: str) -> list[str]:
    """The options of a configuration group, e.g. the methods, in alphabetical order."""
    registered = COMPOSITIONS if group == "composition" else ()
    return sorted({*config_names(group), *registered})
