"""trio front end."""
