"""What the agent may do: typed methods on one toolbox, and the ports of the stores."""
