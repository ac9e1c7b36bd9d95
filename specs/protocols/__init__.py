"""Protocol definitions, one TOML file each."""
