"""The operators' tool: `walletctl NOUN VERB`. It speaks gRPC, never SQL."""
