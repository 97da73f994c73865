"""The dashboard's addresses."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from memories.core.records import UUID
from memories.views.graph import graph, graph_data
from memories.views.memory import memory
from memories.views.projects import project, projects
from memories.views.sessions import sessions, transcript
from memories.views.status import checks, merged, status, sync_state
from memories.views.timeline import fresh, timeline


class RecordIdConverter(StringConverter):
    """A record's uuid: 32 lowercase hex digits."""

    regex = UUID.pattern


class AnyTextConverter(StringConverter):
    """Any text: a project's name may hold slashes, and line breaks too, which Django's own `path` does not take.

    Browsers take `.` and `..` between slashes out of an address: such a part, and one of them after `~`, gets a `~`.
    """

    regex = "(?s:.+)"

    def to_python(self, value: str) -> str:
        """The text that an address names."""
        return "/".join(part[1:] if part[:1] == "~" and _is_dots(part) else part for part in value.split("/"))

    def to_url(self, value: str) -> str:
        """The text as an address carries it."""
        return "/".join(f"~{part}" if _is_dots(part) else part for part in str(value).split("/"))


def _is_dots(part: str) -> bool:
    return part.lstrip("~") in {".", ".."}


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
    path("status/sync/", sync_state, name="sync_state"),
    path("status/merged/", merged, name="merged"),
]
