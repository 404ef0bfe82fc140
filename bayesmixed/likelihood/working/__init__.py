"""The basis in which a likelihood is computed: orthogonal columns, blocks of effects, coordinates."""
