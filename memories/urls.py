"""The dashboard's addresses."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from memories.core.records import UUID
from memories.views.graph import graph, graph_data
from memories.views.memory import memory
from memories.views.projects import project, projects
from memories.views.sessions import sessions, transcript
from memories.views.status import checks, status
from memories.views.timeline import fresh, timeline


class RecordIdConverter(StringConverter):
    """A record's uuid: 32 lowercase hex digits."""

    regex = UUID.pattern


class AnyTextConverter(StringConverter):
    """Any text: a project's name may hold slashes, and line breaks too, which Django's own `path` does not take."""

    regex = "(?s:.+)"


register_converter(RecordIdConverter, "record")
register_converter(AnyTextConverter, "text")

urlpatterns = [
    path("", timeline, name="timeline"),
    path("fresh/", fresh, name="fresh"),
    path("m/<record:uuid>/", memory, name="memory"),
    path("p/", projects, name="projects"),
    path("p/<text:value>/", project, name="project"),
    path("s/", sessions, name="sessions"),
    path("t/<text:session>/", transcript, name="transcript"),
    path("graph/", graph, name="graph"),
    path("graph/data/", graph_data, name="graph_data"),
    path("status/", status, name="status"),
    path("status/checks/", checks, name="checks"),
]
