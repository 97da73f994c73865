"""The commands that people call, without Django: each a module here, named in table.py."""
