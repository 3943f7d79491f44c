"""What a served Usher costs and survives: latency, memory, kills, OpenSearch."""
