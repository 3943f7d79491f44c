"""One turn in, a stream of events out: state, ledger, acts, policy, graph, verification."""
