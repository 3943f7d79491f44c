"""Simulated users: goals, what they say and when, and the audit of what they said."""
