"""What generators of clients and programmers need of one version: its OpenAPI document and its types."""
