"""Pages for what went wrong: each says what happened and what to do; none shows a traceback."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import quote

from django.core.exceptions import BadRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import escape_leading_slashes

from memories.core.errors import (
    LLMMemoryError,
    MirrorUnavailableError,
    RecordNotFoundError,
    TranscriptError,
    TranscriptGoneError,
)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


_FOR_CLAUDE = re.compile(r"\bmemory_[a-z]")
"""A message that sends its reader to one of Claude's tools is not for a person with a browser."""


def error_page(
    request: HttpRequest, status: int, title: str, message: str, ways: Sequence[tuple[str, str]] = ()
) -> HttpResponse:
    """A page, or for htmx its middle part, with a title, what happened, and ways on: (what a link says, its address),
    beside the one to the timeline."""
    template = "dashboard/_error.html" if getattr(request, "htmx", None) else "dashboard/error.html"
    return render(request, template, {"title": title, "message": message, "ways": ways}, status=status)


def _said(error: Exception, to_a_person: str) -> str:
    """An error's own words; where they are meant for Claude, those for a person."""
    return to_a_person if _FOR_CLAUDE.search(str(error)) else str(error)


def answers_errors(view: View[P]) -> View[P]:
    """A view whose domain errors become pages: 404 for no such record or transcript, 410 for one that was forgotten or
    let go, 503 for no index, 500 for an unreadable file."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except RecordNotFoundError as error:
            message = (
                "No memory with this id is stored here: the address may be cut, or the memory is on another machine. "
                "Search for its words on the timeline."
            )
            return error_page(request, 404, "No such memory", _said(error, message))
        except TranscriptGoneError as error:
            ways = [("Read its session log", reverse("memory", args=[error.log_uuid]))] if error.log_uuid else []
            return error_page(request, 410, "This transcript is not kept any more", str(error), ways)
        except TranscriptError as error:
            message = (
                "This address names no session: it may be cut. The list has every archived session; one that still "
                "runs comes into it when it ends, or with `llm-memory sync`."
            )
            ways = [("See all sessions", reverse("sessions"))]
            return error_page(request, 404, "This transcript cannot be shown", _said(error, message), ways)
        except MirrorUnavailableError as error:
            return error_page(request, 503, "The index is not ready", str(error))
        except (DatabaseError, sqlite3.Error) as error:
            message = f"The index cannot be read ({error}): run `llm-memory sync`, then reload."
            return error_page(request, 503, "The index is not ready", message)
        except LLMMemoryError as error:
            message = "What is stored there is not readable. The status page lists such files and what to do."
            ways = [("See the status", reverse("status"))]
            return error_page(request, 500, "This cannot be read", _said(error, message), ways)

    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: an address that no link of ours leads to, or a host name that is not this machine's."""
    title = "This address does not work"
    if not isinstance(exception, BadRequest):
        return error_page(request, 400, title, "The request is not one this dashboard answers.")
    page = escape_leading_slashes(quote(request.path))
    message = f"It may have been cut or changed when it was copied. {exception}"
    return error_page(request, 400, title, message, [("Open this page from its start", page)])


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404: no such page."""
    return error_page(request, 404, "No such page", "Nothing is at this address. Start again from the timeline.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours; the traceback is on the terminal that runs the dashboard."""
    message = (
        "The dashboard failed on this page; the terminal it runs in says where. `llm-memory doctor` checks the rest."
    )
    return error_page(request, 500, "Something broke", message)
