"""The HTTP surface: chat over server-sent events, catalogue, profile and health routes."""
