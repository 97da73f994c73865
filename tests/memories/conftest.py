"""Fixtures for the tests of the domain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture
def round_trips(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Doctor may make its round trip: Django's connection on the throwaway mirror that it makes for it."""
    before = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        yield
        connection.close()
    connection.settings_dict["NAME"] = before
