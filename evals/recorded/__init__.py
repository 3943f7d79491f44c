"""Recorded conversations, posts and queries put to the product: ranking, routing, extraction."""
