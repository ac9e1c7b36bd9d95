"""Conversations for single protocols, worked out from their specifications, as JSON."""
