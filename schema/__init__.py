"""What clients see: the types, inputs and roots of the GraphQL schema."""
