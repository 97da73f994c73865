"""The domain app."""

from django.apps import AppConfig


class MemoriesConfig(AppConfig):
    """Records, mirror, selectors, services, dashboard."""

    name = "memories"
