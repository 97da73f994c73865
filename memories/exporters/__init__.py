"""Exports for people and other programs: a Markdown folder, JSON lines, one HTML page. Bundles are core/bundle*.py.

No Django. What is shown is read from the mirror, whose texts are redacted, or through core/redaction.py.
"""
