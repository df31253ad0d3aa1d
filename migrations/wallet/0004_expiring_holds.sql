-- Bookings may expire: what they still hold is set free by itself.

ALTER TABLE transactions
    DROP CONSTRAINT transactions_kind_known,
    ADD CONSTRAINT transactions_kind_known CHECK (
        kind IN (
            'TOP_UP', 'BOOKING', 'COMMIT', 'CANCELLATION', 'USAGE', 'TRANSFER', 'VOID', 'EXPIRATION'
        )
    );

ALTER TABLE holds
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN expired boolean NOT NULL DEFAULT false;
CREATE INDEX holds_expires_at_idx ON holds (expires_at)
    WHERE captured_minor + released_minor < amount_minor AND expires_at IS NOT NULL;
GRANT UPDATE (expired) ON holds TO wallet_service;
