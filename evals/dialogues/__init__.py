"""Dialogues from anywhere: scripted scenarios, transcripts, runs and their scores."""
