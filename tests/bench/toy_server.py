"""A memory server of a few lines for the tests of bench.peers: it keeps one note a line in $HOME/notes.txt."""

import json
import os
import sys

NOTES = os.path.join(os.environ["HOME"], "notes.txt")
TOOLS = [{"name": "keep", "inputSchema": {"type": "object"}}, {"name": "find", "inputSchema": {"type": "object"}}]


def call(name: str, arguments: dict[str, str]) -> str:
    if name == "keep":
        with open(NOTES, "a", encoding="utf-8") as file:
            file.write(arguments["text"] + "\n")
        return "kept"
    with open(NOTES, encoding="utf-8") as file:
        words = set(arguments["text"].lower().split())
        lines = sorted(file, key=lambda line: -len(words & set(line.lower().split())))
    return "".join(lines[:5])


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result: object = {}
    if message["method"] == "tools/list":
        result = {"tools": TOOLS}
    if message["method"] == "tools/call":
        text = call(message["params"]["name"], message["params"]["arguments"])
        result = {"content": [{"type": "text", "text": text}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
