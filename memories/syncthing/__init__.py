"""Setting up Syncthing for the data folder, and asking it how it goes. Standard library only: an uninstall needs it."""
