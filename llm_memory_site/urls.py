"""Every address: the dashboard, its static files, and the pages for errors."""

from django.urls import include, path

from memories.views.static_files import static_file

handler400 = "memories.views.errors.bad_request"
handler404 = "memories.views.errors.not_found"
handler500 = "memories.views.errors.server_error"

urlpatterns = [
    path("", include("memories.urls")),
    path("static/<path:path>", static_file),  # not settings.STATIC_URL, which carries the token's prefix
]
