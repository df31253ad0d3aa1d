-- Wallets may be frozen and closed, and may have credit in an asset.

ALTER TABLE wallets
    DROP CONSTRAINT wallets_state_known,
    ADD CONSTRAINT wallets_state_known CHECK (state IN ('ACTIVE', 'FROZEN', 'CLOSED'));
GRANT UPDATE (state) ON wallets TO wallet_service;

ALTER TABLE accounts
    ADD COLUMN credit_limit_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT accounts_credit_limit_minor_range
        CHECK (credit_limit_minor BETWEEN 0 AND 1000000000000000000),
    DROP CONSTRAINT accounts_available_not_negative,
    ADD CONSTRAINT accounts_available_not_negative
        CHECK (account_type <> 'WALLET' OR balance_minor + held_minor <= credit_limit_minor);
GRANT UPDATE (credit_limit_minor) ON accounts TO wallet_service;

ALTER TABLE entries ADD COLUMN credit_limit_minor bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN entries.credit_limit_minor IS 'As it stood: available is told again as it was.';

CREATE OR REPLACE VIEW wallet_balances AS
    SELECT
        wallet_id,
        asset_code,
        -balance_minor AS posted_minor,
        held_minor,
        credit_limit_minor - balance_minor - held_minor AS available_minor,
        credit_limit_minor
    FROM accounts
    WHERE account_type = 'WALLET';
