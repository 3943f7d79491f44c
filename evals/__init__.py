"""Scenarios, simulated users, transcripts, scorers and the figures in the README."""
