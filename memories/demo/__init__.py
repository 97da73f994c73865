"""A worked example: one bundled session from Claude Code's transcript to the next session's briefing."""
