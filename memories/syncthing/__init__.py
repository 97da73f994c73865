"""Setting up Syncthing for the data folder, and asking it how it goes. Standard library only: an uninstall needs it."""

NOTE_NAME = "syncthing.json"
"""The file in state/ in which sync-setup notes what it set up; without it there is nothing to ask."""
