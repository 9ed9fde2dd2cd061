"""The commands of the command line, one subject a file. `api.cli` puts them together."""
