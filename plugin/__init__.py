"""What only the Claude Code plugin needs: how its hooks and its server start, and the venv made on first use."""
