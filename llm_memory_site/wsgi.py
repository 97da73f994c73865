"""WSGI entry point, for `manage.py runserver`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llm_memory_site.settings")
application = get_wsgi_application()
