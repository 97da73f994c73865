"""The MCP server as a Django app, for its management commands."""

from django.apps import AppConfig


class McpBridgeConfig(AppConfig):
    """Only management commands; no models."""

    name = "mcp_bridge"
