"""Everything that touches the world: environment, connections and choices."""
