"""The product's own MCP server over streamable HTTP on loopback, for suites that speak nothing else; tests only.

`python -m tests.mcp_bridge.http_server PORT [examples]`; examples: with the tools, resources and prompts that the
official conformance suite asks for, so that what our server object changes of the SDK's is tried with every kind of
answer.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp_types import (
    AudioContent,
    EmbeddedResource,
    ImageContent,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel

if TYPE_CHECKING:
    from mcp_bridge.server import MemoryServer

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
SILENCE = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\0\0\0\0"
STEP_SECONDS = 0.05
"""The suite asks for about 50 ms between notifications."""


class Answer(BaseModel):
    """What the user is asked for."""

    username: str
    email: str


def add_examples(server: MemoryServer) -> None:
    """Register what the suite's scenarios call, as it says."""
    _add_contents(server)
    _add_conversations(server)
    _add_resources(server)
    _add_prompts(server)


def _resource(uri: str, mime_type: str, text: str) -> Any:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def _image() -> ImageContent:
    return ImageContent(type="image", data=base64.b64encode(PIXEL).decode(), mime_type="image/png")


def _add_contents(server: MemoryServer) -> None:
    @server.tool(structured_output=False)
    def test_simple_text() -> str:
        """A text."""
        return "This is a simple text response for testing."

    @server.tool(structured_output=False)
    def test_image_content() -> list[Any]:
        """An image."""
        return [_image()]

    @server.tool(structured_output=False)
    def test_audio_content() -> list[Any]:
        """A sound."""
        return [AudioContent(type="audio", data=base64.b64encode(SILENCE).decode(), mime_type="audio/wav")]

    @server.tool(structured_output=False)
    def test_embedded_resource() -> list[Any]:
        """A resource."""
        return [_resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @server.tool(structured_output=False)
    def test_multiple_content_types() -> list[Any]:
        """All of them."""
        found = _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return [TextContent(type="text", text="Multiple content types test:"), _image(), found]

    @server.tool()
    def test_error_handling() -> str:
        """An error."""
        raise ToolError("This tool intentionally returns an error for testing")


def _add_conversations(server: MemoryServer) -> None:
    async def test_tool_with_logging(ctx: Context[Any, Any]) -> str:
        """Log lines."""
        for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.session.send_log_message("info", text, related_request_id=ctx.request_id)
            await asyncio.sleep(STEP_SECONDS)
        return "logged"

    async def test_tool_with_progress(ctx: Context[Any, Any]) -> str:
        """Progress."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await asyncio.sleep(STEP_SECONDS)
        return "done"

    async def test_sampling(prompt: str, ctx: Context[Any, Any]) -> str:
        """Ask the client's model."""
        asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        found = await ctx.session.create_message([asked], max_tokens=100, related_request_id=ctx.request_id)
        return f"LLM response: {found.content}"

    async def test_elicitation(message: str, ctx: Context[Any, Any]) -> str:
        """Ask the user."""
        return f"User response: {await ctx.elicit(message, Answer)}"

    for tool in (test_tool_with_logging, test_tool_with_progress, test_sampling, test_elicitation):
        server.add_tool(tool, structured_output=False)


def _add_resources(server: MemoryServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain", description="A text")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png", description="An image")
    def static_binary() -> bytes:
        return PIXEL

    @server.resource("test://template/{id}/data", mime_type="application/json", description="By id")
    def template(id: str) -> str:
        return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'


def _add_prompts(server: MemoryServer) -> None:
    @server.prompt(description="Simple")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="With arguments")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="With a resource")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[Any]:  # noqa: N803 - the suite's name
        found = _resource(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(found), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="With an image")
    def test_prompt_with_image() -> list[Any]:
        return [UserMessage(_image()), UserMessage("Please analyze the image above.")]


def main(argv: list[str]) -> None:
    """Serve on a port until the process is ended."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "llm_memory_site.settings"
    import django

    django.setup()
    from asgiref.sync import async_to_sync

    from mcp_bridge.context import BackgroundSync
    from mcp_bridge.server import build_server
    from memories.core.paths import data_folder

    sync = BackgroundSync(data_folder())
    server = build_server(data_folder(), sync)
    if argv[1:] == ["examples"]:
        add_examples(server)
    sync.start()
    async_to_sync(partial(server.run_streamable_http_async, host="127.0.0.1", port=int(argv[0])))()


if __name__ == "__main__":
    main(sys.argv[1:])
