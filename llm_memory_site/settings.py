"""Django settings: one app over the mirror. No accounts, no sessions, no admin."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import quote

from memories.core.paths import data_folder

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_FOLDER = data_folder()

DEBUG = os.environ.get("LLM_MEMORY_DEBUG", "") == "1"
SECRET_KEY = secrets.token_urlsafe(48)  # nothing outlives the process: no cookies, no signed data
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Ours before staticfiles: Django takes `runserver` from the app listed first, and only ours keeps to loopback.
INSTALLED_APPS = ["memories", "mcp_bridge", "hooks", "django_htmx", "django.contrib.staticfiles"]
MIDDLEWARE = [
    "llm_memory_site.middleware.SecurityHeadersMiddleware",
    "llm_memory_site.peer.OwnUserMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "llm_memory_site.urls"
WSGI_APPLICATION = "llm_memory_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# mode=rw: a missing mirror is an error to be said, never an empty file that looks like an empty memory.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"file:{quote(DATA_FOLDER.mirror)}?mode=rw",
        "OPTIONS": {"timeout": 5},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = None  # or Django would set TZ for the process: times are shown as this machine's clock has them
USE_TZ = False  # times are text in UTC; templatetags turn them into local ones
USE_I18N = False
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS: list[str] = []
