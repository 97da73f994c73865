"""The domain in plain Python: files, mirror, briefing. Standard library only; never imports Django."""
