"""Training of small networks whose activation function, update rule or back-propagation rule is an expression."""
