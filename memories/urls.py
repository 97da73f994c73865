"""The dashboard's addresses."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from memories.core.records import UUID
from memories.views.memory import memory
from memories.views.timeline import timeline


class RecordIdConverter(StringConverter):
    """A record's uuid: 32 lowercase hex digits."""

    regex = UUID.pattern


register_converter(RecordIdConverter, "record")

urlpatterns = [
    path("", timeline, name="timeline"),
    path("m/<record:uuid>/", memory, name="memory"),
]
