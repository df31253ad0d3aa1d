-- Voids: transactions that take an earlier one back, whole or in part.

ALTER TABLE transactions
    DROP CONSTRAINT transactions_kind_known,
    ADD CONSTRAINT transactions_kind_known CHECK (
        kind IN ('TOP_UP', 'BOOKING', 'COMMIT', 'CANCELLATION', 'USAGE', 'TRANSFER', 'VOID')
    ),
    ADD COLUMN voids_transaction_id bigint,
    ADD CONSTRAINT transactions_voids_something
        CHECK ((kind = 'VOID') = (voids_transaction_id IS NOT NULL));

CREATE TABLE voids (
    transaction_id bigint CONSTRAINT voids_pkey PRIMARY KEY,
    amount_minor bigint NOT NULL,
    voided_minor bigint NOT NULL
        CONSTRAINT voids_voided_minor_positive CHECK (voided_minor > 0),
    CONSTRAINT voids_voided_within_amount CHECK (voided_minor <= amount_minor)
) WITH (fillfactor = 70);
COMMENT ON TABLE voids IS 'How much of a transaction was taken back, of what it moved on its wallet.';

GRANT SELECT, INSERT ON voids TO wallet_service;
GRANT UPDATE (voided_minor) ON voids TO wallet_service;
