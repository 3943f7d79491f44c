"""Offline work on models and indexes; only they and one encoder file use torch."""
