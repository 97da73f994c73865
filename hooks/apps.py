"""The lifecycle hooks as a Django app, for its management commands."""

from django.apps import AppConfig


class HooksConfig(AppConfig):
    """Only management commands; no models."""

    name = "hooks"
