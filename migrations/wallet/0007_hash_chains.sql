-- Hash chains over the transactions. Each writer appends to a chain of its own, so that no two wait
-- for each other; a chain's number is that of the house stripe that its writer posts to.

CREATE TABLE chains (
    chain smallint CONSTRAINT chains_pkey PRIMARY KEY,
    last_transaction_id bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
        CONSTRAINT chains_hash_length CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 10);
COMMENT ON TABLE chains IS 'The last link of each hash chain. One that was never used is at zero.';
INSERT INTO chains (chain) SELECT generate_series(0, 1023);

ALTER TABLE transactions
    ADD COLUMN chain smallint,
    ADD COLUMN hash bytea,
    ADD CONSTRAINT transactions_hash_length CHECK (octet_length(hash) = 32),
    ADD CONSTRAINT transactions_chained CHECK ((chain IS NULL) = (hash IS NULL));
COMMENT ON COLUMN transactions.hash IS 'SHA-256 of the hash before it in its chain and of its content; '
    'NULL where it was written before there were chains.';

GRANT SELECT ON chains TO wallet_service;
GRANT UPDATE (last_transaction_id, hash) ON chains TO wallet_service;
