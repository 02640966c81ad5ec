"""An encoder or decoder as a host of networks that serve all of its layers, such as a prefix's MLP."""

from unidelta.hosts.site import Host


class StackHost(Host):
    """A stack that owns networks; its forward is the stock one."""
