"""Taking over what other memory tools kept: each format a reader here, and one way of storing for all of them.

A reader (first_memory, ledgers, claude_mem, server_memory, basic_memory) turns a source into items (items.py); take.py
compares them with what is here and stores them. Nothing of a source is ever written to. No Django.
"""
