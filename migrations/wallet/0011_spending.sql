-- Spending: paid by one wallet or by those above it, and counted against limits.

ALTER TABLE transactions
    DROP CONSTRAINT transactions_kind_known,
    ADD CONSTRAINT transactions_kind_known CHECK (
        kind IN (
            'TOP_UP', 'BOOKING', 'COMMIT', 'CANCELLATION', 'USAGE', 'TRANSFER', 'VOID',
            'EXPIRATION', 'BREAKAGE', 'EXCHANGE', 'ASSIGNMENT', 'UNASSIGNMENT', 'EXTENSION'
        )
    ),
    ADD COLUMN spent_minor bigint,
    ADD COLUMN counted jsonb,
    ADD COLUMN paid_by_others boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN transactions.spent_minor IS 'What it spent or, below zero, gave back of that; '
    'NULL where it did neither.';
COMMENT ON COLUMN transactions.counted IS 'The windows that it counts in: wallet, asset, product, '
    'period and first day of each; NULL where there is none.';
COMMENT ON COLUMN transactions.paid_by_others IS 'Whether it has no entry on its own wallet, by '
    'which it would be found.';
CREATE INDEX transactions_paid_by_others_idx ON transactions (wallet_id, transaction_id)
    WHERE paid_by_others;

ALTER TABLE accounts
    DROP CONSTRAINT accounts_account_type_known,
    ADD CONSTRAINT accounts_account_type_known CHECK (
        account_type IN (
            'WALLET', 'FUNDING', 'REVENUE', 'VENDOR_COST', 'VENDOR_PAYABLE', 'BREAKAGE', 'EXCHANGE',
            'TAX_PAYABLE'
        )
    );

-- An extension moves nothing but between lots.
ALTER TABLE entries DROP CONSTRAINT entries_moves_something;

ALTER TABLE holds
    ADD COLUMN part_index smallint NOT NULL DEFAULT 0,
    ADD COLUMN wallet_id bigint,
    ADD COLUMN captured_quantity bigint NOT NULL DEFAULT 0
        CONSTRAINT holds_captured_quantity_not_negative CHECK (captured_quantity >= 0);
UPDATE holds h SET wallet_id = a.wallet_id FROM accounts a WHERE a.account_id = h.account_id;
ALTER TABLE holds
    ALTER COLUMN wallet_id SET NOT NULL,
    ALTER COLUMN part_index DROP DEFAULT,
    DROP CONSTRAINT holds_pkey,
    ADD CONSTRAINT holds_pkey PRIMARY KEY (booking_id, part_index);
COMMENT ON TABLE holds IS 'Money set aside by a booking, on each account that pays for it in the '
    'order in which it is taken, and how much of it was taken or set free.';
COMMENT ON COLUMN holds.wallet_id IS 'The wallet that booked; others may pay.';
COMMENT ON COLUMN holds.captured_quantity IS 'Units that were taken of the booking as a whole.';
GRANT UPDATE (captured_quantity) ON holds TO wallet_service;

CREATE TABLE spending_windows (
    wallet_id bigint NOT NULL,
    asset_code text NOT NULL,
    product_code text NOT NULL,
    period text NOT NULL
        CONSTRAINT spending_windows_period_known CHECK (period IN ('DAY', 'WEEK', 'MONTH')),
    starts_on date NOT NULL,
    spent_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT spending_windows_spent_minor_not_negative CHECK (spent_minor >= 0),
    CONSTRAINT spending_windows_pkey
        PRIMARY KEY (wallet_id, asset_code, product_code, period, starts_on)
) WITH (fillfactor = 50);
COMMENT ON TABLE spending_windows IS 'What was spent in a stretch of time of a limit, by a wallet '
    'and all below it. An empty product stands for every one.';
GRANT SELECT, INSERT ON spending_windows TO wallet_service;
GRANT UPDATE (spent_minor) ON spending_windows TO wallet_service;
