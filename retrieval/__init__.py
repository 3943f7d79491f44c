"""From a query, a taste and constraints to ranked movies with reasons."""
