"""Pages for what went wrong: each says what happened and what to do; none shows a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import BadRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from memories.core.errors import LLMMemoryError, MirrorUnavailableError, RecordNotFoundError, TranscriptError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def error_page(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    """A page, or for htmx its middle part, with a title and what to do about it."""
    template = "dashboard/_error.html" if getattr(request, "htmx", None) else "dashboard/error.html"
    return render(request, template, {"title": title, "message": message}, status=status)


def answers_errors(view: View[P]) -> View[P]:
    """A view whose domain errors become pages: 404 for no such record or transcript, 503 for no index, 500 for an
    unreadable file."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except RecordNotFoundError as error:
            return error_page(request, 404, "No such memory", str(error))
        except TranscriptError as error:
            return error_page(request, 404, "This transcript cannot be shown", str(error))
        except MirrorUnavailableError as error:
            return error_page(request, 503, "The index is not ready", str(error))
        except DatabaseError as error:
            message = f"The index cannot be read ({error}): run `llm-memory sync`, then reload."
            return error_page(request, 503, "The index is not ready", message)
        except LLMMemoryError as error:
            return error_page(request, 500, "This memory cannot be read", str(error))

    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: an address that no link of ours leads to, or a host name that is not this machine's."""
    said = str(exception) if isinstance(exception, BadRequest) else "The request is not one this dashboard answers."
    return error_page(request, 400, "This address does not work", f"{said} Start again from the timeline.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404: no such page."""
    return error_page(request, 404, "No such page", "Nothing is at this address. Start again from the timeline.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours; the traceback is on the terminal that runs the dashboard."""
    message = (
        "The dashboard failed on this page; the terminal it runs in says where. `llm-memory doctor` checks the rest."
    )
    return error_page(request, 500, "Something broke", message)
